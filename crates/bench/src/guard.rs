//! `bench guard`: compares Poolkeeper's programs with the record, in values that do not depend on the clock.

mod comparison;
mod record;

use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;

use self::comparison::{Comparison, Quantity};
use self::record::Record;
use crate::error::BenchError;
use crate::process::Bench;
use crate::subject::Row;
use crate::{growth, size, subject, valgrind};

/// The arguments of `bench guard`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The target directory with the built programs
    #[arg(long, value_name = "DIRECTORY", default_value = "target")]
    target: PathBuf,
    /// The raw numbers that `bench measure` wrote
    #[arg(long, value_name = "FILE", default_value = "docs/benchmarks.json")]
    record: PathBuf,
}

/// Measures, prints the comparison, and fails if a value exceeds its recorded value by more than its tolerance.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), BenchError> {
    let record = Record::read(&arguments.record)?;
    let rows = subject::all(&arguments.target)?;
    let bench = Bench::start(None).await?;
    let progress = ProgressBar::new_spinner();
    let mut comparisons = Vec::new();
    for row in &rows {
        progress.set_message(row.name);
        compare(&bench, row, &record, &mut comparisons).await?;
    }
    progress.finish_and_clear();
    println!("{}", comparison::table_of(&comparisons));
    if bench.valgrind.is_none() {
        println!("Instructions are not compared, because valgrind is not installed.");
    }
    comparison::check(&comparisons)
}

/// Compares Poolkeeper's program of a row: its size, unless a previous row has the same program, and the connections
/// and instructions of a function.
async fn compare(
    bench: &Bench,
    row: &Row,
    record: &Record,
    comparisons: &mut Vec<Comparison>,
) -> Result<(), BenchError> {
    let Some(program) = row.released() else { return Ok(()) };
    let is_new = comparisons.iter().all(|comparison| comparison.program != program.name);
    let mut add = |quantity, measured| {
        let recorded = record.value(quantity, row.name, program.name)?;
        comparisons.push(Comparison { program: program.name, row: row.name, quantity, recorded, measured });
        Ok::<_, BenchError>(())
    };
    if is_new {
        add(Quantity::Size, size::of(&program.file)?.file as u64)?;
    }
    let Some((program, job)) = row.function() else { return Ok(()) };
    add(Quantity::Connections, growth::connections(bench, program, job).await? as u64)?;
    if let Some(instructions) = valgrind::warm_instructions(bench, program, job).await? {
        add(Quantity::Instructions, instructions)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn published_record_contains_every_compared_value() {
        let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks.json");
        let record = Record::read(&record).unwrap();
        for row in subject::all(Path::new("")).unwrap() {
            let Some(program) = row.released() else { continue };
            record.value(Quantity::Size, row.name, program.name).unwrap();
            if let Some((program, _)) = row.function() {
                for quantity in [Quantity::Connections, Quantity::Instructions] {
                    record.value(quantity, row.name, program.name).unwrap();
                }
            }
        }
    }
}
