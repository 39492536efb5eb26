//! The admin API: users and sign-in flows of one user pool over HTTP, behind API Gateway.
//!
//! | file | subject |
//! |---|---|
//! | `settings` | what the environment says |
//! | `gateway` | what API Gateway did to the request, and undoing it |
//! | `router` | the only way a route comes into being: with the access it asks for |
//! | `caller`, `permission`, `access` | who is calling, what their groups may, and whether they may do this |
//! | `json`, `attributes`, `password` | request bodies |
//! | `path`, `parameters` | parameters of paths and queries |
//! | `pages`, `cursor` | lists page by page |
//! | `progress` | how far several calls have come |
//! | `access_token`, `client_context` | whose own account it is, and where the request comes from |
//! | `error`, `problem` | what goes wrong, and how the caller is told |
//! | `audit` | the record of every write |
//! | `deadline` | ends a request before its function ends |
//! | `routes/` | one file per operation; the folder is the path |
//! | `openapi` | the OpenAPI document, from the annotations in `routes/` |
//!
//! To add an operation: one file in `routes/`, one line in each of the two tables of the file above it (what is served, what is
//! documented), one event in `events/admin-api/`, and `make openapi`.

mod access;
mod access_token;
mod app;
mod attributes;
mod audit;
mod caller;
mod client_context;
mod cursor;
mod deadline;
mod error;
mod gateway;
mod json;
#[cfg(test)]
mod model;
mod naming;
pub mod openapi;
mod pages;
mod parameters;
mod password;
mod path;
mod problem;
mod progress;
mod router;
mod routes;
mod settings;
#[cfg(test)]
mod testing;

pub use app::{App, Ports};
pub use domain::permission::Permission;
pub use domain::roles::{RoleError, Roles};
pub use router::{Lambda, Service, lambda, service};
pub use settings::{AdminMfa, Served, Settings};
