//! The HTTP API of jobs. Its routes are in `admin-api`, because they share its authorization, errors and OpenAPI document.
//! The binary is separate, because the SDKs of S3 and Step Functions would make `admin-api` start slower.

mod settings;

pub use settings::Settings;
