//! The tables at the end of a run.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};

use super::growth::Growth;
use super::processes::Usage;
use super::tally::Tally;

/// Calls, errors and times of each kind of call.
pub(super) fn of_calls(tally: &Tally) -> String {
    let mut table = table(&["function", "call", "expected", "calls", "errors", "p50 ms", "p90 ms", "max ms"]);
    for (kind, calls) in tally.kinds() {
        let counts = [calls.times.len(), calls.errors].map(|count| count.to_string());
        let times = [50, 90, 100].map(|percent| calls.percentile(percent).as_millis().to_string());
        let texts = [kind.function, &kind.call, kind.expected].map(str::to_owned);
        table.add_row(texts.into_iter().chain(counts).chain(times));
    }
    finish(table, 3)
}

/// Memory and descriptors of each process.
pub(super) fn of_growth(growth: &Growth) -> String {
    let mut table =
        table(&["function", "process", "remark", "kB, warm", "kB, end", "descriptors, warm", "descriptors, end"]);
    for (function, id, readings) in growth.processes() {
        let remark = match (readings.warm, readings.is_running) {
            (_, false) => "ended",
            (None, true) => "started after the warm-up",
            (Some(_), true) => "",
        };
        let last = readings.is_running.then_some(readings.last);
        let cells = |read: fn(Usage) -> String| [readings.warm, last].map(|usage| usage.map(read).unwrap_or_default());
        let memory = cells(|usage| usage.memory_kb.to_string());
        let descriptors = cells(|usage| usage.descriptors.to_string());
        table.add_row(
            [function.to_owned(), id.to_string(), remark.to_owned()].into_iter().chain(memory).chain(descriptors),
        );
    }
    finish(table, 3)
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table
}

/// Aligns numbers, which begin in this column.
fn finish(mut table: Table, first_number: usize) -> String {
    for column in table.column_iter_mut().skip(first_number) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::super::processes::Process;
    use super::*;

    #[test]
    fn replaced_process_is_marked_and_has_no_numbers_of_the_end() {
        let process = |id, memory_kb| Process { function: "auth-api", id, usage: Usage { memory_kb, descriptors: 12 } };
        let mut growth = Growth::since(&[process(7, 20_001)]);
        growth.observe(&[process(7, 20_002)]);
        growth.observe(&[process(8, 20_003)]);
        let shown = of_growth(&growth);
        let row = |id: &str| shown.lines().find(|line| line.contains(id)).unwrap();
        assert!(row(" 7 ").contains("ended") && row(" 7 ").contains("20001") && !shown.contains("20002"), "{shown}");
        assert!(row(" 8 ").contains("started after the warm-up") && row(" 8 ").contains("20003"), "{shown}");
    }
}
