//! Memory and connections of one process over many calls.

use serde::Serialize;

use crate::cognito::Endpoint;
use crate::error::BenchError;
use crate::process::{Bench, Process};
use crate::subject::{Kind, Row};

/// The calls before the first and before the second reading of the memory.
pub(crate) const CALLS: (u32, u32) = (1_000, 10_000);

/// How one process of a function grows.
#[derive(Debug, Serialize)]
pub(crate) struct Growth {
    pub(crate) row: &'static str,
    pub(crate) program: &'static str,
    /// The resident size after each number of calls, in kilobytes of 1024 bytes.
    pub(crate) memory_kb: (u64, u64),
    /// Connections to AWS.
    pub(crate) connections: usize,
}

/// Measures Poolkeeper's function in each row over HTTP.
pub(crate) async fn measure(bench: &Bench, rows: &[Row], progress: impl Fn(String)) -> Result<Vec<Growth>, BenchError> {
    let mut growth = Vec::new();
    for row in rows {
        let Some(program) = row.programs.first().filter(|program| program.endpoint == Endpoint::Http) else { continue };
        let Kind::Native(job) = &program.kind else { continue };
        progress(format!("{}: {} calls", row.name, CALLS.1));
        let connections = bench.cognito.connections();
        let mut process = Process::start(bench, program, job, &[]).await?;
        for _ in 0..CALLS.0 {
            process.invoke().await?;
        }
        let first = process.memory_kb("VmRSS")?;
        for _ in CALLS.0..CALLS.1 {
            process.invoke().await?;
        }
        let memory_kb = (first, process.memory_kb("VmRSS")?);
        process.end().await?;
        let connections = bench.cognito.connections().saturating_sub(connections);
        growth.push(Growth { row: row.name, program: program.name, memory_kb, connections });
    }
    Ok(growth)
}
