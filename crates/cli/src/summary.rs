//! The summary of an action: ids and ARNs, counts of outcomes, elapsed time.

use std::time::Duration;

use domain::provision::{Action, Outcome, Receipt};

use crate::labels;
use crate::layout::{labelled, wrap};

/// Formats the summary of a successful action.
pub(crate) fn lines(receipt: &Receipt, took: Duration, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    if receipt.action != Action::Destroy {
        lines.extend(labelled(&ids(receipt), width));
        lines.push(String::new());
    }
    let conclusion = format!("{} ({})", conclusion(receipt), labels::duration(took));
    lines.extend(wrap("", &conclusion, 0, width));
    lines
}

fn ids(receipt: &Receipt) -> Vec<(&str, &str)> {
    let rows = [
        ("User pool", &receipt.user_pool_id),
        ("User pool ARN", &receipt.user_pool_arn),
        ("Issuer", &receipt.issuer),
        ("Backend client", &receipt.backend_client_id),
        ("Web client", &receipt.web_client_id),
        ("Identity pool", &receipt.identity_pool_id),
        ("Role", &receipt.role_arn),
        ("Policy", &receipt.policy_arn),
        ("Caller ARN", &receipt.caller_arn),
    ];
    rows.into_iter().filter_map(|(label, id)| Some((label, id.as_deref()?))).collect()
}

/// One or two sentences on the result.
fn conclusion(receipt: &Receipt) -> String {
    let lasting = receipt.steps.iter().filter(|report| !labels::is_verification(report.step));
    let of = |outcome: Outcome| lasting.clone().filter(|report| report.outcome == outcome).count();
    let counted = |outcomes: &[Outcome]| {
        let counts = outcomes.iter().map(|outcome| (of(*outcome), labels::outcome(*outcome)));
        let counts = counts.filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        counts.collect::<Vec<_>>().join(", ")
    };
    match receipt.action {
        Action::Destroy if retained_everything(receipt) => "All resources were retained.".to_owned(),
        Action::Destroy if of(Outcome::Deleted) == 0 => "Nothing to delete.".to_owned(),
        Action::Destroy => format!("Done: {}.", counted(&[Outcome::Deleted, Outcome::Absent, Outcome::Retained])),
        Action::Plan | Action::Verify if is_partly_proved(receipt) => {
            "Partly verified: a test user signed in and received AWS credentials; the sign-up is not proved.".to_owned()
        }
        Action::Plan | Action::Verify => {
            "Verified: a test user signed up, signed in and received AWS credentials.".to_owned()
        }
        Action::Apply => {
            let proof = match receipt.caller_arn {
                Some(_) if is_partly_proved(receipt) => {
                    "Partly verified: a test user signed in; the sign-up is not proved."
                }
                Some(_) => "Verified: a test user signed in.",
                None => "Not verified, because the spec's `verify` is false.",
            };
            if of(Outcome::Created) + of(Outcome::Adopted) + of(Outcome::Updated) == 0 {
                return format!("No changes. {proof}");
            }
            let counted = counted(&[Outcome::Created, Outcome::Adopted, Outcome::Updated, Outcome::Unchanged]);
            format!("Done: {counted}. {proof}")
        }
    }
}

/// Whether `destroy` retained every resource that exists. Only `destroy` retains resources.
pub(crate) fn retained_everything(receipt: &Receipt) -> bool {
    let has = |outcome: Outcome| receipt.steps.iter().any(|report| report.outcome == outcome);
    has(Outcome::Retained) && !has(Outcome::Deleted)
}

/// Whether a verification step could not run.
fn is_partly_proved(receipt: &Receipt) -> bool {
    receipt.steps.iter().any(|report| report.outcome == Outcome::NotProved)
}

#[cfg(test)]
mod tests {
    use console::measure_text_width;
    use domain::provision::{Step, StepReport};

    use super::*;
    use crate::layout::UNLIMITED;

    fn receipt(action: Action, steps: &[(Step, Outcome)]) -> Receipt {
        let steps = steps.iter().map(|(step, outcome)| StepReport {
            step: *step,
            outcome: *outcome,
            attempts: 1,
            elapsed_ms: 1,
            detail: None,
        });
        Receipt {
            action,
            user_pool_id: Some("us-east-1_AbCdEfGhI".to_owned()),
            user_pool_arn: Some("arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_AbCdEfGhI".to_owned()),
            issuer: None,
            backend_client_id: None,
            web_client_id: None,
            identity_pool_id: None,
            role_arn: None,
            policy_arn: None,
            caller_arn: None,
            steps: steps.collect(),
        }
    }

    #[test]
    fn aligns_ids_and_wraps_long_ones() {
        let arn = "arn:aws:sts::000000000000:assumed-role/poolkeeper.shop.us-east-1/CognitoIdentityCredentials";
        let receipt = Receipt { caller_arn: Some(arn.to_owned()), ..receipt(Action::Verify, &[]) };
        let lines = lines(&receipt, Duration::from_millis(1400), 80);
        assert!(lines.iter().all(|line| measure_text_width(line) <= 80));
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn says_what_was_done_and_what_was_proved() {
        use Outcome::{Absent, Created, Deleted, NotProved, Retained, Succeeded, Unchanged, Updated};
        use Step::{CleanUp, Confirm, Groups, IdentityPool, Policy, Role, SignIn, SignUp, UserPool};
        let proved = [(SignIn, Succeeded), (Confirm, Unchanged), (CleanUp, Deleted)];
        let partly_proved = [(SignUp, NotProved), (SignIn, Succeeded)];
        let changed = [(UserPool, Updated), (Role, Created), (Policy, Created), (Groups, Unchanged)];
        let cases: [(Action, &[(Step, Outcome)]); 9] = [
            (Action::Apply, &[&changed[..], &proved].concat()),
            (Action::Apply, &partly_proved),
            (Action::Apply, &[(Role, Unchanged)]),
            (Action::Verify, &proved),
            (Action::Verify, &partly_proved),
            (Action::Destroy, &[(IdentityPool, Deleted), (Role, Retained), (UserPool, Deleted)]),
            (Action::Destroy, &[(Role, Deleted)]),
            (Action::Destroy, &[(IdentityPool, Retained), (UserPool, Retained)]),
            (Action::Destroy, &[(Role, Absent)]),
        ];
        let conclusions = cases.map(|(action, steps)| {
            let is_proved = steps.iter().any(|(step, _)| labels::is_verification(*step));
            let caller_arn = is_proved.then(|| "arn".to_owned());
            let receipt = Receipt { caller_arn, ..receipt(action, steps) };
            let conclusion = lines(&receipt, Duration::from_millis(1400), UNLIMITED).pop().unwrap();
            format!("{action:?} {steps:?}\n  {conclusion}")
        });
        insta::assert_snapshot!(conclusions.join("\n"));
    }
}
