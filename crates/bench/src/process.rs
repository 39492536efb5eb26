//! One process of a function on its own Runtime API.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::NamedTempFile;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use crate::cognito::certificates::Certificates;
use crate::cognito::{Cognito, Endpoint};
use crate::error::BenchError;
use crate::runtime_api::{Arrival, RuntimeApi, TIME_LIMIT};
use crate::subject::{ENVIRONMENT, Job, Kind, Program};

/// The services and tools that processes need.
pub(crate) struct Bench {
    /// The AWS endpoint.
    pub(crate) cognito: Cognito,
    /// The certificates of the AWS endpoint.
    pub(crate) certificates: Certificates,
    /// The executable of Node.js.
    pub(crate) node: PathBuf,
    /// The executable of valgrind, if it is installed.
    pub(crate) valgrind: Option<PathBuf>,
}

/// A running process.
pub(crate) struct Process<'a> {
    program: &'a Program,
    job: &'a Job,
    child: Child,
    api: RuntimeApi,
    /// Delivers the next event, for which the process waits.
    delivery: oneshot::Sender<Bytes>,
    /// Output and errors of the process.
    log: NamedTempFile,
    /// The time from the start of the process to its first request for an event.
    pub(crate) start: Duration,
}

impl<'a> Process<'a> {
    /// Starts a function, or a `wrapper` command with the function as its last argument, and waits until it asks for its
    /// first event.
    pub(crate) async fn start(
        bench: &Bench,
        program: &'a Program,
        job: &'a Job,
        wrapper: &[&OsStr],
    ) -> Result<Self, BenchError> {
        let api = RuntimeApi::start().await?;
        let log = NamedTempFile::new().map_err(BenchError::io("create a log file"))?;
        let mut words = wrapper.iter().copied().chain(match program.kind {
            Kind::Node(_) => vec![bench.node.as_os_str(), program.file.as_os_str()],
            Kind::Native(_) | Kind::Command(_) => vec![program.file.as_os_str()],
        });
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).env_clear().envs(ENVIRONMENT).envs(program.settings.iter().copied());
        command
            .env("AWS_LAMBDA_RUNTIME_API", api.address())
            .env("AWS_ENDPOINT_URL", bench.cognito.url(program.endpoint));
        if program.endpoint == Endpoint::Https {
            for variable in ["SSL_CERT_FILE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
                command.env(variable, bench.certificates.authority());
            }
        }
        let output = || log.reopen().map(Stdio::from).map_err(BenchError::io("open a log file"));
        command.stdin(Stdio::null()).stdout(output()?).stderr(output()?).kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().map_err(BenchError::io(format!("start {}", program.file.display())))?;
        let delivery = oneshot::channel().0;
        let mut process = Self { program, job, child, api, delivery, log, start: Duration::ZERO };
        process.start = process.next_request().await?.duration_since(started);
        Ok(process)
    }

    /// Delivers the event, and returns the time until the response. Afterwards the process waits for the next event.
    pub(crate) async fn invoke(&mut self) -> Result<Duration, BenchError> {
        let delivery = std::mem::replace(&mut self.delivery, oneshot::channel().0);
        // Fails if the process has ended, which the next line reports.
        let _: Result<(), Bytes> = delivery.send(self.job.event.clone());
        let (body, elapsed) = match self.arrival().await? {
            Arrival::Response { body, elapsed } => (body, elapsed),
            Arrival::Next { .. } => return Err(self.failure("it asked for a second event before its response")),
            Arrival::Error(error) => return Err(self.failure(String::from_utf8_lossy(&error))),
        };
        let response = serde_json::from_slice(&body).unwrap_or_default();
        if !(self.job.expected)(&response) {
            return Err(self.failure(format!("unexpected response: {}", String::from_utf8_lossy(&body))));
        }
        self.next_request().await?;
        Ok(elapsed)
    }

    /// A size of the process in kilobytes: `VmRSS` is the resident size, and `VmHWM` its highest value so far.
    pub(crate) fn memory_kb(&self, name: &str) -> Result<u64, BenchError> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap_or_default()));
        let status = status.map_err(BenchError::io("read the memory of a process"))?;
        let size = |line: &str| line.strip_prefix(name)?.strip_prefix(':')?.trim().strip_suffix(" kB")?.parse().ok();
        status.lines().find_map(size).ok_or_else(|| self.failure(format!("its status has no {name}")))
    }

    /// Ends the process with SIGTERM.
    pub(crate) async fn end(mut self) -> Result<(), BenchError> {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        if let Some(pid) = pid {
            // The process can have ended.
            let _: rustix::io::Result<()> = kill_process(pid, Signal::TERM);
        }
        self.child.wait().await.map(drop).map_err(BenchError::io(format!("end {}", self.program.name)))
    }

    async fn next_request(&mut self) -> Result<Instant, BenchError> {
        match self.arrival().await? {
            Arrival::Next { at, event } => {
                self.delivery = event;
                Ok(at)
            }
            Arrival::Response { .. } => Err(self.failure("it responded without an event")),
            Arrival::Error(error) => Err(self.failure(String::from_utf8_lossy(&error))),
        }
    }

    async fn arrival(&mut self) -> Result<Arrival, BenchError> {
        let arrived = tokio::select! {
            // The requests of a process that has ended come first.
            biased;
            arrival = self.api.arrival() => Ok(arrival),
            status = self.child.wait() => Err(status),
            () = tokio::time::sleep(TIME_LIMIT) => Ok(None),
        };
        match arrived {
            Ok(Some(arrival)) => Ok(arrival),
            Ok(None) => Err(self.failure(format!("no request within {} s", TIME_LIMIT.as_secs()))),
            Err(Ok(status)) => Err(self.failure(format!("it ended with {status}"))),
            Err(Err(error)) => Err(self.failure(error)),
        }
    }

    fn failure(&self, problem: impl std::fmt::Display) -> BenchError {
        let log = fs::read_to_string(self.log.path()).unwrap_or_default();
        BenchError::Program { program: self.program.name.to_owned(), problem: problem.to_string(), log }
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
