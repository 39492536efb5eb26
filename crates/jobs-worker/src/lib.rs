//! The worker of jobs. A Step Functions state machine invokes it with one [`domain::jobs::Step`] after the other.
//!
//! **Architecture invariant:** the worker keeps no state between invocations. Each step can be repeated, also while an
//! earlier invocation of the same step still runs.

mod handler;
mod settings;

pub use handler::{Handler, StepError, serve};
pub use settings::Settings;
