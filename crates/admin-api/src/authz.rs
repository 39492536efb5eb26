//! Authorization: the caller, the access that a route requires, and the check before the handler.

pub(crate) mod access;
pub(crate) mod access_token;
pub(crate) mod caller;
pub(crate) mod gate;
#[cfg(test)]
mod model_tests;
mod revocations;
pub(crate) mod target_user;
