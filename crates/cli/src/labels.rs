//! What things are called where people read them. Programs read the names of the receipt (`--json`).

use std::time::Duration;

use domain::provision::{Outcome, Step};

/// What a step is about.
pub(crate) fn step(step: Step) -> &'static str {
    match step {
        Step::UserPool => "user pool",
        Step::BackendClient => "backend client",
        Step::WebClient => "web client",
        Step::Groups => "groups",
        Step::IdentityPool => "identity pool",
        Step::Policy => "policy",
        Step::Role => "role",
        Step::PolicyAttachment => "policy on the role",
        Step::IdentityPoolRole => "role on the identity pool",
        Step::FirstAdmin => "first administrator",
        Step::PoolTags => "tags of the user pool",
        Step::SignUp => "sign-up",
        Step::Confirm => "confirmation",
        Step::SignIn => "sign-in",
        Step::Identity => "identity",
        Step::Credentials => "access to AWS",
        Step::CallerIdentity => "caller identity",
        Step::CleanUp => "throw-away user",
    }
}

/// Whether a step is part of the proof, which changes nothing that lasts.
pub(crate) fn is_proof(step: Step) -> bool {
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

/// How a step ended, after its name.
pub(crate) fn ending(step: Step, outcome: Outcome) -> &'static str {
    match (step, outcome) {
        (Step::Confirm, Outcome::Unchanged) => "not needed",
        (_, outcome) => self::outcome(outcome),
    }
}

/// What became of something.
pub(crate) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Adopted => "taken over",
        Outcome::Updated => "changed",
        Outcome::Unchanged => "unchanged",
        Outcome::Deleted => "deleted",
        Outcome::Absent => "not there",
        Outcome::Retained => "left in place",
        Outcome::Succeeded => "works",
        Outcome::NotProved => "not proved",
        Outcome::Failed => "failed",
    }
}

/// As short as it still says something.
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
    fn durations_are_told_in_the_unit_that_fits() {
        for (milliseconds, text) in
            [(0, "0 ms"), (999, "999 ms"), (1340, "1.3 s"), (10_900, "10 s"), (59_999, "59 s"), (125_000, "2 min 5 s")]
        {
            assert_eq!(duration(Duration::from_millis(milliseconds)), text);
        }
    }
}
