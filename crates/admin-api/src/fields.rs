//! Field types of requests.

pub(crate) mod attributes;
pub(crate) mod text;
