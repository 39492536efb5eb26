//! Counts instructions with valgrind. Unlike times, they hardly depend on the machine and its load.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;
use tempfile::TempDir;

use crate::error::BenchError;
use crate::process::{Bench, Process};
use crate::subject::{Job, Kind, Program};

/// The number of calls of the shorter and of the longer run.
const CALLS: (u32, u32) = (2, 12);

/// Executed instructions of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Instructions {
    /// Until the first request for an event, or of a whole command.
    pub(crate) start: u64,
    /// Of a warm call: the difference between a long and a short run, divided by their difference in calls.
    pub(crate) warm: Option<u64>,
}

/// Counts the instructions of a program. Returns `None` without valgrind, and for Node.js, because its compiler depends
/// on time.
pub(crate) async fn count(bench: &Bench, program: &Program) -> Result<Option<Instructions>, BenchError> {
    let Some(valgrind) = &bench.valgrind else { return Ok(None) };
    match &program.kind {
        Kind::Node(_) => Ok(None),
        Kind::Command(argument) => {
            Ok(Some(Instructions { start: of_command(valgrind, program, argument)?, warm: None }))
        }
        Kind::Native(job) => {
            let (few, many) = CALLS;
            let count = async |calls| of_calls(bench, valgrind, program, job, calls).await;
            let (start, short, long) = (count(0).await?, count(few).await?, count(many).await?);
            Ok(Some(Instructions { start, warm: Some(long.saturating_sub(short) / u64::from(many - few)) }))
        }
    }
}

/// The instructions of a process that serves this number of calls.
async fn of_calls(bench: &Bench, valgrind: &Path, program: &Program, job: &Job, calls: u32) -> Result<u64, BenchError> {
    let output = Output::create()?;
    let options = output.options();
    let wrapper: Vec<_> = [valgrind.as_os_str()].into_iter().chain(options.iter().map(OsString::as_os_str)).collect();
    let mut process = Process::start(bench, program, job, &wrapper).await?;
    for _ in 0..calls {
        process.invoke().await?;
    }
    // valgrind writes its result and then ends from the signal.
    process.end().await?;
    output.total(program)
}

fn of_command(valgrind: &Path, program: &Program, argument: &str) -> Result<u64, BenchError> {
    let output = Output::create()?;
    let mut command = Command::new(valgrind);
    command.args(output.options()).arg(&program.file).arg(argument);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().map_err(BenchError::io("start valgrind"))?;
    output.total(program)
}

/// The directory with the result of one run.
struct Output(TempDir);

impl Output {
    fn create() -> Result<Self, BenchError> {
        TempDir::new().map(Self).map_err(BenchError::io("create a directory for valgrind"))
    }

    fn options(&self) -> [OsString; 2] {
        let mut file = OsString::from("--callgrind-out-file=");
        file.push(self.0.path().join("result"));
        ["--tool=callgrind".into(), file]
    }

    fn total(&self, program: &Program) -> Result<u64, BenchError> {
        let result = fs::read_to_string(self.0.path().join("result"));
        let result = result.map_err(BenchError::io("read the result of valgrind"))?;
        total(&result).ok_or_else(|| BenchError::Program {
            program: program.name.to_owned(),
            problem: "the result of valgrind has no total".to_owned(),
            log: String::new(),
        })
    }
}

/// The total of a result file.
fn total(result: &str) -> Option<u64> {
    let line =
        result.lines().find_map(|line| line.strip_prefix("summary:").or_else(|| line.strip_prefix("totals:")))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_total_of_a_result_file() {
        let result = "events: Ir\nsummary: 409123\n\nfn=(1) main\n16 400\n\ntotals: 409123\n";
        assert_eq!(total(result), Some(409_123));
        assert_eq!(total("events: Ir\n\ntotals: 7\n"), Some(7));
        assert_eq!(total("events: Ir\n"), None);
    }
}
