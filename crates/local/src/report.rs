//! What the demo shows: a line per step as it happens, and a table at the end.

use std::io::{IsTerminal as _, stdout};
use std::time::{Duration, Instant};

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;

/// What a step that went well came to.
pub struct Seen<T> {
    value: T,
    what: String,
    attempts: u32,
}

impl<T> Seen<T> {
    /// `what` is shown: a status, a challenge, an ARN; never a token or a password.
    pub fn new(value: T, what: impl Into<String>) -> Self {
        Self { value, what: what.into(), attempts: 1 }
    }

    /// After so many attempts.
    #[must_use]
    pub fn after(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }
}

/// Shows steps, on a terminal with a spinner while they run, elsewhere as plain lines.
#[derive(Default)]
pub struct Report {
    steps: Vec<Row>,
    flow: &'static str,
    quiet: bool,
}

struct Row {
    flow: &'static str,
    step: String,
    seen: String,
    attempts: u32,
    elapsed: Duration,
    outcome: Outcome,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The step succeeded.
    Succeeded,
    /// The step was skipped.
    Skipped,
    /// The step failed.
    Failed,
}

/// A step, for other reports.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// The flow that it belongs to.
    pub flow: &'a str,
    /// What is done.
    pub step: &'a str,
    /// What came back, or why it was skipped or failed.
    pub seen: &'a str,
    /// How often it was tried.
    pub attempts: u32,
    /// How long it took.
    pub elapsed: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

impl Report {
    /// One that shows nothing, for tests.
    #[must_use]
    pub fn quiet() -> Self {
        Self { quiet: true, ..Self::default() }
    }

    /// The steps from here on belong to this flow.
    pub fn flow(&mut self, name: &'static str, title: &str) {
        self.flow = name;
        if !self.quiet {
            println!("\n{name}  {title}");
        }
    }

    /// Runs one step and shows what came of it.
    ///
    /// # Errors
    /// The step's own failure, after it has been shown.
    pub async fn step<T>(
        &mut self,
        step: impl Into<String>,
        work: impl Future<Output = Result<Seen<T>, Failure>>,
    ) -> Result<T, Failure> {
        let step = step.into();
        let started = Instant::now();
        let spinner = self.spinner(&step);
        let done = work.await;
        spinner.finish_and_clear();
        let elapsed = started.elapsed();
        match done {
            Ok(Seen { value, what, attempts }) => {
                self.add(step, what, attempts, elapsed);
                Ok(value)
            }
            Err(failure) => {
                if !self.quiet {
                    println!("  ✗ {step}  ({})", milliseconds(elapsed));
                }
                self.push(step, failure.to_string(), 1, elapsed, Outcome::Failed);
                Err(failure)
            }
        }
    }

    /// Shows a step that something else has run and timed.
    pub fn add(&mut self, step: String, seen: String, attempts: u32, elapsed: Duration) {
        if !self.quiet {
            println!("  ✓ {step} → {seen}  ({}{})", milliseconds(elapsed), more_than_one(attempts));
        }
        self.push(step, seen, attempts, elapsed, Outcome::Succeeded);
    }

    /// Shows a step that is not made, with the reason, as in `not played: the emulator drops ClientMetadata`.
    pub fn skip(&mut self, step: impl Into<String>, reason: impl Into<String>) {
        let (step, reason) = (step.into(), reason.into());
        if !self.quiet {
            println!("  – {step} → {reason}");
        }
        self.push(step, reason, 0, Duration::ZERO, Outcome::Skipped);
    }

    /// Shows a step that failed.
    pub fn fail(&mut self, step: impl Into<String>, seen: impl Into<String>, elapsed: Duration) {
        let (step, seen) = (step.into(), seen.into());
        if !self.quiet {
            println!("  ✗ {step} → {seen}  ({})", milliseconds(elapsed));
        }
        self.push(step, seen, 1, elapsed, Outcome::Failed);
    }

    fn push(&mut self, step: String, seen: String, attempts: u32, elapsed: Duration, outcome: Outcome) {
        self.steps.push(Row { flow: self.flow, step, seen, attempts, elapsed, outcome });
    }

    /// All steps in their order.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.steps.iter().map(|row| Line {
            flow: row.flow,
            step: row.step.trim(),
            seen: &row.seen,
            attempts: row.attempts,
            elapsed: row.elapsed,
            outcome: row.outcome,
        })
    }

    fn spinner(&self, step: &str) -> ProgressBar {
        if self.quiet || !stdout().is_terminal() {
            return ProgressBar::hidden();
        }
        let spinner = ProgressBar::new_spinner().with_message(step.to_owned());
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg} ({elapsed})") {
            spinner.set_style(style);
        }
        spinner.enable_steady_tick(Duration::from_millis(100));
        spinner
    }

    /// How many steps went well.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count_of(Outcome::Succeeded)
    }

    /// How many steps ended in this way.
    #[must_use]
    pub fn count_of(&self, outcome: Outcome) -> usize {
        self.steps.iter().filter(|row| row.outcome == outcome).count()
    }

    /// The table of all steps but those that failed.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
        if !stdout().is_terminal() {
            table.set_width(120);
        }
        table.set_header(["", "step", "what came back", "attempts", "time"]);
        let mut last = "";
        for row in self.steps.iter().filter(|row| row.outcome != Outcome::Failed) {
            let flow = if row.flow == last { "" } else { row.flow };
            last = row.flow;
            if row.outcome == Outcome::Skipped {
                table.add_row([flow, &row.step, &row.seen, "", ""]);
                continue;
            }
            let attempts = row.attempts.to_string();
            table.add_row([flow, &row.step, in_short(&row.seen), &attempts, &milliseconds(row.elapsed)]);
        }
        for column in [3, 4] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.to_string()
    }
}

/// What stands before the explanations; the line of the step has all of it.
fn in_short(seen: &str) -> &str {
    let end = [seen.find(": "), seen.find("; ")].into_iter().flatten().min();
    &seen[..end.unwrap_or(seen.len())]
}

fn milliseconds(elapsed: Duration) -> String {
    format!("{} ms", elapsed.as_millis())
}

fn more_than_one(attempts: u32) -> String {
    if attempts > 1 { format!(", {attempts} attempts") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_keeps_what_stands_before_the_explanations() {
        for (seen, short) in [
            ("succeeded: confirmed as administrator", "succeeded"),
            (
                "NEW_PASSWORD_REQUIRED, with a session; missing attributes: nothing",
                "NEW_PASSWORD_REQUIRED, with a session",
            ),
            ("arn:aws:sts::000000000000:assumed-role/a/b", "arn:aws:sts::000000000000:assumed-role/a/b"),
            ("", ""),
        ] {
            assert_eq!(in_short(seen), short);
        }
    }

    #[tokio::test]
    async fn a_step_that_fails_is_not_in_the_table() {
        let mut report = Report::quiet();
        report.flow("F0", "a flow");
        report.step("goes well", async { Ok(Seen::new((), "fine").after(3)) }).await.unwrap();
        let failed = report.step("goes wrong", async { Err::<Seen<()>, _>(Failure::unexpected("this", "that")) }).await;
        assert_eq!(failed.unwrap_err().to_string(), "expected this, got that");
        let table = report.table();
        assert!(report.count() == 1 && table.contains("goes well") && !table.contains("goes wrong"), "{table}");
    }
}
