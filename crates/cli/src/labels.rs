//! Names of steps and outcomes in the text output. The receipt (`--json`) has its own names.

use std::time::Duration;

use domain::provision::{Outcome, Step};

/// The name of a step.
pub(crate) fn step(step: Step) -> &'static str {
    match step {
        Step::UserPool => "user pool",
        Step::BackendClient => "backend client",
        Step::WebClient => "web client",
        Step::Groups => "groups",
        Step::IdentityPool => "identity pool",
        Step::Policy => "policy",
        Step::Role => "role",
        Step::PolicyAttachment => "policy attachment",
        Step::IdentityPoolRole => "identity pool role",
        Step::FirstAdmin => "first administrator",
        Step::PoolTags => "user pool tags",
        Step::SignUp => "sign-up",
        Step::Confirm => "confirmation",
        Step::SignIn => "sign-in",
        Step::Identity => "identity",
        Step::Credentials => "AWS credentials",
        Step::CallerIdentity => "caller identity",
        Step::CleanUp => "test user",
    }
}

/// Whether a step belongs to `verify`, which leaves no lasting change.
pub(crate) fn is_verification(step: Step) -> bool {
    matches!(
        step,
        Step::SignUp
            | Step::Confirm
            | Step::SignIn
            | Step::Identity
            | Step::Credentials
            | Step::CallerIdentity
            | Step::CleanUp
    )
}

/// The outcome of a step, printed after the step's name.
pub(crate) fn step_outcome(step: Step, outcome: Outcome) -> &'static str {
    match (step, outcome) {
        (Step::Confirm, Outcome::Unchanged) => "not needed",
        (_, outcome) => self::outcome(outcome),
    }
}

/// The name of an outcome.
pub(crate) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Adopted => "adopted",
        Outcome::Updated => "changed",
        Outcome::Unchanged => "unchanged",
        Outcome::Deleted => "deleted",
        Outcome::Absent => "not found",
        Outcome::Retained => "retained",
        Outcome::Succeeded => "works",
        Outcome::NotProved => "not proved",
        Outcome::Failed => "failed",
    }
}

/// A duration in a suitable unit, e.g. `1.3 s`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match duration.as_millis() {
        milliseconds @ ..1000 => format!("{milliseconds} ms"),
        1000..10_000 => format!("{:.1} s", duration.as_secs_f64()),
        10_000..60_000 => format!("{seconds} s"),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_durations_in_the_unit_that_fits() {
        for (milliseconds, text) in
            [(0, "0 ms"), (999, "999 ms"), (1340, "1.3 s"), (10_900, "10 s"), (59_999, "59 s"), (125_000, "2 min 5 s")]
        {
            assert_eq!(duration(Duration::from_millis(milliseconds)), text);
        }
    }
}
