//! Runs programs of `.venv` against the emulator or an AWS account.

use std::process::Stdio;

use tokio::process::Command;

use super::error::LocalAwsError;
use super::tools::Tools;

/// The emulator or an AWS account, for programs of `.venv`.
pub trait Tooling {
    /// The region.
    fn region(&self) -> &str;

    /// Runs a program of `.venv` with this input and returns its output, whatever its exit status.
    ///
    /// # Errors
    /// Returns an error if the program cannot be run.
    fn run(
        &self,
        program: &str,
        arguments: &[&str],
        input: Option<&str>,
    ) -> impl Future<Output = Result<Output, LocalAwsError>>;
}

/// The output of a program.
#[derive(Debug)]
pub struct Output {
    /// Whether the exit status is zero.
    pub succeeded: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// The number of output lines in an error.
const SHOWN_LINES: usize = 25;

impl Output {
    /// The last lines of the output.
    #[must_use]
    pub fn last_lines(&self) -> String {
        let all = format!("{}\n{}", self.stdout, self.stderr);
        let lines: Vec<&str> = all.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
    }
}

impl Tools {
    /// A program of `.venv` with the search path of `.venv`, without telemetry. Dropping it stops the program.
    ///
    /// # Errors
    /// Returns an error if the program is missing.
    pub fn command(&self, program: &str) -> Result<Command, LocalAwsError> {
        let mut command = Command::new(self.program(program)?);
        command
            .env("PATH", self.path_variable())
            .env("SAM_CLI_TELEMETRY", "0")
            .env("__SAM_CLI_APP_DIR", self.sam_folder())
            // Runs in a separate process group, so that Ctrl-C reaches only this process, which stops the program by
            // dropping it.
            .process_group(0)
            .kill_on_drop(true);
        Ok(command)
    }
}

/// Runs a command until it exits and collects its output.
///
/// # Errors
/// Returns an error if the command cannot be started, or does not take its input.
pub async fn output_of(mut command: Command, program: &str, input: Option<&str>) -> Result<Output, LocalAwsError> {
    let broken = |source| LocalAwsError::Broken { program: program.to_owned(), source };
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    let mut child = command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| LocalAwsError::CannotRun { program: program.to_owned(), source })?;
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        tokio::io::AsyncWriteExt::write_all(&mut stdin, input.as_bytes()).await.map_err(broken)?;
    }
    let finished = child.wait_with_output().await.map_err(broken)?;
    Ok(Output {
        succeeded: finished.status.success(),
        stdout: String::from_utf8_lossy(&finished.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&finished.stderr).into_owned(),
    })
}
