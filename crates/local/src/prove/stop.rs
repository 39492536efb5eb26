//! Why `make prove` did not prove everything, and its exit codes.

use std::process::ExitCode;

use testkit::local_aws::LocalAwsError;
use thiserror::Error;

use crate::failure::Failure;

/// Why the command did not end with success.
#[derive(Debug, Error)]
pub(crate) enum Stop {
    /// The question was not answered with yes.
    #[error("{0}")]
    Declined(&'static str),
    /// An option is wrong.
    #[error("{0}\nNothing was created.")]
    Usage(String),
    /// No credentials, or AWS does not accept them.
    #[error("{0}\nNothing was created.")]
    Access(String),
    /// A step failed, a statement was refuted, or something is left.
    #[error("{0}")]
    Failed(String),
    /// The operator interrupted the command.
    #[error("{0}")]
    Interrupted(String),
    /// The command could not begin, or its report could not be written.
    #[error("{}", .0.with_causes())]
    Broken(#[from] Failure),
}

impl Stop {
    /// The exit code, as `poolkeeper` has it.
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

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Failure::from(error).into()
    }
}

impl From<LocalAwsError> for Stop {
    fn from(error: LocalAwsError) -> Self {
        Failure::from(error).into()
    }
}
