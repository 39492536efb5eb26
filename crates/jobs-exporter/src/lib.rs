//! The worker of exports and backups. A Step Functions state machine invokes it with one [`domain::jobs::ExportStep`]
//! after the other.
//!
//! **Architecture invariant:** the worker keeps no state between invocations, and changes nothing but files of jobs. Each
//! step can be repeated.

mod archive;
mod handler;
mod settings;

pub use handler::{Handler, StepError, serve};
pub use settings::Settings;
