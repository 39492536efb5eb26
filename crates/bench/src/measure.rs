//! Cold samples: one process each, with its start, its first call and further calls.

use std::time::Duration;

use crate::error::BenchError;
use crate::process::{Bench, Process, run};
use crate::report::Measurement;
use crate::subject::{Kind, Program};

/// Adds one cold sample with this number of warm calls.
pub(crate) async fn sample(
    bench: &Bench,
    program: &Program,
    warm_calls: u32,
    into: &mut Measurement,
) -> Result<(), BenchError> {
    let job = match &program.kind {
        Kind::Native(job) | Kind::Node(job) => job,
        Kind::Command(argument) => {
            into.start.push(milliseconds(run(&program.file, argument)?));
            return Ok(());
        }
    };
    let connections = bench.cognito.connections();
    let mut process = Process::start(bench, program, job, &[]).await?;
    let start = process.start;
    let first = process.invoke().await?;
    let calls = bench.cognito.calls();
    let mut warm = Vec::new();
    for _ in 0..warm_calls {
        warm.push(milliseconds(process.invoke().await?));
    }
    into.calls = bench.cognito.calls().saturating_sub(calls) / usize::try_from(warm_calls).unwrap_or(1).max(1);
    into.connections = bench.cognito.connections().saturating_sub(connections);
    into.memory_kb.push(process.memory_kb("VmHWM")?);
    process.end().await?;
    into.start.push(milliseconds(start));
    into.first.push(milliseconds(first));
    into.warm.append(&mut warm);
    Ok(())
}

/// Milliseconds with four decimals, which are tenths of a microsecond.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000_000.0).round() / 10_000.0
}
