//! The tables of rows, growth and walks.

use std::fmt;

use comfy_table::presets::{ASCII_MARKDOWN, UTF8_FULL_CONDENSED};
use comfy_table::{CellAlignment, Table};

use super::{Measurement, RowReport};
use crate::growth::{CALLS, Growth};
use crate::statistics::Distribution;
use crate::walk::Walk;

/// Where a table appears.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    Terminal,
    Markdown,
}

/// A missing value.
const NONE: &str = "–";

const HEADER: [&str; 12] = [
    "program",
    "start",
    "first",
    "warm",
    "memory",
    "binary / zip",
    "instructions: start / warm",
    "allocations: blocks / kB",
    "AWS calls",
    "start ×: min / median",
    "warm ×: min / median",
    "memory ×",
];

/// Returns the table of a row.
pub(super) fn of(row: &RowReport, style: Style) -> impl fmt::Display + use<> {
    let rows = row.programs.iter().map(|program| cells(program, row.programs.first().unwrap_or(program)));
    table(&HEADER, 1, rows, style)
}

/// Returns the table of growth.
pub(super) fn of_growth(growth: &[Growth], style: Style) -> impl fmt::Display + use<> {
    let after = |calls: u32| format!("after {calls} calls");
    let header = ["program", "operation", &after(CALLS.0), &after(CALLS.1), "connections"];
    let rows = growth.iter().map(|it| {
        let (first, second) = it.memory_kb;
        let names = [it.program.to_owned(), it.row.to_owned()];
        let connections = format!("{} / {}", it.connections.0, it.connections.1);
        names.into_iter().chain([megabytes(first), megabytes(second), connections])
    });
    table(&header, 2, rows, style)
}

/// Returns the table of walks.
pub(super) fn of_walks(walks: &[Walk], style: Style) -> impl fmt::Display + use<> {
    let header = [
        "operation",
        "users",
        "requests",
        "AWS calls",
        "most pages of a request",
        "memory after a tenth",
        "memory at the end",
    ];
    let rows = walks.iter().map(|it| {
        let (early, end) = it.memory_kb;
        let numbers = [it.users, it.requests, it.calls, it.most_pages].map(|number| number.to_string());
        [it.operation.to_owned()].into_iter().chain(numbers).chain([megabytes(early), megabytes(end)])
    });
    table(&header, 1, rows, style)
}

/// Kilobytes of 1024 bytes as megabytes of 1,000,000 bytes.
fn megabytes(kilobytes: u64) -> String {
    short(count(kilobytes) * 1024.0 / 1_000_000.0)
}

/// A table whose columns after the first `names` are numbers.
pub(crate) fn table<R: IntoIterator<Item = String>>(
    header: &[&str],
    names: usize,
    rows: impl Iterator<Item = R>,
    style: Style,
) -> Table {
    let mut table = Table::new();
    table.load_style(match style {
        Style::Terminal => UTF8_FULL_CONDENSED,
        Style::Markdown => ASCII_MARKDOWN,
    });
    table.set_header(header);
    for column in table.column_iter_mut().skip(names) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for row in rows {
        table.add_row(row);
    }
    table
}

fn cells(program: &Measurement, own: &Measurement) -> [String; 12] {
    let times = |samples: &[f64]| {
        let of = |it: Distribution| format!("{} / {} / {}", short(it.min), short(it.p50), short(it.p90));
        or_none(Distribution::of(samples).map(of))
    };
    let instructions = program.instructions.map(|it| {
        let warm = or_none(it.warm.map(|warm| millions(count(warm))));
        format!("{} / {warm}", millions(count(it.start)))
    });
    let allocations = program.allocations.map(|it| format!("{} / {}", it.blocks, short(count(it.bytes) / 1000.0)));
    let size = program.size;
    let calls = (!program.warm.is_empty()).then(|| program.calls.to_string());
    [
        program.program.to_owned(),
        times(&program.start),
        times(&program.first),
        times(&program.warm),
        or_none(program.memory_mb().map(short)),
        format!("{} / {}", bytes(size.file), bytes(size.zip)),
        or_none(instructions),
        or_none(allocations),
        or_none(calls),
        ratios(&program.start, &own.start),
        ratios(&program.warm, &own.warm),
        ratio(program.memory_mb(), own.memory_mb()),
    ]
}

/// Minimum and median relative to those of Poolkeeper's program.
fn ratios(samples: &[f64], own: &[f64]) -> String {
    let [samples, own] = [samples, own].map(Distribution::of);
    or_none(samples.zip(own).map(|(samples, own)| {
        format!("{} / {}", ratio(Some(samples.min), Some(own.min)), ratio(Some(samples.p50), Some(own.p50)))
    }))
}

/// A value relative to that of Poolkeeper's program.
fn ratio(value: Option<f64>, own: Option<f64>) -> String {
    or_none(value.zip(own).filter(|(_, own)| *own > 0.0).map(|(value, own)| short(value / own)))
}

/// A number with two to three significant digits.
pub(crate) fn short(value: f64) -> String {
    let decimals = match value {
        100.0.. => 0,
        10.0..100.0 => 1,
        1.0..10.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

fn bytes(size: usize) -> String {
    millions(count(size))
}

fn count(number: impl TryInto<u32>) -> f64 {
    number.try_into().map_or(f64::INFINITY, f64::from)
}

fn millions(value: f64) -> String {
    short(value / 1_000_000.0)
}

fn or_none(text: Option<String>) -> String {
    text.unwrap_or_else(|| NONE.to_owned())
}
