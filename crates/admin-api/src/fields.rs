//! Field types of requests.

pub(crate) mod attributes;
pub(crate) mod creation_name;
pub(crate) mod text;
