//! What is printed at the end of a command on users.

use std::time::Duration;

use domain::transfer::{NotMoved, Outcome, Summary};

use crate::labels;
use crate::layout::wrap;

/// `10 created, 2 failed`, in the order of outcomes.
pub(super) fn counts(summary: &Summary) -> String {
    let counts = [Outcome::Created, Outcome::Updated, Outcome::Unchanged, Outcome::Skipped, Outcome::Failed]
        .map(|outcome| (summary.count(outcome), <&str>::from(outcome)));
    let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}"));
    let counts: Vec<_> = counts.collect();
    if counts.is_empty() { "no rows".to_owned() } else { counts.join(", ") }
}

/// The end of an import.
pub(crate) fn imported(summary: &Summary, dry_run: bool, results: &str, took: Duration, width: usize) -> Vec<String> {
    let verb = if dry_run { "Forecast" } else { "Done" };
    let mut lines = wrap("", &format!("{verb}: {} ({}).", counts(summary), labels::duration(took)), 0, width);
    lines.extend(wrap("", &format!("Results: {results}"), 0, width));
    lines.extend(not_moved(summary.not_moved.iter().copied(), width));
    if dry_run {
        lines.push("Nothing was changed.".to_owned());
    }
    lines
}

/// The parts of users that cannot be moved.
pub(crate) fn not_moved(parts: impl Iterator<Item = NotMoved>, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = parts.flat_map(|part| wrap("  - ", part.text(), 4, width)).collect();
    if !lines.is_empty() {
        lines.insert(0, "Not moved:".to_owned());
    }
    lines
}
