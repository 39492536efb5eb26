//! A server for one run, started by a launcher that stops it when this process ends.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::LOOK_AGAIN_AFTER;
use super::environment::Variables;
use super::error::LocalAwsError;
use super::tools::Tools;

/// The timeout of a server's first response, which takes about a second on an idle machine.
const START_LIMIT: Duration = Duration::from_mins(1);

/// How many ports to try, because another program can take a free port before the server does.
const PORT_ATTEMPTS: u32 = 3;

/// The number of log lines in an error.
const SHOWN_LOG_LINES: usize = 15;

/// Stops the server and its children after a closed pipe, a signal, or the end of this process.
const LAUNCHER: &str = include_str!("launch.py");

/// The launcher with the server.
pub(crate) struct Process {
    name: &'static str,
    launcher: Mutex<Child>,
    folder: TempDir,
}

/// The server to start.
pub(crate) struct Server {
    /// The name in errors.
    pub(crate) name: &'static str,
    /// The program in `.venv`.
    pub(crate) program: &'static str,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Variables,
}

impl Process {
    /// Starts a server that writes only into this directory.
    pub(crate) fn start(tools: &Tools, server: Server, folder: TempDir) -> Result<Self, LocalAwsError> {
        let log = File::create(log_file(folder.path())).map_err(LocalAwsError::Folder)?;
        let launcher = Command::new(tools.program("python")?)
            .arg("-c")
            .arg(LAUNCHER)
            .arg(folder.path())
            .arg(tools.program(server.program)?)
            .args(server.arguments)
            .current_dir(folder.path())
            .env_clear()
            .envs(server.environment)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().map_err(LocalAwsError::Folder)?)
            .stderr(log)
            // The server is not in the terminal's foreground group, so that Ctrl-C reaches only this process, which
            // stops the server.
            .process_group(0)
            .spawn()
            .map_err(|source| LocalAwsError::CannotRun { program: "python".to_owned(), source })?;
        Ok(Self { name: server.name, launcher: Mutex::new(launcher), folder })
    }

    /// Waits until the server responds at `url`.
    pub(crate) async fn wait_until_healthy(&self, http: &reqwest::Client, url: &str) -> Result<(), LocalAwsError> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let answer = http.get(url).timeout(Duration::from_secs(2)).send().await;
            let name = self.name;
            // The exit status is checked first, because another program on the same port can respond if the server has
            // exited.
            if let Some(status) = self.exit_status() {
                return Err(LocalAwsError::DiedAtStart { name, status, log: self.last_log_lines() });
            }
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(LocalAwsError::NeverHealthy { name, limit: START_LIMIT, log: self.last_log_lines() });
            }
            sleep(LOOK_AGAIN_AFTER).await;
        }
    }

    /// Checks whether the server is running.
    pub(crate) fn check_running(&self) -> Result<(), LocalAwsError> {
        match self.exit_status() {
            None => Ok(()),
            Some(status) => Err(LocalAwsError::Stopped { name: self.name, status, log: self.last_log_lines() }),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The exit status, if the server has exited.
    fn exit_status(&self) -> Option<ExitStatus> {
        let mut launcher = self.launcher.lock().unwrap_or_else(PoisonError::into_inner);
        launcher.try_wait().ok().flatten()
    }

    fn last_log_lines(&self) -> String {
        let log = fs::read(log_file(self.folder())).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(SHOWN_LOG_LINES)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let launcher = self.launcher.get_mut().unwrap_or_else(PoisonError::into_inner);
        // The closed pipe makes the launcher stop everything, which takes milliseconds.
        drop(launcher.stdin.take());
        // The exit status is ignored, because `drop` cannot return an error.
        drop(launcher.wait());
    }
}

fn log_file(folder: &Path) -> std::path::PathBuf {
    folder.join("server.log")
}

/// Starts a server on a free port.
pub(crate) async fn on_a_free_port<T>(
    start: impl AsyncFn(u16) -> Result<T, LocalAwsError>,
) -> Result<T, LocalAwsError> {
    let mut attempts = 1;
    loop {
        match start(free_port()?).await {
            Err(LocalAwsError::PortTaken { .. } | LocalAwsError::DiedAtStart { .. }) if attempts < PORT_ATTEMPTS => {
                attempts += 1;
            }
            started => return started,
        }
    }
}

/// A free port of the loopback interface.
fn free_port() -> Result<u16, LocalAwsError> {
    let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    port.map(|address| address.port()).map_err(|source| LocalAwsError::PortTaken { port: 0, source })
}

/// Returns an error if the port is in use.
pub(super) fn check_port(port: u16) -> Result<(), LocalAwsError> {
    TcpListener::bind(("127.0.0.1", port)).map(drop).map_err(|source| LocalAwsError::PortTaken { port, source })
}
