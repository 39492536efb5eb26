//! The results of a run: steps, verdicts, problems, and what is left.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::error::ProveError;
use crate::report::{Outcome, Report};

/// The verdict on a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// AWS does what the statement says.
    Proved,
    /// AWS does something else.
    Refuted,
    /// The probe could not decide it, or did not run.
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

/// Names of resources in the account, by kind.
pub(super) type Left = BTreeMap<String, Vec<String>>;

const NOT_REACHED: &str = "not proved: not reached";

/// A statement with its verdict.
pub(super) struct Statement {
    /// The statement.
    pub(super) text: &'static str,
    /// The verdict.
    pub(super) verdict: Verdict,
    /// What was observed, or why it is not proved.
    pub(super) observed: String,
}

/// The content of the report.
#[derive(Default)]
pub(super) struct Proof {
    /// The steps of the flows.
    pub(super) report: Report,
    /// The statements in order.
    pub(super) statements: Vec<Statement>,
    /// The problems. The report contains them without private data.
    pub(super) problems: Vec<String>,
    /// The elapsed times of the run's parts.
    pub(super) timings: Vec<(&'static str, Duration)>,
    /// The resources that each service lists after the deletion; none if they were not listed.
    pub(super) left: Option<Left>,
    /// Whether the operator keeps the stacks.
    pub(super) kept: bool,
}

impl Proof {
    /// Adds a problem.
    pub(super) fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// Prints and records a verdict.
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

    /// What is left, one entry per resource.
    pub(super) fn left(&self) -> Vec<String> {
        self.left.as_ref().map(entries).unwrap_or_default()
    }

    /// Records every flow and statement without a result as not reached.
    pub(super) fn complete(&mut self, flows: &[&'static str], statements: &[&'static str]) {
        for &flow in flows {
            if self.report.lines().all(|line| line.flow != flow) {
                self.report.flow(flow, "not reached");
                self.report.skip("every step", NOT_REACHED);
            }
        }
        let missing = |text: &&str| self.statements.iter().all(|statement| statement.text != *text);
        let missing: Vec<&'static str> = statements.iter().copied().filter(missing).collect();
        if !missing.is_empty() {
            self.report.flow("Probes", "statements that were not reached");
        }
        for text in missing {
            self.state(text, Verdict::NotProved, "not reached".to_owned(), Duration::ZERO);
        }
    }

    /// The summary of the run.
    pub(super) fn summary(&self) -> String {
        let report = &self.report;
        let left = match &self.left {
            None => "not listed".to_owned(),
            Some(_) if self.left().is_empty() => "nothing".to_owned(),
            Some(_) => self.left().join(", "),
        };
        format!(
            "Steps: {} succeeded, {} skipped, {} failed\nStatements: {} proved, {} refuted, {} not proved\nLeft in the \
             account: {left}",
            report.count_of(Outcome::Succeeded),
            report.count_of(Outcome::Skipped),
            report.count_of(Outcome::Failed),
            self.count(Verdict::Proved),
            self.count(Verdict::Refuted),
            self.count(Verdict::NotProved),
        )
    }

    /// Returns an error unless the run is a success.
    pub(super) fn verdict(&self, was_interrupted: bool) -> Result<(), ProveError> {
        let problems = self.problems.join("\n");
        if was_interrupted {
            return Err(ProveError::Interrupted(problems));
        }
        if self.count(Verdict::Refuted) > 0 && problems.is_empty() {
            return Err(ProveError::Failed("a statement is refuted; see the report".to_owned()));
        }
        if problems.is_empty() { Ok(()) } else { Err(ProveError::Failed(problems)) }
    }
}

/// One entry per resource.
pub(super) fn entries(left: &Left) -> Vec<String> {
    left.iter().flat_map(|(kind, names)| names.iter().map(move |name| format!("{kind}: {name}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof() -> Proof {
        Proof { report: Report::quiet(), left: Some(BTreeMap::new()), ..Proof::default() }
    }

    fn outcome(proof: &Proof, was_interrupted: bool) -> Result<(), String> {
        proof.verdict(was_interrupted).map_err(|error| error.to_string())
    }

    #[test]
    fn refuted_statements_fail_and_unproved_ones_do_not() {
        let mut proof = proof();
        proof.state("a", Verdict::Proved, "seen".to_owned(), Duration::ZERO);
        proof.state("b", Verdict::NotProved, "not played".to_owned(), Duration::ZERO);
        assert_eq!(outcome(&proof, false), Ok(()));
        proof.state("c", Verdict::Refuted, "seen".to_owned(), Duration::ZERO);
        assert_eq!(outcome(&proof, false), Err("a statement is refuted; see the report".to_owned()));
        assert!(proof.summary().contains("Statements: 1 proved, 1 refuted, 1 not proved\n"), "{}", proof.summary());
    }

    #[test]
    fn problems_and_interruptions_are_failures() {
        let mut proof = proof();
        proof.problem("a step failed".to_owned());
        assert_eq!(outcome(&proof, false), Err("a step failed".to_owned()));
        assert!(matches!(proof.verdict(true), Err(ProveError::Interrupted(_))));
    }

    #[test]
    fn missing_flows_and_statements_are_not_reached() {
        let mut proof = proof();
        proof.report.flow("F1", "walked");
        proof.report.add("a step".to_owned(), "succeeded".to_owned(), 1, Duration::ZERO);
        proof.state("a", Verdict::Proved, "seen".to_owned(), Duration::ZERO);
        proof.complete(&["F1", "F2"], &["a", "b"]);
        proof.complete(&["F1", "F2"], &["a", "b"]);
        let verdicts: Vec<_> = proof.statements.iter().map(|one| (one.text, one.verdict, &*one.observed)).collect();
        assert_eq!(verdicts, [("a", Verdict::Proved, "seen"), ("b", Verdict::NotProved, "not reached")]);
        let steps: Vec<_> = proof.report.lines().map(|line| (line.flow, line.step, line.outcome)).collect();
        assert_eq!(
            steps[2..],
            [("F2", "every step", Outcome::Skipped), ("Probes", "b", Outcome::Skipped)],
            "the results of F1 and of the statement a stay"
        );
        assert_eq!(outcome(&proof, false), Ok(()));
    }

    #[test]
    fn summary_lists_what_is_left() {
        let mut proof = proof();
        assert!(proof.summary().ends_with("Left in the account: nothing"), "{}", proof.summary());
        proof.left = Some(BTreeMap::from([("stacks".to_owned(), vec!["prove-x".to_owned()])]));
        assert!(proof.summary().ends_with("Left in the account: stacks: prove-x"), "{}", proof.summary());
        proof.left = None;
        assert!(proof.summary().ends_with("Left in the account: not listed"), "{}", proof.summary());
    }
}
