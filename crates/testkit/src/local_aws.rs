//! A local AWS for one run: started on a free port, deployed to, and gone without a trace afterwards.
//!
//! It is `ministack` from `.venv` (see `make setup`), a process that plays Cognito, IAM, Lambda, API Gateway, CloudFormation and
//! what else the template needs. It always checks signatures and IAM rights, listens on the loopback interface only, and keeps all
//! that it writes in one temporary folder. No setting, profile or credential of the user reaches it or the tools that talk to it, so
//! that nothing here can ever touch a real account.
//!
//! What a green run on it does not prove stands in `docs/ARCHITECTURE.md`.

mod environment;
mod error;
mod mail;
pub(crate) mod process;
mod recording;
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

/// How long a tool may take; a deployment takes seconds.
const TOOL_LIMIT: Duration = Duration::from_mins(5);

/// How long one answer of the local AWS may take.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// How often to look whether something has happened that nobody announces.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// A running local AWS. Stops when it is dropped, and when this process ends in any way.
pub struct LocalAws {
    process: Process,
    environment: Environment,
    tools: Tools,
    http: reqwest::Client,
}

impl LocalAws {
    /// The region that everything is in.
    pub const REGION: &str = "us-east-1";
    /// The access key of the account's owner. Not a secret: it opens nothing but this process.
    pub const ACCESS_KEY: &str = "test";
    /// Goes with [`Self::ACCESS_KEY`].
    pub const SECRET_KEY: &str = "test";

    /// Starts one on `port`, or on a free port, and waits until it answers.
    ///
    /// # Errors
    /// Where `make setup` has not been run, the port is taken, or the process does not come up; the text says what to do.
    pub async fn start(port: Option<u16>) -> Result<Self, LocalAwsError> {
        let tools = Tools::find()?;
        if let Some(port) = port {
            return Self::start_on(port, tools, None).await;
        }
        process::on_a_free_port(async |port| Self::start_on(port, tools.clone(), None).await).await
    }

    /// Starts one on a free port that records the calls it receives.
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
            name: "the local AWS",
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

    /// Where all its services are, e.g. `http://127.0.0.1:40123`.
    #[must_use]
    pub fn endpoint_url(&self) -> &str {
        &self.environment.endpoint_url
    }

    /// Where an HTTP API is, without the slash before its routes.
    #[must_use]
    pub fn api_url(&self, api_id: &str) -> String {
        format!("{}/_aws/execute-api/{api_id}", self.endpoint_url())
    }

    /// Whether it is still there.
    ///
    /// # Errors
    /// [`LocalAwsError::Stopped`] with the exit status and the last lines of its log, where it is not.
    pub fn check_running(&self) -> Result<(), LocalAwsError> {
        self.process.check_running()
    }

    /// Sends an operation of Cognito that needs no signature, as a front end does.
    ///
    /// # Errors
    /// Where it has stopped or answers nonsense. An answer that refuses is an answer.
    pub async fn call_cognito(&self, operation: &str, body: &Value) -> Result<Answer, LocalAwsError> {
        self.check_running()?;
        front_end::call(&self.http, self.endpoint_url(), operation, body).await
    }

    /// Every mail that it "sent", oldest first.
    ///
    /// # Errors
    /// Where it has stopped or answers nonsense.
    pub async fn mails(&self) -> Result<Vec<Mail>, LocalAwsError> {
        self.check_running()?;
        let url = format!("{}/_ministack/ses/messages", self.endpoint_url());
        let answer = self.http.get(url).send().await.map_err(LocalAwsError::NoAnswer)?;
        mail::read(&answer.bytes().await.map_err(LocalAwsError::NoAnswer)?)
    }

    /// Waits for the local AWS to stop, which it should never do by itself.
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

    /// Gives the output, or the error that the program, or the death of the local AWS, was.
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
