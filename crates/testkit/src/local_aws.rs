//! The emulator `ministack` from `.venv`, started for one run on a free loopback port. `docs/ARCHITECTURE.md` lists
//! what it does not emulate.

mod environment;
mod error;
mod mail;
pub(crate) mod process;
mod recording;
mod revocation_table;
mod stack;
mod tooling;
mod tools;

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use crate::front_end::{self, Answer};

pub use error::LocalAwsError;
pub use mail::Mail;
pub use recording::Recording;
pub use stack::{Invoked, Stack};
pub use tooling::{Output, Tooling, output_of};
pub use tools::{Tools, host_architecture};

use environment::Environment;
use process::{Process, Server};

/// The timeout of a tool; a deployment takes seconds.
const TOOL_LIMIT: Duration = Duration::from_mins(5);

/// The timeout of a request to the emulator.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// The polling interval.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// A running emulator. It checks signatures and IAM permissions, and writes into one temporary directory. It stops when
/// it is dropped or when this process ends.
///
/// The emulator and its tools receive no setting, profile or credential of the user, so that no run can change a real
/// account.
pub struct LocalAws {
    process: Process,
    environment: Environment,
    tools: Tools,
    http: reqwest::Client,
}

impl LocalAws {
    /// The region.
    pub const REGION: &str = "us-east-1";
    /// The access key of the account's root user, valid only on this emulator.
    pub const ACCESS_KEY: &str = "test";
    /// The secret key of [`Self::ACCESS_KEY`].
    pub const SECRET_KEY: &str = "test";

    /// Starts the emulator on `port`, or on a free port, and waits until it responds.
    ///
    /// # Errors
    /// Returns an error if `make setup` was not run, the port is in use, or the process does not start.
    pub async fn start(port: Option<u16>) -> Result<Self, LocalAwsError> {
        let tools = Tools::find()?;
        if let Some(port) = port {
            return Self::start_on(port, tools, None).await;
        }
        process::on_a_free_port(async |port| Self::start_on(port, tools.clone(), None).await).await
    }

    /// Starts the emulator on a free port and records the calls that it receives.
    ///
    /// # Errors
    /// As [`Self::start`], or if the target directory is not writable.
    pub async fn start_recorded(recording: Recording) -> Result<Self, LocalAwsError> {
        let tools = Tools::find()?;
        process::on_a_free_port(async |port| Self::start_on(port, tools.clone(), Some(recording)).await).await
    }

    async fn start_on(port: u16, tools: Tools, recording: Option<Recording>) -> Result<Self, LocalAwsError> {
        process::check_port(port)?;
        let folder = tempfile::Builder::new().prefix("poolkeeper-").tempdir().map_err(LocalAwsError::Folder)?;
        let environment = Environment::new(port, folder.path(), &tools)?;
        let server = Server {
            name: "ministack",
            program: "python",
            arguments: match recording {
                Some(recording) => recording.arguments(&tools, port)?,
                None => ["-m", "ministack"].map(Into::into).into(),
            },
            environment: environment.of_local_aws(),
        };
        let process = Process::start(&tools, server, folder)?;
        let http =
            reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT).build().map_err(LocalAwsError::NoAnswer)?;
        let aws = Self { process, environment, tools, http };
        aws.process.wait_until_healthy(&aws.http, &format!("{}/_ministack/health", aws.endpoint_url())).await?;
        Ok(aws)
    }

    /// The endpoint of all services, e.g. `http://127.0.0.1:40123`.
    #[must_use]
    pub fn endpoint_url(&self) -> &str {
        &self.environment.endpoint_url
    }

    /// The URL of an HTTP API, without a trailing slash.
    #[must_use]
    pub fn api_url(&self, api_id: &str) -> String {
        format!("{}/_aws/execute-api/{api_id}", self.endpoint_url())
    }

    /// Checks whether the emulator is running.
    ///
    /// # Errors
    /// Returns [`LocalAwsError::Stopped`] with the exit status and the last log lines if it is not.
    pub fn check_running(&self) -> Result<(), LocalAwsError> {
        self.process.check_running()
    }

    /// Calls a Cognito operation without a signature, as a front end does.
    ///
    /// # Errors
    /// Returns an error if the response is missing or malformed. An error status is a response.
    pub async fn call_cognito(&self, operation: &str, body: &Value) -> Result<Answer, LocalAwsError> {
        self.check_running()?;
        front_end::call(&self.http, self.endpoint_url(), operation, body).await
    }

    /// Every mail that the emulator stored instead of sending it, oldest first.
    ///
    /// # Errors
    /// Returns an error if the response is missing or malformed.
    pub async fn mails(&self) -> Result<Vec<Mail>, LocalAwsError> {
        self.check_running()?;
        let url = format!("{}/_ministack/ses/messages", self.endpoint_url());
        let answer = self.http.get(url).send().await.map_err(LocalAwsError::NoAnswer)?;
        mail::read(&answer.bytes().await.map_err(LocalAwsError::NoAnswer)?)
    }

    /// Waits until the emulator stops, which is always an error.
    pub async fn stopped(&self) -> LocalAwsError {
        loop {
            match self.check_running() {
                Ok(()) => sleep(LOOK_AGAIN_AFTER).await,
                Err(stopped) => return stopped,
            }
        }
    }
}

impl Tooling for LocalAws {
    fn region(&self) -> &str {
        Self::REGION
    }

    /// Returns the output, or the error of the program or of the emulator.
    async fn run(&self, program: &str, arguments: &[&str], input: Option<&str>) -> Result<Output, LocalAwsError> {
        let mut command = self.tools.command(program)?;
        command.args(arguments).current_dir(self.process.folder()).env_clear().envs(self.environment.of_tools());
        tokio::select! {
            output = output_of(command, program, input) => {
                let output = output?;
                self.check_running()?;
                Ok(output)
            }
            stopped = self.stopped() => Err(stopped),
            () = sleep(TOOL_LIMIT) => Err(LocalAwsError::Endless { program: program.to_owned(), limit: TOOL_LIMIT }),
        }
    }
}

#[cfg(test)]
mod tests;
