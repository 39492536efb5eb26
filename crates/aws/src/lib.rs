//! Implements the ports of `domain` with Amazon Cognito, CloudWatch Logs, DynamoDB, IAM, Lambda, S3, Step Functions, STS
//! and the SSM parameter store.
//! `classify.rs` maps AWS's errors.
//!
//! **Architecture invariant:** only this crate depends on `aws-sdk-*`, and it contains no business rules.

mod access_token;
mod app_client;
mod attempts;
mod authenticator;
mod classify;
mod clients;
mod clock;
mod directory;
mod failure;
mod groups;
mod http_client;
mod http_requests;
mod identities;
#[cfg(any(test, feature = "import-jobs"))]
mod import_jobs;
mod invitation_key;
#[cfg(feature = "jobs")]
mod jobs;
mod old_user_pool;
mod platform;
mod pool_settings;
#[cfg(feature = "profile")]
mod profile;
mod quotas;
mod revocation_table;
mod secret_hash;
mod secret_parameter;
mod self_service;
mod sessions;
mod sign_in_security;
mod token_keys;
mod users;

pub use app_client::CognitoAppClient;
pub use attempts::{Attempt, AttemptObserver};
pub use authenticator::authenticator_code;
pub use clients::Aws;
pub use clock::SystemClock;
pub use directory::CognitoDirectory;
pub use http_requests::{HttpRequestError, HttpRequests};
#[cfg(any(test, feature = "import-jobs"))]
pub use import_jobs::CognitoImportJobs;
pub use invitation_key::SsmInvitationKey;
#[cfg(feature = "jobs")]
pub use jobs::{JobBucket, JobStateMachine};
pub use old_user_pool::OldUserPool;
pub use platform::{AwsPlatform, SsmInvitationKeys};
#[cfg(feature = "profile")]
pub use profile::ProfileError;
pub use revocation_table::RevocationTable;
pub use secret_parameter::SecretParameter;
pub use token_keys::TokenKeys;

#[cfg(test)]
mod tests;
