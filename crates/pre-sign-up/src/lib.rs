//! The `PreSignUp` trigger: Cognito sends an event on every sign-up, and gets it back with the response flags decided.
//!
//! What is decided stands in [`domain::sign_up`]; here is how the event is read and sent back ([`event`]), what the person
//! signing up is told when it fails ([`failure`]), and the service that does both ([`handler`]).
//!
//! **Architecture invariant:** no AWS SDK and no network beside Lambda's runtime API. The answer depends on the event and the
//! settings alone, so it is the same when Cognito asks up to three times for one sign-up.

pub mod event;
pub mod failure;
pub mod handler;
pub mod settings;

mod raw_object;

pub use handler::serve;
