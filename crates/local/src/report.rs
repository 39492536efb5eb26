//! The output of the flows: a line per step as it happens, and a table at the end.

use std::io::{IsTerminal as _, stdout};
use std::time::{Duration, Instant};

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;

/// The result of a successful step.
pub struct StepResult<T> {
    value: T,
    what: String,
    attempts: u32,
}

impl<T> StepResult<T> {
    /// `what` is printed, e.g. a status, a challenge or an ARN. It must not contain a token or a password.
    pub fn new(value: T, what: impl Into<String>) -> Self {
        Self { value, what: what.into(), attempts: 1 }
    }

    /// Sets the number of attempts.
    #[must_use]
    pub fn after(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }
}

/// Prints and records steps, on a terminal with a spinner.
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

/// The outcome of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The step succeeded.
    Succeeded,
    /// The step was skipped.
    Skipped,
    /// The step failed.
    Failed,
}

/// A step and its outcome.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// The flow of the step.
    pub flow: &'a str,
    /// The name of the step.
    pub step: &'a str,
    /// The result, or why the step was skipped or failed.
    pub seen: &'a str,
    /// The number of attempts.
    pub attempts: u32,
    /// The elapsed time.
    pub elapsed: Duration,
    /// The outcome.
    pub outcome: Outcome,
}

impl Report {
    /// A report that prints nothing, for tests.
    #[must_use]
    pub fn quiet() -> Self {
        Self { quiet: true, ..Self::default() }
    }

    /// Begins a flow, to which the next steps belong.
    pub fn flow(&mut self, name: &'static str, title: &str) {
        self.flow = name;
        if !self.quiet {
            println!("\n{name}  {title}");
        }
    }

    /// Runs a step and prints its result.
    ///
    /// # Errors
    /// Returns the step's failure, after printing it.
    pub async fn step<T>(
        &mut self,
        step: impl Into<String>,
        work: impl Future<Output = Result<StepResult<T>, Failure>>,
    ) -> Result<T, Failure> {
        let step = step.into();
        let started = Instant::now();
        let spinner = self.spinner(&step);
        let done = work.await;
        spinner.finish_and_clear();
        let elapsed = started.elapsed();
        match done {
            Ok(StepResult { value, what, attempts }) => {
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

    /// Prints a successful step that the caller has run and timed.
    pub fn add(&mut self, step: String, seen: String, attempts: u32, elapsed: Duration) {
        if !self.quiet {
            println!("  ✓ {step} → {seen}  ({}{})", milliseconds(elapsed), more_than_one(attempts));
        }
        self.push(step, seen, attempts, elapsed, Outcome::Succeeded);
    }

    /// Prints a skipped step with the reason, e.g. `not emulated: the emulator drops ClientMetadata`.
    pub fn skip(&mut self, step: impl Into<String>, reason: impl Into<String>) {
        let (step, reason) = (step.into(), reason.into());
        if !self.quiet {
            println!("  – {step} → {reason}");
        }
        self.push(step, reason, 0, Duration::ZERO, Outcome::Skipped);
    }

    /// Prints a failed step.
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

    /// All steps in order.
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

    /// The number of successful steps.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count_of(Outcome::Succeeded)
    }

    /// The number of steps with this outcome.
    #[must_use]
    pub fn count_of(&self, outcome: Outcome) -> usize {
        self.steps.iter().filter(|row| row.outcome == outcome).count()
    }

    /// The table of all steps except failed ones.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
        if !stdout().is_terminal() {
            table.set_width(120);
        }
        table.set_header(["", "step", "result", "attempts", "time"]);
        let mut last = "";
        for row in self.steps.iter().filter(|row| row.outcome != Outcome::Failed) {
            let flow = if row.flow == last { "" } else { row.flow };
            last = row.flow;
            if row.outcome == Outcome::Skipped {
                table.add_row([flow, &row.step, &row.seen, "", ""]);
                continue;
            }
            let attempts = row.attempts.to_string();
            table.add_row([flow, &row.step, shortened(&row.seen), &attempts, &milliseconds(row.elapsed)]);
        }
        for column in [3, 4] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.to_string()
    }
}

/// The result without explanations, which are printed only in the step's line.
fn shortened(seen: &str) -> &str {
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
    fn table_omits_explanations() {
        for (seen, short) in [
            ("succeeded: confirmed with AdminConfirmSignUp", "succeeded"),
            (
                "NEW_PASSWORD_REQUIRED, with a session; missing attributes: none",
                "NEW_PASSWORD_REQUIRED, with a session",
            ),
            ("arn:aws:sts::000000000000:assumed-role/a/b", "arn:aws:sts::000000000000:assumed-role/a/b"),
            ("", ""),
        ] {
            assert_eq!(shortened(seen), short);
        }
    }

    #[tokio::test]
    async fn table_omits_failed_steps() {
        let mut report = Report::quiet();
        report.flow("F0", "a flow");
        report.step("good step", async { Ok(StepResult::new((), "fine").after(3)) }).await.unwrap();
        let failed =
            report.step("bad step", async { Err::<StepResult<()>, _>(Failure::unexpected("this", "that")) }).await;
        assert_eq!(failed.unwrap_err().to_string(), "expected this, got that");
        let table = report.table();
        assert!(report.count() == 1 && table.contains("good step") && !table.contains("bad step"), "{table}");
    }
}
