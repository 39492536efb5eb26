//! Groups of the pool. Who is in them is changed at the users.

pub(crate) mod create;
pub(crate) mod delete;
mod fields;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod update;
pub(crate) mod users;
mod view;
