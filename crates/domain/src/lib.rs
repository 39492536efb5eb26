//! Rules, values, decisions and ports of Poolkeeper.
//!
//! **Architecture invariant:** nothing in here knows a runtime, a clock, the environment or an SDK. Time, randomness and
//! outside systems come in as arguments or through the traits (ports) that this crate declares: [`user_pool::UserPool`] and its
//! parts, [`sessions::Sessions`], [`self_service::SelfService`], [`platform::Platform`] and [`retry::Clock`].

pub mod causes;
pub mod cursor_key;
pub mod directory;
pub mod group;
pub mod identities;
pub mod invitation;
#[cfg(feature = "openapi")]
mod openapi;
pub mod passable_roles;
#[cfg(feature = "roles")]
pub mod permission;
pub mod platform;
pub mod policy_document;
pub mod pool_settings;
pub mod provision;
pub mod retry;
#[cfg(feature = "roles")]
pub mod roles;
pub mod search;
pub mod secret;
pub mod self_service;
pub mod sessions;
pub mod sign_in_security;
pub mod sign_up;
pub mod spec;
pub mod user;
pub mod user_pool;
pub mod user_pool_error;
pub mod write_attributes;
