//! Group memberships of a user.

pub(crate) mod add;
pub(crate) mod list;
pub(crate) mod remove;
