//! The results of a run: tables for the terminal, and the page, chart and raw numbers of the documentation.

mod chart;
mod page;
pub(crate) mod table;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::error::BenchError;
use crate::growth::Growth;
use crate::machine::Machine;
use crate::size::Size;
use crate::statistics::Distribution;
use crate::valgrind::{Allocations, Instructions};
use crate::walk::Walk;

/// The results of a run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) run: Run,
    pub(crate) rows: Vec<RowReport>,
    pub(crate) growth: Vec<Growth>,
    pub(crate) walks: Vec<Walk>,
}

/// The circumstances of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    #[serde(flatten)]
    pub(crate) machine: Machine,
    /// The number of turns. Each adds one cold sample of a Node.js program, and more of a native program.
    pub(crate) samples: u32,
    /// The number of warm calls of each cold sample.
    pub(crate) warm_calls: u32,
    pub(crate) load_before: String,
    pub(crate) load_after: String,
}

/// The results of programs that do the same job. The first one is Poolkeeper's.
#[derive(Debug)]
pub(crate) struct RowReport {
    pub(crate) name: &'static str,
    pub(crate) charted: bool,
    pub(crate) programs: Vec<Measurement>,
}

/// The results of one program. Times are in milliseconds.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Measurement {
    pub(crate) program: &'static str,
    pub(crate) size: Size,
    /// Instructions, if they were counted.
    pub(crate) instructions: Option<Instructions>,
    /// Allocations of a warm call, if they were counted.
    pub(crate) allocations: Option<Allocations>,
    /// AWS calls of one warm call.
    pub(crate) calls: usize,
    /// Connections to AWS of one process.
    pub(crate) connections: usize,
    pub(crate) start: Vec<f64>,
    pub(crate) first: Vec<f64>,
    pub(crate) warm: Vec<f64>,
    /// The highest resident size of each process, in kilobytes of 1024 bytes.
    pub(crate) memory_kb: Vec<u64>,
}

impl Measurement {
    /// The highest resident size of all processes, in megabytes.
    fn memory_mb(&self) -> Option<f64> {
        let highest = self.memory_kb.iter().max()?;
        Some(f64::from(u32::try_from(*highest).ok()?) * 1024.0 / 1_000_000.0)
    }
}

impl Report {
    /// The tables for a terminal.
    pub(crate) fn text(&self) -> String {
        let table = |row: &RowReport| format!("{}\n{}\n\n", row.name, table::of(row, table::Style::Terminal));
        let tables = self.rows.iter().map(table).collect::<Vec<_>>().concat();
        let growth = (!self.growth.is_empty()).then(|| {
            let growth = table::of_growth(&self.growth, table::Style::Terminal);
            format!("memory and connections after many calls\n{growth}\n\n")
        });
        let walks = (!self.walks.is_empty())
            .then(|| format!("walks\n{}\n\n", table::of_walks(&self.walks, table::Style::Terminal)));
        [Some(tables), growth, walks].into_iter().flatten().collect()
    }

    /// Writes the page, the chart and the raw numbers.
    pub(crate) fn write(&self, docs: &Path) -> Result<(), BenchError> {
        let files = [
            ("benchmarks.md", page::of(self)),
            ("benchmarks.svg", chart::of(&self.rows)),
            ("benchmarks.json", self.json()),
        ];
        for (name, content) in files {
            let file = docs.join(name);
            fs::write(&file, content).map_err(BenchError::io(format!("write {}", file.display())))?;
        }
        Ok(())
    }

    /// All samples, with one program per line.
    fn json(&self) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            row: &'a str,
            #[serde(flatten)]
            measurement: &'a Measurement,
        }
        let line =
            |row: &'static str, measurement| serde_json::to_string(&Line { row, measurement }).unwrap_or_default();
        let lines = self.rows.iter().flat_map(|row| row.programs.iter().map(|program| line(row.name, program)));
        let lines: Vec<_> = lines.collect();
        let run = serde_json::to_string(&self.run).unwrap_or_default();
        let growth = serde_json::to_string(&self.growth).unwrap_or_default();
        let walks = serde_json::to_string(&self.walks).unwrap_or_default();
        format!(
            "{{\"run\": {run},\n\"growth\": {growth},\n\"walks\": {walks},\n\"programs\": [\n{}\n]}}\n",
            lines.join(",\n")
        )
    }
}

/// The smallest sample.
fn min(samples: &[f64]) -> Option<f64> {
    Distribution::of(samples).map(|distribution| distribution.min)
}
