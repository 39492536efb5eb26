//! The groups that a user is in.

pub(crate) mod add;
pub(crate) mod list;
pub(crate) mod remove;
