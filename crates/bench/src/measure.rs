//! Measures Poolkeeper's programs and their peers in turns. A cold sample is one process with its start, its first call
//! and further calls.

use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::error::BenchError;
use crate::machine::{self, Machine};
use crate::process::{self, Bench, Process};
use crate::report::{Measurement, Report, RowReport, Run};
use crate::subject::{self, Kind, Program, Row};
use crate::{growth, size, valgrind, walk};

/// The samples of each native program in a turn.
pub(crate) const NATIVE_SAMPLES_PER_TURN: u32 = 4;

/// Measures Poolkeeper's programs and their peers in turns
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Takes fewer samples, counts no instructions and allocations, and writes no files
    #[arg(long)]
    quick: bool,
    /// Measures only rows whose operation or function contains this text, and writes no files; repeatable
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// The target directory with the built programs
    #[arg(long, value_name = "DIRECTORY", default_value = "target")]
    target: PathBuf,
    /// The directory for the page, the chart and the raw numbers
    #[arg(long, value_name = "DIRECTORY", default_value = "docs")]
    docs: PathBuf,
}

/// Measures the selected rows, prints the results, and writes the files of the documentation after a complete run.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), BenchError> {
    let (samples, warm_calls) = if arguments.quick { (5, 10) } else { (25, 40) };
    let rows = subject::select(subject::all(&arguments.target)?, &arguments.only)?;
    let mut bench = Bench::start(None).await?;
    bench.valgrind = bench.valgrind.filter(|_| !arguments.quick);
    let machine = Machine::read(bench.node.as_deref().ok_or(BenchError::NoNode)?);
    let load_before = machine::load();
    let progress = progress_bar(&rows, samples);
    let reports = measure_all(&bench, &rows, samples, warm_calls, &progress).await?;
    let show = |message| progress.set_message(message);
    let (growth, walks) = if arguments.quick {
        (Vec::new(), Vec::new())
    } else {
        (growth::measure(&bench, &rows, show).await?, walk::measure(&rows, show).await?)
    };
    progress.finish_and_clear();
    let run = Run { machine, samples, warm_calls, load_before, load_after: machine::load() };
    let report = Report { run, rows: reports, growth, walks };
    print!("{}", report.text());
    println!(
        "Times are minimum / median / 90th percentile in ms, sizes in MB, instructions in millions, allocations in kB."
    );
    if arguments.quick || !arguments.only.is_empty() {
        println!("No files are written, because this run has fewer samples or rows.");
    } else {
        report.write(&arguments.docs)?;
        println!("Written: benchmarks.md, benchmarks.svg and benchmarks.json in {}", arguments.docs.display());
    }
    Ok(())
}

/// How many samples a program adds in each turn. Native programs start in milliseconds, so that one sample in each turn
/// does not suffice for a stable minimum; those of Node.js take a hundred times as long.
fn samples_per_turn(kind: &Kind) -> u32 {
    match kind {
        Kind::Native(_) | Kind::Command(_) => NATIVE_SAMPLES_PER_TURN,
        Kind::Node(_) => 1,
    }
}

fn progress_bar(rows: &[Row], samples: u32) -> ProgressBar {
    let programs: u64 = rows.iter().map(|row| row.programs.len() as u64).sum();
    let progress = ProgressBar::new(programs * u64::from(samples + 2));
    let style = ProgressStyle::with_template("{bar:30} {percent:>3}% {msg}");
    progress.with_style(style.unwrap_or(ProgressStyle::default_bar()))
}

async fn measure_all(
    bench: &Bench,
    rows: &[Row],
    samples: u32,
    warm_calls: u32,
    progress: &ProgressBar,
) -> Result<Vec<RowReport>, BenchError> {
    let mut reports = Vec::new();
    for row in rows {
        let mut programs = Vec::new();
        for program in &row.programs {
            let size = size::of(&program.file)?;
            programs.push(Measurement { program: program.name, size, ..Measurement::default() });
        }
        reports.push(RowReport { name: row.name, charted: row.charted, programs });
    }
    for turn in 0..=samples {
        for (row, report) in rows.iter().zip(&mut reports) {
            for (program, measurement) in row.programs.iter().zip(&mut report.programs) {
                progress.set_message(format!("{}: {}", row.name, program.name));
                // The first turn fills the caches of the machine.
                let mut discarded = Measurement::default();
                let into = if turn == 0 { &mut discarded } else { measurement };
                for _ in 0..samples_per_turn(&program.kind) {
                    sample(bench, program, warm_calls, into).await?;
                }
                progress.inc(1);
            }
        }
    }
    for (row, report) in rows.iter().zip(&mut reports) {
        for (program, measurement) in row.programs.iter().zip(&mut report.programs) {
            progress.set_message(format!("{}: instructions and allocations of {}", row.name, program.name));
            measurement.instructions = valgrind::instructions(bench, program).await?;
            measurement.allocations = valgrind::allocations(bench, program).await?;
            progress.inc(1);
        }
    }
    Ok(reports)
}

/// Adds one cold sample with this number of warm calls.
async fn sample(bench: &Bench, program: &Program, warm_calls: u32, into: &mut Measurement) -> Result<(), BenchError> {
    let job = match &program.kind {
        Kind::Native(job) | Kind::Node(job) => job,
        Kind::Command(argument) => {
            into.start.push(milliseconds(process::run(&program.file, argument)?));
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
