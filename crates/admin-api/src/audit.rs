//! Audit records, and the completed steps of requests that make several calls.

pub(crate) mod record;
pub(crate) mod steps;
