//! One process of a function on its own Runtime API, which serves one event at a time, as in Lambda.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::NamedTempFile;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use crate::error::BenchError;
use crate::runtime_api::{Arrival, RuntimeApi, TIME_LIMIT};

/// A running process. Dropping it kills the process.
pub(crate) struct Instance {
    name: &'static str,
    child: Child,
    api: RuntimeApi,
    /// Delivers the next event, for which the process waits.
    delivery: oneshot::Sender<Bytes>,
    /// Output and errors of the process.
    log: NamedTempFile,
}

impl Instance {
    /// Starts a command and waits until it asks for its first event. Returns the time until then as well.
    pub(crate) async fn start(name: &'static str, mut command: Command) -> Result<(Self, Duration), BenchError> {
        let api = RuntimeApi::start().await?;
        let log = NamedTempFile::new().map_err(BenchError::io("create a log file"))?;
        let output = || log.reopen().map(Stdio::from).map_err(BenchError::io("open a log file"));
        command.env("AWS_LAMBDA_RUNTIME_API", api.address());
        command.stdin(Stdio::null()).stdout(output()?).stderr(output()?).kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().map_err(BenchError::io(format!("start {name}")))?;
        let delivery = oneshot::channel().0;
        let mut instance = Self { name, child, api, delivery, log };
        let start = instance.next_request().await?.duration_since(started);
        Ok((instance, start))
    }

    /// Delivers an event, and returns the response and the time until it. Afterwards the process waits for the next
    /// event.
    pub(crate) async fn invoke(&mut self, event: Bytes) -> Result<(Bytes, Duration), BenchError> {
        let delivery = std::mem::replace(&mut self.delivery, oneshot::channel().0);
        // Fails if the process has ended, which the next line reports.
        let _: Result<(), Bytes> = delivery.send(event);
        let response = match self.arrival().await? {
            Arrival::Response { body, elapsed } => (body, elapsed),
            Arrival::Next { .. } => return Err(self.failure("it asked for a second event before its response")),
            Arrival::Error(error) => return Err(self.failure(String::from_utf8_lossy(&error))),
        };
        self.next_request().await?;
        Ok(response)
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
        self.child.wait().await.map(drop).map_err(BenchError::io(format!("end {}", self.name)))
    }

    /// An error with the log of the process.
    pub(crate) fn failure(&self, problem: impl std::fmt::Display) -> BenchError {
        let log = fs::read_to_string(self.log.path()).unwrap_or_default();
        BenchError::Program { program: self.name.to_owned(), problem: problem.to_string(), log }
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
}
