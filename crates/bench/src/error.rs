//! The errors of a run.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// The reason why a run failed. Each one invalidates the whole run.
#[derive(Debug, Error)]
pub(crate) enum BenchError {
    #[error("{} does not exist; run `make bench`, `make guard` or `make load`, which build it", .0.display())]
    NotBuilt(PathBuf),
    #[error("no row matches `{0}`; the rows are: {1}")]
    UnknownRow(String, String),
    #[error("Node.js is not installed; expected `node` in PATH")]
    NoNode,
    #[error("cannot {action}: {source}")]
    Io { action: String, source: io::Error },
    #[error("the certificates cannot be created: {0}")]
    Certificate(String),
    #[error("the {walk} of {users} users failed: {problem}")]
    Walk { walk: &'static str, users: usize, problem: String },
    #[error("{}: {problem}; `make bench` writes a complete record", .file.display())]
    Record { file: PathBuf, problem: String },
    #[error("values exceed the record:\n{0}\nIf the change is intended, run `make bench` and commit the new record")]
    Exceeded(String),
    #[error("the event {0} is not as expected")]
    Event(&'static str),
    #[error("the load failed:\n{0}")]
    Load(String),
    #[error("{program} failed: {problem}\n{log}")]
    Program { program: String, problem: String, log: String },
}

impl BenchError {
    /// Converts an I/O error. `action` completes "cannot …".
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}
