//! Why a command did not do what it should, and how that is told.

use std::error::Error;
use std::process::ExitCode;

use domain::user_pool::error::UserPoolError;
use testkit::local_aws::LocalAwsError;
use thiserror::Error;

/// Why a step, or the whole command, failed.
#[derive(Debug, Error)]
pub enum Failure {
    /// Something came back, but not what should.
    #[error("expected {expected}, got {got}")]
    Unexpected {
        /// What should have come back.
        expected: String,
        /// What did.
        got: String,
    },
    /// The local AWS, or a tool around it.
    #[error(transparent)]
    LocalAws(#[from] LocalAwsError),
    /// The deployed API could not be reached.
    #[error("the API gave no answer")]
    NoAnswer(#[source] reqwest::Error),
    /// A call to Cognito that should have worked.
    #[error("expected Cognito to do it, got an error")]
    Cognito(#[from] UserPoolError),
    /// A step failed, and functions had logged errors by then.
    #[error("{failure}\nThe functions have logged:\n{logged}{}", hint(logged))]
    Logged {
        /// How the step failed.
        failure: Box<Failure>,
        /// What was logged.
        logged: String,
    },
    /// AWS refused a call of the operator, in AWS's words.
    #[error("{0}")]
    Account(String),
    /// A file or folder of this machine.
    #[error("a file or folder cannot be used")]
    Files(#[from] std::io::Error),
    /// What the user gave us cannot be used.
    #[error("{0}")]
    Usage(String),
}

impl Failure {
    /// Something came back, but not what should. `got` must hold no secret.
    pub fn unexpected(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::Unexpected { expected: expected.into(), got: got.into() }
    }

    /// The failure and everything that caused it, a line each.
    #[must_use]
    pub fn with_causes(&self) -> String {
        let causes = std::iter::successors(self.source(), |&cause| cause.source());
        causes.fold(self.to_string(), |text, cause| format!("{text}\n  because: {cause}"))
    }
}

/// What to do about it, where that is known.
fn hint(logged: &str) -> &'static str {
    if logged.contains("is not authorized to perform") {
        "Add the permission to the function's role in template.yaml."
    } else {
        ""
    }
}

/// Tells how a command ended.
#[must_use]
pub fn exit_code(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nFailed: {}", failure.with_causes());
            ExitCode::FAILURE
        }
    }
}

/// The exit code of a program that was interrupted.
#[must_use]
pub fn interrupted() -> ExitCode {
    eprintln!("\nInterrupted. The local AWS is stopped.");
    ExitCode::from(130)
}
