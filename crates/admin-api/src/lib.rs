//! The admin API: users, groups and sign-in flows of one user pool over HTTP, behind API Gateway.
//!
//! | module | subject |
//! |---|---|
//! | `settings` | the environment variables |
//! | `service` | the router with its middleware |
//! | `routes/` | one file per operation; the folder is the path |
//! | `http/` | requests from API Gateway, parameters and bodies, pages, errors and problem details |
//! | `authz/` | the caller, the required access, and the check before each handler |
//! | `audit/` | audit records, and the completed steps of a request |
//! | `fields/` | types of body fields that several operations share |
//! | `openapi` | the OpenAPI document, from the annotations in `routes/` |
//!
//! CONTRIBUTING.md lists the steps to add an operation.

mod app;
mod audit;
mod authz;
mod fields;
mod http;
pub mod openapi;
mod routes;
mod service;
mod settings;
#[cfg(test)]
mod testing;

pub use app::{App, Ports};
pub use domain::permission::Permission;
pub use domain::roles::{RoleError, Roles};
pub use service::{Lambda, Service, lambda, service};
pub use settings::{AdminMfa, Served, Settings};
