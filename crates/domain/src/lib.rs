//! Poolkeeper's domain: value types, rules, decisions and ports.
//!
//! **Architecture invariant:** this crate does not depend on a runtime, the system clock, the environment or an SDK.
//! Time, randomness and external systems are arguments or traits (ports).

#[cfg(feature = "backup")]
pub mod backup;
pub mod doctor;
pub mod error_chain;
pub mod invitation;
#[cfg(feature = "jobs")]
pub mod jobs;
#[cfg(feature = "json")]
pub mod json;
pub mod migration;
#[cfg(feature = "openapi")]
mod openapi;
pub mod passable_roles;
#[cfg(feature = "roles")]
pub mod permission;
pub mod platform;
pub mod policy_document;
pub mod provision;
pub mod retry;
pub mod revocation;
#[cfg(feature = "roles")]
pub mod roles;
pub mod search;
pub mod secret;
pub mod sign_up;
pub mod spec;
#[cfg(feature = "transfer")]
pub mod transfer;
pub mod user_pool;
