//! The program behind `make bench`: measures Poolkeeper's programs and their peers in turns.

mod callgrind;
mod cognito;
mod error;
mod events;
mod growth;
mod machine;
mod measure;
mod pool;
mod process;
mod report;
mod runtime_api;
mod server;
mod size;
mod statistics;
mod subject;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cognito::Cognito;
use crate::cognito::certificates::Certificates;
use crate::error::BenchError;
use crate::machine::Machine;
use crate::process::Bench;
use crate::report::{Measurement, Report, RowReport, Run};
use crate::subject::Row;

/// Measures Poolkeeper's programs and their peers in turns
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Takes fewer samples, counts no instructions, and writes no files
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

// One thread, because Lambda's API and the AWS endpoint answer faster if they need not wake each other.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), BenchError> {
    let (samples, warm_calls) = if arguments.quick { (5, 10) } else { (25, 40) };
    let rows = subject::select(subject::all(&arguments.target)?, &arguments.only)?;
    let certificates = Certificates::create()?;
    let bench = Bench {
        cognito: Cognito::start(&certificates).await?,
        certificates,
        node: machine::node().ok_or(BenchError::NoNode)?,
        valgrind: machine::valgrind().filter(|_| !arguments.quick),
    };
    let machine = Machine::read(&bench.node);
    let load_before = machine::load();
    let progress = progress_bar(&rows, samples);
    let reports = measure_all(&bench, &rows, samples, warm_calls, &progress).await?;
    let growth = if arguments.quick {
        Vec::new()
    } else {
        growth::measure(&bench, &rows, |message| progress.set_message(message)).await?
    };
    progress.finish_and_clear();
    let run = Run { machine, samples, warm_calls, load_before, load_after: machine::load() };
    let report = Report { run, rows: reports, growth };
    print!("{}", report.text());
    println!("Times are minimum / median / 90th percentile in ms, sizes in MB, instructions in millions.");
    if arguments.quick || !arguments.only.is_empty() {
        println!("No files are written, because this run has fewer samples or rows.");
    } else {
        report.write(&arguments.docs)?;
        println!("Written: benchmarks.md, benchmarks.svg and benchmarks.json in {}", arguments.docs.display());
    }
    Ok(())
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
                measure::sample(bench, program, warm_calls, into).await?;
                progress.inc(1);
            }
        }
    }
    for (row, report) in rows.iter().zip(&mut reports) {
        for (program, measurement) in row.programs.iter().zip(&mut report.programs) {
            progress.set_message(format!("{}: instructions of {}", row.name, program.name));
            measurement.instructions = callgrind::count(bench, program).await?;
            progress.inc(1);
        }
    }
    Ok(reports)
}
