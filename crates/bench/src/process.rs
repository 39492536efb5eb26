//! One process of a measured program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use serde_json::Value;
use tokio::process::Command;

use crate::cognito::certificates::Certificates;
use crate::cognito::users::Users;
use crate::cognito::{Cognito, Endpoint};
use crate::error::BenchError;
use crate::instance::Instance;
use crate::machine;
use crate::subject::{ENVIRONMENT, Job, Kind, Program};

/// The services and tools that processes need.
pub(crate) struct Bench {
    /// The AWS endpoint.
    pub(crate) cognito: Cognito,
    /// The certificates of the AWS endpoint.
    pub(crate) certificates: Certificates,
    /// The executable of Node.js, if it is installed.
    pub(crate) node: Option<PathBuf>,
    /// The executable of valgrind, if it is installed.
    pub(crate) valgrind: Option<PathBuf>,
}

impl Bench {
    /// Starts the AWS endpoint and finds the tools. `users` replaces the 60 users that `ListUsers` otherwise returns.
    pub(crate) async fn start(users: Option<Arc<Users>>) -> Result<Self, BenchError> {
        let certificates = Certificates::create()?;
        let cognito = Cognito::start(&certificates, users).await?;
        Ok(Self { cognito, certificates, node: machine::node(), valgrind: machine::valgrind() })
    }
}

/// A running function with the event that it receives.
pub(crate) struct Process<'a> {
    job: &'a Job,
    instance: Instance,
    /// The time from the start of the process to its first request for an event.
    pub(crate) start: Duration,
}

impl<'a> Process<'a> {
    /// Starts a function, or a `wrapper` command with the function as its last argument, and waits until it asks for
    /// its first event.
    pub(crate) async fn start(
        bench: &Bench,
        program: &Program,
        job: &'a Job,
        wrapper: &[&OsStr],
    ) -> Result<Self, BenchError> {
        let node = match program.kind {
            Kind::Node(_) => Some(bench.node.as_deref().ok_or(BenchError::NoNode)?.as_os_str()),
            Kind::Native(_) | Kind::Command(_) => None,
        };
        let mut words = wrapper.iter().copied().chain(node).chain([program.file.as_os_str()]);
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).env_clear().envs(ENVIRONMENT).envs(program.settings.iter().copied());
        command.env("AWS_ENDPOINT_URL", bench.cognito.url(program.endpoint));
        if program.endpoint == Endpoint::Https {
            for variable in ["SSL_CERT_FILE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
                command.env(variable, bench.certificates.authority());
            }
        }
        let (instance, start) = Instance::start(program.name, command).await?;
        Ok(Self { job, instance, start })
    }

    /// Delivers the event, and returns the time until the response. Afterwards the process waits for the next event.
    pub(crate) async fn invoke(&mut self) -> Result<Duration, BenchError> {
        let (_, elapsed) = self.invoke_with(self.job.event.clone()).await?;
        Ok(elapsed)
    }

    /// Delivers another event than that of the job, and returns the response and the time until the response.
    pub(crate) async fn invoke_with(&mut self, event: Bytes) -> Result<(Value, Duration), BenchError> {
        let (body, elapsed) = self.instance.invoke(event).await?;
        let response = serde_json::from_slice(&body).unwrap_or_default();
        if !(self.job.expected)(&response) {
            let body = String::from_utf8_lossy(&body);
            return Err(self.instance.failure(format!("unexpected response: {body}")));
        }
        Ok((response, elapsed))
    }

    /// A size of the process in kilobytes: `VmRSS` is the resident size, and `VmHWM` its highest value so far.
    pub(crate) fn memory_kb(&self, name: &str) -> Result<u64, BenchError> {
        self.instance.memory_kb(name)
    }

    /// Ends the process with SIGTERM.
    pub(crate) async fn end(self) -> Result<(), BenchError> {
        self.instance.end().await
    }
}

/// Runs a command that ends by itself, and returns its duration.
pub(crate) fn run(file: &Path, argument: &str) -> Result<Duration, BenchError> {
    let mut command = std::process::Command::new(file);
    command.arg(argument).env_clear().stdin(Stdio::null()).stdout(Stdio::null());
    let started = Instant::now();
    let status = command.status().map_err(BenchError::io(format!("start {}", file.display())))?;
    let elapsed = started.elapsed();
    if status.success() {
        return Ok(elapsed);
    }
    let program = file.display().to_string();
    Err(BenchError::Program { program, problem: format!("it ended with {status}"), log: String::new() })
}
