//! Failures of steps and commands, and exit codes.

use std::error::Error;
use std::process::ExitCode;

use domain::transfer::Stop;
use domain::user_pool::error::UserPoolError;
use testkit::local_aws::LocalAwsError;
use thiserror::Error;

/// Why a step or a command failed.
#[derive(Debug, Error)]
pub enum Failure {
    /// The result differs from the expectation.
    #[error("expected {expected}, got {got}")]
    Unexpected {
        /// The expected result.
        expected: String,
        /// The actual result.
        got: String,
    },
    /// The emulator or a tool failed.
    #[error(transparent)]
    LocalAws(#[from] LocalAwsError),
    /// The deployed API did not respond.
    #[error("no response from the API")]
    NoAnswer(#[source] reqwest::Error),
    /// A call to Cognito failed.
    #[error("the call to Cognito failed")]
    Cognito(#[from] UserPoolError),
    /// An export or import stopped.
    #[error("the export or import stopped")]
    Transfer(#[from] Stop),
    /// A step failed, and functions logged errors.
    #[error("{failure}\nErrors that the functions logged:\n{logged}{}", hint(logged))]
    Logged {
        /// The step's failure.
        failure: Box<Failure>,
        /// The log lines.
        logged: String,
    },
    /// AWS rejected a call of the operator with this message.
    #[error("{0}")]
    Account(String),
    /// A file or directory is not accessible.
    #[error("cannot access a file or directory")]
    Files(#[from] std::io::Error),
    /// A run ended with these problems.
    #[error("{}", listed(.0))]
    Problems(Vec<String>),
    /// An argument is invalid.
    #[error("{0}")]
    Usage(String),
}

impl Failure {
    /// Creates [`Self::Unexpected`]. `got` must not contain a secret.
    pub fn unexpected(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::Unexpected { expected: expected.into(), got: got.into() }
    }

    /// The failure and its causes, one per line.
    #[must_use]
    pub fn with_causes(&self) -> String {
        let causes = std::iter::successors(self.source(), |&cause| cause.source());
        causes.fold(self.to_string(), |text, cause| format!("{text}\n  caused by: {cause}"))
    }
}

fn listed(problems: &[String]) -> String {
    let noun = if problems.len() == 1 { "problem" } else { "problems" };
    format!("{} {noun}:\n  {}", problems.len(), problems.join("\n  "))
}

/// How to fix a known error.
fn hint(logged: &str) -> &'static str {
    if logged.contains("is not authorized to perform") {
        "Add the permission to the function's role in template.yaml."
    } else {
        ""
    }
}

/// Prints a failure and returns the exit code.
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

/// Prints that the program was interrupted and returns the exit code.
#[must_use]
pub fn interrupted() -> ExitCode {
    eprintln!("\nInterrupted. The emulator is stopped.");
    ExitCode::from(130)
}
