//! The progress of an import or export: rows, rate and time left.

use std::time::{Duration, Instant};

use domain::transfer::{Outcome, RowResult};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::labels;
use crate::layout::wrap;
use crate::live_term::LiveTerm;
use crate::terminal::Terminal;

/// How often the progress is printed without a terminal.
const INTERVAL: Duration = Duration::from_secs(30);

/// How many skipped and failed rows are printed. All are in the file of results.
const PRINTED_ROWS: usize = 20;

/// Prints the progress to one terminal.
pub(crate) struct RowProgress {
    terminal: Terminal,
    bar: Option<ProgressBar>,
    total: u64,
    /// The rows that were done at the start.
    skipped: u64,
    done: u64,
    printed: usize,
    started: Instant,
    reported: Instant,
}

impl RowProgress {
    /// Shows the progress of `total` rows, of which `done` were done before.
    pub(crate) fn start(terminal: &Terminal, total: u64, done: u64) -> Self {
        let bar = terminal.is_terminal().then(|| {
            let target = ProgressDrawTarget::term_like_with_hz(Box::new(LiveTerm(terminal.term())), 10);
            let bar = ProgressBar::with_draw_target(Some(total), target);
            if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:20} {wide_msg}") {
                bar.set_style(style);
            }
            bar.set_position(done);
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        let now = Instant::now();
        let terminal = terminal.clone();
        Self { terminal, bar, total, skipped: done, done, printed: 0, started: now, reported: now }
    }

    /// Counts a row, and prints it if it was skipped or failed.
    pub(super) fn result(&mut self, result: &RowResult, throttled: u64) {
        if matches!(result.outcome, Outcome::Skipped | Outcome::Failed) {
            self.printed += 1;
            match self.printed {
                ..=PRINTED_ROWS => self.print(&describe(result)),
                number if number == PRINTED_ROWS + 1 => self.print("Further rows are only in the results."),
                _ => {}
            }
        }
        self.advance(1, throttled);
    }

    /// Counts rows.
    pub(crate) fn advance(&mut self, rows: u64, throttled: u64) {
        self.done += rows;
        let elapsed = self.started.elapsed();
        let text = || progress(self.done, self.total, self.done - self.skipped, elapsed, throttled);
        if let Some(bar) = &self.bar {
            // The total of an export is an estimate.
            bar.set_length(self.total.max(self.done));
            bar.set_position(self.done);
            bar.set_message(text());
        } else if self.reported.elapsed() >= INTERVAL {
            self.reported = Instant::now();
            self.terminal.write_lines(&[format!("… {}", text())]);
        }
    }

    /// Clears the live line.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Prints a line above the live line.
    pub(super) fn print(&self, line: &str) {
        let lines = wrap("", line, 4, self.terminal.width());
        match &self.bar {
            Some(bar) => bar.suspend(|| self.terminal.write_lines(&lines)),
            None => self.terminal.write_lines(&lines),
        }
    }
}

/// A skipped or failed row in one line.
fn describe(result: &RowResult) -> String {
    let sign = if result.outcome == Outcome::Failed { '✗' } else { '~' };
    let code: &str = result.code.map_or("", Into::into);
    let username = result.username.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    let field = result.field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
    let problem = result.problem.as_deref().unwrap_or_default();
    let differences =
        if result.differences.is_empty() { String::new() } else { format!(" ({})", result.differences.join(", ")) };
    let completed =
        if result.completed.is_empty() { String::new() } else { format!("; done: {}", result.completed.join(", ")) };
    format!("{sign} line {}{username}: {code}: {field}{problem}{differences}{completed}", result.line)
}

/// `timed` rows took `elapsed`.
fn progress(done: u64, total: u64, timed: u64, elapsed: Duration, throttled: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let (timed, left) = (timed as f64, total.saturating_sub(done) as f64);
    let rate = timed / elapsed.as_secs_f64().max(0.001);
    let time_left = (timed > 0.0 && left > 0.0).then(|| elapsed.mul_f64(left / timed).max(Duration::from_secs(1)));
    let time_left = time_left.map(|time| format!(", {} left", labels::duration(time)));
    let throttled = if throttled > 0 { format!(", {throttled} calls throttled") } else { String::new() };
    format!("{done} of {total} rows ({rate:.0}/s{}{throttled})", time_left.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_shows_rate_and_time_left() {
        for (done, timed, seconds, throttled, expected) in [
            (0, 0, 0, 0, "0 of 1000 rows (0/s)"),
            (500, 500, 10, 0, "500 of 1000 rows (50/s, 10 s left)"),
            (900, 50, 1, 3, "900 of 1000 rows (50/s, 2.0 s left, 3 calls throttled)"),
            (1000, 1000, 20, 0, "1000 of 1000 rows (50/s)"),
            (1200, 1200, 20, 0, "1200 of 1000 rows (60/s)"),
        ] {
            assert_eq!(progress(done, 1000, timed, Duration::from_secs(seconds), throttled), expected);
        }
    }
}
