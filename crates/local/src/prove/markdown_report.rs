//! The report: Markdown without secrets, ready to attach to an issue.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use testkit::local_aws::Tooling as _;

use super::account::Account;
use super::plan::Plan;
use super::proof::{Proof, Verdict};
use super::scrub::Scrubber;
use crate::failure::Failure;
use crate::report::Outcome;

/// Creates the file and returns its path, so that an unwritable path fails before the run.
///
/// # Errors
/// Returns an error if the file cannot be written.
pub(super) fn create(account: &Account, path: Option<&Path>) -> Result<PathBuf, Failure> {
    let path = path.map_or_else(|| account.tools().target_folder().join("prove/report.md"), Path::to_owned);
    let created = path.parent().map_or(Ok(()), fs::create_dir_all);
    created.and_then(|()| fs::write(&path, "The run did not finish.\n")).map_err(|error| unwritten(&path, &error))?;
    Ok(path)
}

/// Writes the report.
///
/// # Errors
/// Returns an error if the file cannot be written.
pub(super) fn write(account: &Account, plan: &Plan, proof: &Proof, path: &Path) -> Result<(), Failure> {
    let scrubber = Scrubber::new(
        &[
            (&account.operator, "OPERATOR"),
            (&account.id, "ACCOUNT"),
            (account.mailbox().unwrap_or_default(), "MAILBOX"),
        ],
        // `default` does not identify a profile, and occurs in many messages.
        &[(account.profile().filter(|&profile| profile != "default").unwrap_or_default(), "PROFILE")],
    );
    fs::write(path, scrubber.scrub(&markdown(account, plan, proof))).map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::Usage(format!("cannot write the report to {}: {error}", path.display()))
}

fn markdown(account: &Account, plan: &Plan, proof: &Proof) -> String {
    let place = if account.is_emulator() {
        "an **emulator** at AWS_ENDPOINT_URL. This report proves nothing about AWS"
    } else {
        "AWS"
    };
    let mut text = format!("# `make prove`: Poolkeeper {} on {place}\n\n", env!("CARGO_PKG_VERSION"));
    let problems =
        if proof.problems.is_empty() { "none".to_owned() } else { format!("{}, see below", proof.problems.len()) };
    let facts = [
        ("region", account.region().to_owned()),
        ("stack", plan.name.clone()),
        ("parameters", parameters(&plan.parameters, &plan.given)),
        ("versions", plan.versions.clone()),
        ("times", times(&proof.timings)),
        ("problems", problems),
    ];
    text.push_str("| | |\n|---|---|\n");
    for (name, value) in facts {
        row(&mut text, &[name, &value]);
    }
    let _ = writeln!(text, "\n```\n{}\n```", proof.summary());
    if !proof.problems.is_empty() {
        let _ = writeln!(text, "\n## Problems\n\n```\n{}\n```", proof.problems.join("\n\n"));
    }
    statements(&mut text, proof);
    steps(&mut text, proof);
    left(&mut text, proof);
    text
}

fn statements(text: &mut String, proof: &Proof) {
    text.push_str(
        "\n## Statements about AWS\n\n| statement | verdict | observation, or reason why not proved |\n|---|---|---|\n",
    );
    for statement in &proof.statements {
        let verdict = match statement.verdict {
            Verdict::Refuted => "**refuted**".to_owned(),
            verdict => verdict.to_string(),
        };
        row(text, &[statement.text, &verdict, &statement.observed]);
    }
}

fn steps(text: &mut String, proof: &Proof) {
    text.push_str("\n## Steps\n\n| flow | step | result | observed | attempts | ms |\n|---|---|---|---|---|---|\n");
    for line in proof.report.lines() {
        let result = match line.outcome {
            Outcome::Succeeded => "ok",
            Outcome::Skipped => "skipped",
            Outcome::Failed => "**failed**",
        };
        let (attempts, elapsed) = (line.attempts.to_string(), line.elapsed.as_millis().to_string());
        row(text, &[line.flow, line.step, result, line.seen, &attempts, &elapsed]);
    }
}

fn left(text: &mut String, proof: &Proof) {
    text.push_str("\n## Left in the account\n\n");
    let Some(left) = &proof.left else {
        text.push_str(if proof.kept {
            "All resources, because the run was started with `--keep`.\n"
        } else {
            "Not listed.\n"
        });
        return;
    };
    text.push_str("| kind | names |\n|---|---|\n");
    for (kind, names) in left {
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        row(text, &[kind, &names]);
    }
}

/// Adds a table row, with separators and line breaks in cells escaped.
fn row(text: &mut String, cells: &[&str]) {
    for cell in cells {
        let cell = cell.replace('|', "\\|").replace(['\n', '\r'], " ");
        let _ = write!(text, "| {cell} ");
    }
    text.push_str("|\n");
}

/// The parameters of the deployment. The report shows only the names of the operator's parameters, because their values
/// can be private.
fn parameters(all: &BTreeMap<String, String>, given: &BTreeSet<String>) -> String {
    let shown = all.iter().map(|(name, value)| {
        if given.contains(name) { format!("`{name}` (given by the operator)") } else { format!("`{name}={value}`") }
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn times(timings: &[(&str, Duration)]) -> String {
    let times = timings.iter().map(|(part, elapsed)| format!("{part} {} s", elapsed.as_secs()));
    times.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_given_parameters_by_name_only() {
        let all = [("AutoConfirm", "everyone"), ("FirstAdminEmail", "me@example.org")];
        let all = all.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let given = BTreeSet::from(["FirstAdminEmail".to_owned()]);
        assert_eq!(parameters(&all, &given), "`AutoConfirm=everyone` `FirstAdminEmail` (given by the operator)");
    }

    #[test]
    fn escapes_separators_and_line_breaks_in_cells() {
        let mut text = String::new();
        row(&mut text, &["a|b", "first\nsecond", ""]);
        assert_eq!(text, "| a\\|b | first second |  |\n");
    }
}
