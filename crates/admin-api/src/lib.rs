//! The admin API: users and sign-in flows of one user pool over HTTP, behind API Gateway.
//!
//! | file | subject |
//! |---|---|
//! | `settings` | what the environment says |
//! | `gateway` | what API Gateway did to the request, and undoing it |
//! | `router` | the only way a route comes into being: with the access it asks for |
//! | `caller`, `permission`, `access` | who is calling, what their groups may, and whether they may do this |
//! | `json`, `attributes` | request bodies |
//! | `error`, `problem` | what goes wrong, and how the caller is told |
//! | `audit` | the record of every write |
//! | `deadline` | ends a request before its function ends |
//! | `routes/` | one file per operation; the folder is the path |
//!
//! To add an operation: one file in `routes/`, one line in the table of the file above it, one event in `events/admin-api/`.

mod access;
mod app;
mod attributes;
mod audit;
mod caller;
mod deadline;
mod error;
mod gateway;
mod json;
mod permission;
mod problem;
mod router;
mod routes;
mod settings;
#[cfg(test)]
mod testing;

pub use app::App;
pub use permission::{Permission, RoleError, Roles};
pub use router::{Service, service};
pub use settings::{Served, Settings};
