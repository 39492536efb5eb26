//! Rules, values, decisions and ports of Poolkeeper.
//!
//! **Architecture invariant:** nothing in here knows a runtime, a clock, the environment or an SDK. Time, randomness and
//! outside systems come in as arguments or through the traits (ports) that this crate declares: [`user_pool::UserPool`] and its
//! parts, [`sessions::Sessions`], [`self_service::SelfService`], [`platform::Platform`] and [`retry::Clock`].

pub mod error_chain;
pub mod invitation;
#[cfg(feature = "openapi")]
mod openapi;
pub mod passable_roles;
#[cfg(feature = "roles")]
pub mod permission;
pub mod platform;
pub mod policy_document;
pub mod provision;
pub mod retry;
#[cfg(feature = "roles")]
pub mod roles;
pub mod search;
pub mod secret;
pub mod sign_up;
pub mod spec;
pub mod user_pool;
