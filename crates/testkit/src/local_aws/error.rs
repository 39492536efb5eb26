//! What can go wrong around the local AWS, and a server beside it. Each text says what is wrong and what to do.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use thiserror::Error;

/// Why the local AWS, a server beside it, or a tool that talks to it, did not do what was asked.
#[derive(Debug, Error)]
pub enum LocalAwsError {
    /// `make setup` has not been run.
    #[error("the tools are missing: there is no {}. Run `make setup`.", .folder.display())]
    NoTools {
        /// Where they should be.
        folder: PathBuf,
    },
    /// `.venv` is there, but not whole.
    #[error(
        "{} is missing, or points to a Python that has been removed. Remove .venv and run `make setup`.",
        .program.display()
    )]
    ToolGone {
        /// What is missing.
        program: PathBuf,
    },
    /// `make cognito-local` has not been run.
    #[error("cognito-local is missing: there is no {}. Run `make cognito-local`.", .script.display())]
    NoCognitoLocal {
        /// What should be there.
        script: PathBuf,
    },
    /// The functions have not been built.
    #[error("the functions are not built: there is no {}. Run `{command}`.", .template.display())]
    NotBuilt {
        /// What builds it.
        command: &'static str,
        /// What should be there.
        template: PathBuf,
    },
    /// No temporary folder, or no file in it.
    #[error("cannot write to the folder for temporary files. Set TMPDIR to a folder that can be written to.")]
    Folder(#[source] io::Error),
    /// The port is in use.
    #[error(
        "port {port} of 127.0.0.1 cannot be used. Name another one, as in\n  \
         make demo ARGUMENTS=\"--port PORT\"\nor none, to have a free one taken."
    )]
    PortTaken {
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("cannot run {program}. Remove .venv and run `make setup`.")]
    CannotRun {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program did not take its input, or its end could not be waited for.
    #[error("{program} could not be talked to; try again")]
    Broken {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program went on for too long.
    #[error("{program} did not end within {} s; something hangs, try again", .limit.as_secs())]
    Endless {
        /// The program.
        program: String,
        /// How long it was given.
        limit: Duration,
    },
    /// It ended before it ever answered.
    #[error("{name} did not start ({status}). Its last words:\n{log}")]
    DiedAtStart {
        /// What was started.
        name: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The last lines of its log.
        log: String,
    },
    /// It runs and does not answer.
    #[error("{name} did not answer within {} s. Its last words:\n{log}", .limit.as_secs())]
    NeverHealthy {
        /// What was started.
        name: &'static str,
        /// How long it was given.
        limit: Duration,
        /// The last lines of its log.
        log: String,
    },
    /// It ended while it was needed.
    #[error("{name} stopped in the middle ({status}). Start again. Its last words:\n{log}")]
    Stopped {
        /// What was started.
        name: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// The last lines of its log.
        log: String,
    },
    /// It answered nothing, or nonsense.
    #[error("the local AWS gave no usable answer")]
    NoAnswer(#[source] reqwest::Error),
    /// An answer that is not what its version is known to give.
    #[error("the local AWS or a tool answered something else than expected: {0}")]
    Unreadable(String),
    /// `sam deploy` failed.
    #[error("the deployment failed; mend template.yaml, or what it deploys, and try again:\n{0}")]
    DeploymentFailed(String),
    /// A function answered with an error.
    #[error("the function failed: {0}")]
    FunctionFailed(String),
}
