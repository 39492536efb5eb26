//! The admin API: users, groups and sign-in flows of one user pool over HTTP, behind API Gateway.
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

pub use app::{App, JobPorts, Ports};
pub use domain::permission::Permission;
pub use domain::roles::{RoleError, Roles};
pub use service::{Lambda, Service, lambda, service};
pub use settings::{AdminMfa, Served, Settings};
