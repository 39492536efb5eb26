//! Groups of the pool. The routes of users change memberships.

pub(crate) mod create;
pub(crate) mod delete;
mod fields;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod update;
pub(crate) mod users;
mod view;
