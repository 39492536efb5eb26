//! The output of `doctor`: each finding with its reason and fix, and a count.

use domain::doctor::{Finding, Severity};
use serde::Serialize;

use crate::layout::wrap;

/// Spaces before the details of a finding.
const INDENT: usize = 4;

/// The findings of a user pool.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    user_pool_id: String,
    errors: usize,
    warnings: usize,
    notes: usize,
    findings: Vec<Finding>,
}

impl Report {
    /// Counts all findings, and keeps the notes among them only if `all` is set.
    pub(crate) fn new(user_pool_id: &str, mut findings: Vec<Finding>, all: bool) -> Self {
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        let (errors, warnings, notes) = (count(Severity::Error), count(Severity::Warning), count(Severity::Info));
        findings.retain(|finding| all || finding.severity != Severity::Info);
        Self { user_pool_id: user_pool_id.to_owned(), errors, warnings, notes, findings }
    }

    pub(crate) fn has_errors_or_warnings(&self) -> bool {
        self.errors + self.warnings > 0
    }
}

/// Formats a report.
pub(crate) fn lines(report: &Report, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = report.findings.iter().flat_map(|finding| of_finding(finding, width)).collect();
    lines.extend(wrap("", &conclusion(report), 0, width));
    lines
}

fn of_finding(finding: &Finding, width: usize) -> Vec<String> {
    let sign = match finding.severity {
        Severity::Error => '✗',
        Severity::Warning => '~',
        Severity::Info => '=',
    };
    let indent = " ".repeat(INDENT);
    let mut lines = wrap(&format!("{sign} {}  ", finding.check.as_str()), &finding.subject, INDENT, width);
    lines.extend(wrap(&indent, &finding.reason, INDENT, width));
    // Not wrapped, so that the command can be copied.
    lines.push(format!("{indent}{}", finding.fix));
    lines.push(String::new());
    lines
}

fn conclusion(report: &Report) -> String {
    let shown = report.findings.iter().any(|finding| finding.severity == Severity::Info);
    let counts = [(report.errors, "error"), (report.warnings, "warning"), (report.notes, "note")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, what)| format!("{count} {what}{}", plural(count))).collect();
    let found = if report.has_errors_or_warnings() { "Found" } else { "No errors or warnings" };
    let hint = if report.notes > 0 && !shown { "; --all prints the notes" } else { "" };
    match counts.as_slice() {
        [] => "No findings.".to_owned(),
        counts if report.has_errors_or_warnings() => format!("{found} {}{hint}.", counts.join(", ")),
        counts => format!("{found}. {}{hint}.", counts.join(", ")),
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use console::measure_text_width;
    use domain::doctor::Check;

    use super::*;
    use crate::layout::UNLIMITED;

    fn finding(check: Check) -> Finding {
        Finding {
            check,
            severity: check.severity(),
            subject: "app client shop-web (4tq9hr0d1p8v2m3n6k7j5s8a1b)".to_owned(),
            reason: "errors of sign-in and password reset reveal whether a user exists".to_owned(),
            fix:
                "aws cognito-idp describe-user-pool-client --region eu-west-1 --user-pool-id eu-west-1_AbCdEfGhI | jq …"
                    .to_owned(),
        }
    }

    fn report(checks: &[Check], all: bool) -> Report {
        Report::new("eu-west-1_AbCdEfGhI", checks.iter().copied().map(finding).collect(), all)
    }

    #[test]
    fn shows_findings_with_reasons_and_fixes() {
        let report = report(&[Check::TrustAudience, Check::UserExistenceErrors, Check::MfaOff], true);
        insta::assert_snapshot!(lines(&report, 60).join("\n"));
    }

    #[test]
    fn wraps_everything_but_commands() {
        let report = report(&[Check::TrustAudience, Check::UserExistenceErrors], false);
        let is_command = |line: &String| line.contains("aws cognito-idp");
        for width in [40, 80] {
            let lines = lines(&report, width);
            assert!(lines.iter().all(|line| is_command(line) || measure_text_width(line) <= width), "{lines:#?}");
            assert_eq!(lines.iter().filter(|line| is_command(line)).count(), 2);
        }
    }

    #[test]
    fn concludes_with_counts() {
        use Check::{MfaOff, TrustAudience, UserExistenceErrors};
        let cases: [(&[Check], bool); 6] = [
            (&[], false),
            (&[MfaOff], false),
            (&[MfaOff], true),
            (&[TrustAudience], false),
            (&[TrustAudience, UserExistenceErrors, UserExistenceErrors, MfaOff], false),
            (&[TrustAudience, UserExistenceErrors, MfaOff, MfaOff], true),
        ];
        let conclusions = cases.map(|(checks, all)| lines(&report(checks, all), UNLIMITED).pop().unwrap());
        insta::assert_snapshot!(conclusions.join("\n"));
    }

    #[test]
    fn only_errors_and_warnings_fail_the_command() {
        for (check, fails) in [(Check::MfaOff, false), (Check::UserExistenceErrors, true), (Check::TrustAudience, true)]
        {
            assert_eq!(report(&[check], false).has_errors_or_warnings(), fails, "{check:?}");
        }
    }
}
