//! Field types that several request bodies share.

pub(crate) mod attributes;
pub(crate) mod creation_name;
pub(crate) mod password;
pub(crate) mod secret_types;
