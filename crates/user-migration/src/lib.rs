//! The `UserMigration` trigger. Cognito invokes it if a user without an account signs in with a password, or requests a new
//! password. [`domain::migration`] decides whether the user moves from the old directory.
//!
//! **Architecture invariant:** the trigger calls only the old directory, changes nothing there, and logs neither names nor
//! attributes. Without an answer of the old directory, it fails.

mod endpoint;
mod event;
mod failure;
mod handler;
mod settings;
mod webhook;

pub use endpoint::Endpoint;
pub use failure::Failure;
pub use handler::{Migrator, serve};
pub use settings::{Settings, Source};
