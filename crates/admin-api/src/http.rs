//! Requests from API Gateway, parameters and bodies, and error responses.

pub(crate) mod client_context;
pub(crate) mod cursor;
pub(crate) mod deadline;
pub(crate) mod error;
pub(crate) mod gateway;
pub(crate) mod idempotency_key;
pub(crate) mod json;
pub(crate) mod pages;
pub(crate) mod path;
pub(crate) mod problem;
pub(crate) mod query;
