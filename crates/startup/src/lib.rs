//! Starts a function: its logs, its settings, and the error message if startup fails.
//!
//! **Architecture invariant:** of the functions' crates, only this one reads the process environment. Other crates
//! receive a lookup function, so that tests need no process environment.

pub mod logging;
pub mod metrics;

mod environment;
mod run;
mod settings;

pub use environment::environment;
pub use run::{Failure, causes, run};
pub use settings::{Problem, SettingError, optional, parsed, required};
