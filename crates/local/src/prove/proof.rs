//! What a run has come to so far.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::stop::Stop;
use crate::report::{Outcome, Report};

/// What is known about a statement that only AWS can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// AWS does what the statement says.
    Proved,
    /// AWS does something else.
    Refuted,
    /// It was not found out.
    NotProved,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Proved => "proved",
            Self::Refuted => "refuted",
            Self::NotProved => "not proved",
        })
    }
}

/// A statement with its verdict.
pub(super) struct Statement {
    /// What AWS should do.
    pub(super) text: &'static str,
    /// Whether it does.
    pub(super) verdict: Verdict,
    /// What was observed, or why nothing was.
    pub(super) observed: String,
}

/// Everything that a report is made of.
#[derive(Default)]
pub(super) struct Proof {
    /// The steps of the walk.
    pub(super) report: Report,
    /// The statements, in their order.
    pub(super) statements: Vec<Statement>,
    /// What went wrong. Before it is written anywhere, it is scrubbed.
    pub(super) problems: Vec<String>,
    /// How long the parts of the run took.
    pub(super) timings: Vec<(&'static str, Duration)>,
    /// What every service lists after the deletion, by kind; nothing if it was not listed.
    pub(super) left: Option<BTreeMap<String, Vec<String>>>,
    /// Whether the operator keeps the stacks.
    pub(super) kept: bool,
}

impl Proof {
    /// Notes something that went wrong.
    pub(super) fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// Shows and notes a verdict.
    pub(super) fn state(&mut self, text: &'static str, verdict: Verdict, observed: String, elapsed: Duration) {
        match verdict {
            Verdict::Proved => self.report.add(text.to_owned(), format!("proved: {observed}"), 1, elapsed),
            Verdict::NotProved => self.report.skip(text, format!("not proved: {observed}")),
            Verdict::Refuted => self.report.fail(text, format!("refuted: {observed}"), elapsed),
        }
        self.statements.push(Statement { text, verdict, observed });
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.statements.iter().filter(|statement| statement.verdict == verdict).count()
    }

    /// What is left, one entry a line.
    pub(super) fn left(&self) -> Vec<String> {
        let kinds = self.left.iter().flatten();
        kinds.flat_map(|(kind, names)| names.iter().map(move |name| format!("{kind}: {name}"))).collect()
    }

    /// The run in a few lines.
    pub(super) fn summary(&self) -> String {
        let report = &self.report;
        let left = match &self.left {
            None => "not listed".to_owned(),
            Some(_) if self.left().is_empty() => "nothing".to_owned(),
            Some(_) => self.left().join(", "),
        };
        format!(
            "Steps: {} as they should be, {} skipped, {} failed\nStatements: {} proved, {} refuted, {} not proved\nLeft in the \
             account: {left}",
            report.count_of(Outcome::Succeeded),
            report.count_of(Outcome::Skipped),
            report.count_of(Outcome::Failed),
            self.count(Verdict::Proved),
            self.count(Verdict::Refuted),
            self.count(Verdict::NotProved),
        )
    }

    /// Whether the run is a success.
    pub(super) fn verdict(&self, was_interrupted: bool) -> Result<(), Stop> {
        let problems = self.problems.join("\n");
        if was_interrupted {
            return Err(Stop::Interrupted(problems));
        }
        if self.count(Verdict::Refuted) > 0 && problems.is_empty() {
            return Err(Stop::Failed("AWS refutes a statement; see the report".to_owned()));
        }
        if problems.is_empty() { Ok(()) } else { Err(Stop::Failed(problems)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof() -> Proof {
        Proof { report: Report::quiet(), left: Some(BTreeMap::new()), ..Proof::default() }
    }

    fn outcome(proof: &Proof, was_interrupted: bool) -> Result<(), String> {
        proof.verdict(was_interrupted).map_err(|stop| stop.to_string())
    }

    #[test]
    fn what_is_not_proved_is_no_failure_and_what_is_refuted_is_one() {
        let mut proof = proof();
        proof.state("a", Verdict::Proved, "seen".to_owned(), Duration::ZERO);
        proof.state("b", Verdict::NotProved, "not played".to_owned(), Duration::ZERO);
        assert_eq!(outcome(&proof, false), Ok(()));
        proof.state("c", Verdict::Refuted, "seen".to_owned(), Duration::ZERO);
        assert_eq!(outcome(&proof, false), Err("AWS refutes a statement; see the report".to_owned()));
        assert!(proof.summary().contains("Statements: 1 proved, 1 refuted, 1 not proved\n"), "{}", proof.summary());
    }

    #[test]
    fn problems_and_interruptions_are_failures() {
        let mut proof = proof();
        proof.problem("a step failed".to_owned());
        assert_eq!(outcome(&proof, false), Err("a step failed".to_owned()));
        assert!(matches!(proof.verdict(true), Err(Stop::Interrupted(_))));
    }

    #[test]
    fn the_summary_names_what_is_left() {
        let mut proof = proof();
        assert!(proof.summary().ends_with("Left in the account: nothing"), "{}", proof.summary());
        proof.left = Some(BTreeMap::from([("stacks".to_owned(), vec!["prove-x".to_owned()])]));
        assert!(proof.summary().ends_with("Left in the account: stacks: prove-x"), "{}", proof.summary());
        proof.left = None;
        assert!(proof.summary().ends_with("Left in the account: not listed"), "{}", proof.summary());
    }
}
