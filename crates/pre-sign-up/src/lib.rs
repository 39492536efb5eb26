//! The `PreSignUp` trigger: Cognito invokes it on every sign-up, and it returns the event with the response flags set
//! or an error. The decision is in [`domain::sign_up`].
//!
//! **Architecture invariant:** no AWS SDK, and no network access except Lambda's runtime API. The response depends only
//! on the event, the settings and the time, because Cognito can invoke the trigger more than once for one sign-up.

pub mod event;
pub mod failure;
pub mod handler;
pub mod settings;

mod raw_object;

pub use handler::serve;
