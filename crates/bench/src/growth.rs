//! Memory and connections of one process over many calls.

use serde::Serialize;

use crate::error::BenchError;
use crate::process::{Bench, Process};
use crate::subject::{Job, Program, Row};

/// The calls before the first and before the second reading.
pub(crate) const CALLS: (u32, u32) = (1_000, 10_000);

/// How one process of a function grows.
#[derive(Debug, Serialize)]
pub(crate) struct Growth {
    pub(crate) row: &'static str,
    pub(crate) program: &'static str,
    /// The resident size after each number of calls, in kilobytes of 1024 bytes.
    pub(crate) memory_kb: (u64, u64),
    /// Connections to AWS until each number of calls.
    pub(crate) connections: (usize, usize),
}

/// Measures the function of each row.
pub(crate) async fn measure(bench: &Bench, rows: &[Row], progress: impl Fn(String)) -> Result<Vec<Growth>, BenchError> {
    let mut growth = Vec::new();
    for row in rows {
        let Some((program, job)) = row.function() else { continue };
        progress(format!("{}: {} calls", row.name, CALLS.1));
        let before = bench.cognito.connections();
        let connections = || bench.cognito.connections().saturating_sub(before);
        let mut process = Process::start(bench, program, job, &[]).await?;
        for _ in 0..CALLS.0 {
            process.invoke().await?;
        }
        let first = (process.memory_kb("VmRSS")?, connections());
        for _ in CALLS.0..CALLS.1 {
            process.invoke().await?;
        }
        let second = (process.memory_kb("VmRSS")?, connections());
        process.end().await?;
        let (memory_kb, connections) = ((first.0, second.0), (first.1, second.1));
        growth.push(Growth { row: row.name, program: program.name, memory_kb, connections });
    }
    Ok(growth)
}

/// Counts the connections to AWS of one process until the first reading.
pub(crate) async fn connections(bench: &Bench, program: &Program, job: &Job) -> Result<usize, BenchError> {
    let before = bench.cognito.connections();
    let mut process = Process::start(bench, program, job, &[]).await?;
    for _ in 0..CALLS.0 {
        process.invoke().await?;
    }
    process.end().await?;
    Ok(bench.cognito.connections().saturating_sub(before))
}
