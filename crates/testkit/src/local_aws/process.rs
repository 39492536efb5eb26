//! The process of the local AWS: started behind a launcher, which ends it when we end.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use super::environment::Environment;
use super::error::LocalAwsError;
use super::tools::Tools;

/// How many lines of the log an error shows.
const SHOWN_LOG_LINES: usize = 15;

/// Ends the local AWS with its functions in every case: closed pipe, signal, or the death of this process.
const LAUNCHER: &str = include_str!("launch.py");

/// The launcher, and through it the local AWS.
pub(super) struct Process {
    launcher: Mutex<Child>,
    folder: TempDir,
}

impl Process {
    pub(super) fn start(tools: &Tools, environment: &Environment, folder: TempDir) -> Result<Self, LocalAwsError> {
        let log = File::create(log_file(folder.path())).map_err(LocalAwsError::Folder)?;
        let launcher = Command::new(tools.program("python")?)
            .arg("-c")
            .arg(LAUNCHER)
            .arg(folder.path())
            .arg(tools.program("python")?)
            .args(["-m", "ministack"])
            .current_dir(folder.path())
            .env_clear()
            .envs(environment.of_local_aws())
            .stdin(Stdio::piped())
            .stdout(log.try_clone().map_err(LocalAwsError::Folder)?)
            .stderr(log)
            // Not in the terminal's foreground group: Ctrl-C reaches us alone, and we decide about the order of ending.
            .process_group(0)
            .spawn()
            .map_err(|source| LocalAwsError::CannotRun { program: "python".to_owned(), source })?;
        Ok(Self { launcher: Mutex::new(launcher), folder })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How it ended, where it has ended.
    pub(super) fn exit_status(&self) -> Option<ExitStatus> {
        let mut launcher = self.launcher.lock().unwrap_or_else(PoisonError::into_inner);
        launcher.try_wait().ok().flatten()
    }

    pub(super) fn last_log_lines(&self) -> String {
        let log = fs::read(log_file(self.folder())).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(SHOWN_LOG_LINES)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let launcher = self.launcher.get_mut().unwrap_or_else(PoisonError::into_inner);
        // The closed pipe tells the launcher to end everything; that takes milliseconds.
        drop(launcher.stdin.take());
        // There is nobody left to tell about a failure, and nothing left that could fail: the launcher is our own child.
        drop(launcher.wait());
    }
}

fn log_file(folder: &Path) -> std::path::PathBuf {
    folder.join("local-aws.log")
}

/// A port of the loopback interface that nobody uses now.
pub(super) fn free_port() -> Result<u16, LocalAwsError> {
    let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    port.map(|address| address.port()).map_err(|source| LocalAwsError::PortTaken { port: 0, source })
}

/// Makes sure that nobody uses the port.
pub(super) fn check_port(port: u16) -> Result<(), LocalAwsError> {
    TcpListener::bind(("127.0.0.1", port)).map(drop).map_err(|source| LocalAwsError::PortTaken { port, source })
}
