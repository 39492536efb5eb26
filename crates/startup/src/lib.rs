//! Starts a function: its logs, its settings, and the error message if startup fails.
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
//! **Architecture invariant:** of the functions' crates, only this one reads the process environment. Other crates
//! receive a lookup function, so that tests need no process environment.

pub mod logging;

mod environment;
mod run;
mod settings;

pub use environment::environment;
pub use run::{Failure, causes, run};
pub use settings::{Problem, SettingError, optional, parsed, required};
