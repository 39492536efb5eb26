//! The groups that a user is in.

pub(super) mod add;
pub(super) mod list;
pub(super) mod remove;
