//! Rules, values, decisions and ports of Poolkeeper.
//!
//! **Architecture invariant:** nothing in here knows a runtime, a clock, the environment or an SDK. Time, randomness and
//! outside systems come in as arguments or through the traits (ports) that this crate declares: [`directory::Directory`],
//! [`sessions::Sessions`], [`platform::Platform`] and [`retry::Clock`].

pub mod causes;
pub mod directory;
pub mod platform;
pub mod policy_document;
pub mod provision;
pub mod retry;
pub mod secret;
pub mod sessions;
pub mod sign_up;
pub mod spec;
pub mod user;
pub mod user_pool_error;
