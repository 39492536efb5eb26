//! The errors and exit codes of `make prove`.

use std::process::ExitCode;

use testkit::local_aws::LocalAwsError;
use thiserror::Error;

use crate::failure::Failure;

/// Why the command failed.
#[derive(Debug, Error)]
pub(crate) enum ProveError {
    /// The operator did not confirm.
    #[error("{0}")]
    Declined(&'static str),
    /// An option is wrong.
    #[error("{0}\nNothing was created.")]
    Usage(String),
    /// There are no credentials, or AWS rejects them.
    #[error("{0}\nNothing was created.")]
    Access(String),
    /// A step failed, a statement was refuted, or something is left.
    #[error("{0}")]
    Failed(String),
    /// The operator interrupted the command.
    #[error("{0}")]
    Interrupted(String),
    /// The command could not start, or its report could not be written.
    #[error("{}", .0.with_causes())]
    Broken(#[from] Failure),
}

impl ProveError {
    /// The exit code. `poolkeeper` uses the same codes.
    #[must_use]
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Declined(_) | Self::Usage(_) => 2,
            Self::Access(_) => 4,
            Self::Interrupted(_) => 130,
            Self::Failed(_) | Self::Broken(_) => 1,
        })
    }
}

impl From<std::io::Error> for ProveError {
    fn from(error: std::io::Error) -> Self {
        Failure::from(error).into()
    }
}

impl From<LocalAwsError> for ProveError {
    fn from(error: LocalAwsError) -> Self {
        Failure::from(error).into()
    }
}
