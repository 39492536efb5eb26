//! Tests of the verification with tokens in Cognito's format.
#![expect(clippy::unwrap_used, reason = "tests")]

mod forgeries;
mod key_cache;
mod key_sets;
mod policies;
mod pool;
