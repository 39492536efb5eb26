//! Counts instructions and allocations with valgrind. Unlike times, they hardly depend on the machine and its load.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;
use tempfile::TempDir;

use crate::error::BenchError;
use crate::process::{Bench, Process};
use crate::subject::{Job, Kind, Program};

/// The number of calls of the shorter and of the longer run. The count of a warm call is the difference between both
/// runs, divided by their difference in calls.
const CALLS: (u32, u32) = (2, 12);

const CALLGRIND: Tool<u64> = Tool { name: "callgrind", total: total_instructions };
const DHAT: Tool<Allocations> = Tool { name: "dhat", total: total_allocations };

/// Executed instructions of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Instructions {
    /// Until the first request for an event, or of a whole command.
    pub(crate) start: u64,
    /// Of a warm call.
    pub(crate) warm: Option<u64>,
}

/// Heap allocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Allocations {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

/// Counts the instructions of a program. Returns `None` without valgrind, and for Node.js, because its compiler depends
/// on time.
pub(crate) async fn instructions(bench: &Bench, program: &Program) -> Result<Option<Instructions>, BenchError> {
    let Some(valgrind) = &bench.valgrind else { return Ok(None) };
    match &program.kind {
        Kind::Node(_) => Ok(None),
        Kind::Command(argument) => {
            Ok(Some(Instructions { start: CALLGRIND.of_command(valgrind, program, argument)?, warm: None }))
        }
        Kind::Native(job) => {
            let start = CALLGRIND.of_calls(bench, valgrind, program, job, 0).await?;
            Ok(Some(Instructions { start, warm: warm_instructions(bench, program, job).await? }))
        }
    }
}

/// Counts the instructions of a warm call of a native function. Returns `None` without valgrind.
pub(crate) async fn warm_instructions(bench: &Bench, program: &Program, job: &Job) -> Result<Option<u64>, BenchError> {
    let Some(valgrind) = &bench.valgrind else { return Ok(None) };
    let count = async |calls| CALLGRIND.of_calls(bench, valgrind, program, job, calls).await;
    Ok(Some(of_warm_call(count(CALLS.0).await?, count(CALLS.1).await?)))
}

/// Counts the allocations of a warm call. Returns `None` without valgrind, and for programs other than native
/// functions.
pub(crate) async fn allocations(bench: &Bench, program: &Program) -> Result<Option<Allocations>, BenchError> {
    let (Some(valgrind), Kind::Native(job)) = (&bench.valgrind, &program.kind) else { return Ok(None) };
    let count = async |calls| DHAT.of_calls(bench, valgrind, program, job, calls).await;
    let (short, long) = (count(CALLS.0).await?, count(CALLS.1).await?);
    let (blocks, bytes) = (of_warm_call(short.blocks, long.blocks), of_warm_call(short.bytes, long.bytes));
    Ok(Some(Allocations { blocks, bytes }))
}

fn of_warm_call(short: u64, long: u64) -> u64 {
    long.saturating_sub(short) / u64::from(CALLS.1 - CALLS.0)
}

/// A tool of valgrind.
struct Tool<T> {
    name: &'static str,
    /// Reads the total from the log of valgrind.
    total: fn(&str) -> Option<T>,
}

impl<T> Tool<T> {
    /// The total of a process that serves this number of calls.
    async fn of_calls(
        &self,
        bench: &Bench,
        valgrind: &Path,
        program: &Program,
        job: &Job,
        calls: u32,
    ) -> Result<T, BenchError> {
        let output = directory()?;
        let options = self.options(output.path());
        let wrapper: Vec<&OsStr> =
            [valgrind.as_os_str()].into_iter().chain(options.iter().map(OsString::as_os_str)).collect();
        let mut process = Process::start(bench, program, job, &wrapper).await?;
        for _ in 0..calls {
            process.invoke().await?;
        }
        // valgrind writes its log and then ends from the signal.
        process.end().await?;
        self.read_total(output.path(), program)
    }

    fn of_command(&self, valgrind: &Path, program: &Program, argument: &str) -> Result<T, BenchError> {
        let output = directory()?;
        let mut command = Command::new(valgrind);
        command.args(self.options(output.path())).arg(&program.file).arg(argument);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().map_err(BenchError::io("start valgrind"))?;
        self.read_total(output.path(), program)
    }

    fn options(&self, output: &Path) -> [OsString; 3] {
        let option = |name: &str, file: &str| {
            let mut option = OsString::from(format!("--{name}="));
            option.push(output.join(file));
            option
        };
        [
            format!("--tool={}", self.name).into(),
            option(&format!("{}-out-file", self.name), "result"),
            option("log-file", "log"),
        ]
    }

    fn read_total(&self, output: &Path, program: &Program) -> Result<T, BenchError> {
        let log = fs::read_to_string(output.join("log")).map_err(BenchError::io("read the log of valgrind"))?;
        (self.total)(&log).ok_or_else(|| BenchError::Program {
            program: program.name.to_owned(),
            problem: format!("the log of valgrind's {} has no total", self.name),
            log,
        })
    }
}

fn directory() -> Result<TempDir, BenchError> {
    TempDir::new().map_err(BenchError::io("create a directory for valgrind"))
}

/// The total in a line such as `==7== Collected : 409123`.
fn total_instructions(log: &str) -> Option<u64> {
    number(log.lines().find_map(|line| line.split_once("== Collected :"))?.1)
}

/// The total in a line such as `==7== Total:     1,240 bytes in 10 blocks`.
fn total_allocations(log: &str) -> Option<Allocations> {
    let total = log.lines().find_map(|line| line.split_once("== Total:"))?.1;
    let (bytes, blocks) = total.split_once(" bytes in ")?;
    Some(Allocations { blocks: number(blocks.strip_suffix(" blocks")?)?, bytes: number(bytes)? })
}

/// A number with or without separators of thousands.
fn number(text: &str) -> Option<u64> {
    text.trim().replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_instructions_from_the_log_of_callgrind() {
        let log = "==7== Callgrind, a call-graph generating cache profiler\n==7== \n==7== Events    : Ir\n\
                   ==7== Collected : 409123\n==7== \n==7== I   refs:      409,123\n";
        assert_eq!(total_instructions(log), Some(409_123));
        assert_eq!(total_instructions("==7== Events    : Ir\n"), None);
    }

    #[test]
    fn reads_allocations_from_the_log_of_dhat() {
        let log = "==7== DHAT, a dynamic heap analysis tool\n\
                   ==7== Process terminating with default action of signal 15\n\
                   ==7== Total:     1,234,567 bytes in 8,901 blocks\n==7== At t-gmax: 720 bytes in 30 blocks\n";
        assert_eq!(total_allocations(log), Some(Allocations { blocks: 8_901, bytes: 1_234_567 }));
        assert_eq!(total_allocations("==7== At t-gmax: 720 bytes in 30 blocks\n"), None);
        assert_eq!(total_allocations("==7== Total:     many bytes in 30 blocks\n"), None);
    }
}
