//! The `PreSignUp` trigger, which Cognito invokes for every sign-up. [`domain::sign_up`] decides.
//!
//! **Architecture invariant:** no AWS SDK, and no network access except Lambda's runtime API. The response depends only
//! on the event, the settings and the time.

pub mod event;
pub mod failure;
pub mod handler;
pub mod settings;

mod raw_object;

pub use handler::serve;
