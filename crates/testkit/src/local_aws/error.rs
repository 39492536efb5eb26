//! Errors of the emulators and of the tools that call them. Each message says what is wrong and what to do.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use thiserror::Error;

/// Why an emulator or a tool failed.
#[derive(Debug, Error)]
pub enum LocalAwsError {
    /// `make setup` has not been run.
    #[error("the tools are missing: {} does not exist. Run `make setup`.", .folder.display())]
    NoTools {
        /// The expected directory.
        folder: PathBuf,
    },
    /// `.venv` is incomplete.
    #[error(
        "{} is missing, or points to a Python that has been removed. Remove .venv and run `make setup`.",
        .program.display()
    )]
    ToolGone {
        /// What is missing.
        program: PathBuf,
    },
    /// `make cognito-local` has not been run.
    #[error("cognito-local is missing: {} does not exist. Run `make cognito-local`.", .script.display())]
    NoCognitoLocal {
        /// The expected file.
        script: PathBuf,
    },
    /// The functions have not been built.
    #[error("the functions are not built: {} does not exist. Run `{command}`.", .template.display())]
    NotBuilt {
        /// The command that builds it.
        command: &'static str,
        /// The expected file.
        template: PathBuf,
    },
    /// The directory for temporary files is not writable.
    #[error("cannot write to the directory for temporary files; set TMPDIR to a writable directory")]
    Folder(#[source] io::Error),
    /// The port is in use or privileged.
    #[error(
        "cannot use port {port} of 127.0.0.1. Choose another port:\n  \
         make demo ARGUMENTS=\"--port PORT\"\nWithout --port, a free port is used."
    )]
    PortTaken {
        /// The port.
        port: u16,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("cannot run {program}. Remove .venv and run `make setup`.")]
    CannotRun {
        /// The program.
        program: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The pipes or the exit status of a program failed.
    #[error("cannot communicate with {program}; try again")]
    Broken {
        /// The program.
        program: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A program timed out.
    #[error("{program} did not exit within {} s; try again", .limit.as_secs())]
    Endless {
        /// The program.
        program: String,
        /// The timeout.
        limit: Duration,
    },
    /// A server exited before its first response.
    #[error("{name} did not start ({status}). Last log lines:\n{log}")]
    DiedAtStart {
        /// The name of the server.
        name: &'static str,
        /// The exit status.
        status: ExitStatus,
        /// The last lines of its log.
        log: String,
    },
    /// A server runs but does not respond.
    #[error("{name} did not respond within {} s. Last log lines:\n{log}", .limit.as_secs())]
    NeverHealthy {
        /// The name of the server.
        name: &'static str,
        /// The timeout.
        limit: Duration,
        /// The last lines of its log.
        log: String,
    },
    /// A server exited unexpectedly.
    #[error("{name} stopped unexpectedly ({status}); start again. Last log lines:\n{log}")]
    Stopped {
        /// The name of the server.
        name: &'static str,
        /// The exit status.
        status: ExitStatus,
        /// The last lines of its log.
        log: String,
    },
    /// A response is missing or malformed.
    #[error("no valid response from the emulator")]
    NoAnswer(#[source] reqwest::Error),
    /// A response or output is not in the expected form.
    #[error("unexpected response from the emulator or a tool: {0}")]
    Unreadable(String),
    /// `sam deploy` failed.
    #[error("the deployment failed; fix template.yaml or the deployed code, and try again:\n{0}")]
    DeploymentFailed(String),
    /// A function returned an error.
    #[error("the function failed: {0}")]
    FunctionFailed(String),
}
