//! Groups of the pool. The routes of users change memberships.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
mod precedence;
pub(crate) mod update;
pub(crate) mod users;
mod view;
