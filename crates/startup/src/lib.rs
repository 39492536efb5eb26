//! What every function does first: start its logs, read its settings, and say clearly when it cannot go on.
//!
//! A `main.rs` is a list of what it wires together, and nothing else:
//!
//! ```no_run
//! # use std::process::ExitCode;
//! # struct Settings;
//! # impl Settings {
//! #     fn read(_: impl Fn(&str) -> Option<String>) -> Result<Self, startup::SettingError> { Ok(Self) }
//! # }
//! # async fn serve(_: Settings) -> Result<(), startup::Failure> { Ok(()) }
//! # async fn program() -> ExitCode {
//! startup::run(async {
//!     let settings = Settings::read(startup::environment())?;
//!     serve(settings).await
//! })
//! .await
//! # }
//! ```
//!
//! **Architecture invariant:** this is the only crate of the functions that reads the process environment. Everybody else is
//! handed a lookup, so that tests need no process environment.

pub mod logging;

mod environment;
mod run;
mod settings;

pub use environment::environment;
pub use run::{Failure, causes, run};
pub use settings::{Problem, SettingError, optional, parsed, required};
