//! Statements about AWS, each with a probe.
//!
//! Every probe runs on the emulator as well, as a test. If the emulator lacks the behavior, the report shows what the
//! probe observed, and the statement is not proved.

mod api;
mod import_jobs;
mod logs;
mod pass_role;
mod sign_up;
mod tags;

use std::time::{Duration, Instant};

use domain::secret::Secret;
use serde_json::Value;
use testkit::local_aws::LocalAwsError;

use super::account::{Account, text};
use super::plan::ORIGIN;
use super::proof::{Proof, Verdict};
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::report::Report;

/// The template of the probes' stack.
pub(super) const HELPERS: &str = include_str!("probes.yaml");

/// The statements in the order of the probes.
pub(super) const STATEMENTS: [&str; 16] = [
    tags::CREATE.text,
    tags::WITHOUT.text,
    tags::WITH.text,
    tags::USER_POOL_UNTAGGED.text,
    tags::IDENTITY_POOL_UNTAGGED.text,
    sign_up::STATEMENT.text,
    pass_role::OF_POOLS.text,
    pass_role::OF_GROUPS.text,
    api::PATHS.text,
    api::PREFLIGHT.text,
    api::QUOTES.text,
    api::GROUPS.text,
    logs::LEVELS.text,
    import_jobs::COLUMNS.text,
    import_jobs::HASHES,
    PROPAGATION.text,
];

/// The environment of a probe.
struct ProbeContext<'a> {
    deployment: &'a Deployment<Account>,
    /// Outputs of [`HELPERS`].
    helpers: &'a Value,
}

/// What a probe observed, and whether the statement holds.
struct Observed {
    holds: bool,
    what: String,
}

impl Observed {
    fn that(holds: bool, what: impl Into<String>) -> Self {
        Self { holds, what: what.into() }
    }

    /// If a function fails, the statement that it succeeds is refuted. Any other error proves nothing.
    fn of_failure(error: LocalAwsError) -> Result<Self, Failure> {
        match error {
            LocalAwsError::FunctionFailed(reason) => Ok(Self::that(false, format!("the function failed: {reason}"))),
            other => Err(other.into()),
        }
    }
}

/// A statement and whether the emulator can decide it.
#[derive(Clone, Copy)]
struct Claim {
    text: &'static str,
    /// Whether the emulator has the behavior.
    emulated: bool,
}

const fn emulated(text: &'static str) -> Claim {
    Claim { text, emulated: true }
}

const fn only_on_aws(text: &'static str) -> Claim {
    Claim { text, emulated: false }
}

impl ProbeContext<'_> {
    fn helper(&self, output: &str) -> String {
        text(&self.helpers[output])
    }
}

/// The parameters of the deployment that the probes depend on.
pub(super) fn parameters(helpers: &Value) -> impl Iterator<Item = (String, String)> {
    let passable = text(&helpers["PassableRoleArn"]);
    [("AllowedOrigins".to_owned(), ORIGIN.to_owned()), ("PassableRoleArns".to_owned(), passable)].into_iter()
}

/// Runs every probe, or only those that need no token if `token` is none.
pub(super) async fn run(deployment: &Deployment<Account>, helpers: &Value, token: Option<&Secret>, proof: &mut Proof) {
    proof.report.flow("Probes", "statements about AWS");
    let context = ProbeContext { deployment, helpers };
    tags::run(&context, proof).await;
    run_probe(&context, proof, sign_up::STATEMENT, sign_up::verify_without_confirm(&context)).await;
    run_probe(&context, proof, pass_role::OF_POOLS, pass_role::update_pool(&context)).await;
    if let Some(token) = token {
        run_probe(&context, proof, pass_role::OF_GROUPS, pass_role::update_group(&context, token)).await;
        run_probe(&context, proof, api::PATHS, api::paths(&context, token)).await;
    }
    run_probe(&context, proof, api::PREFLIGHT, api::preflight(&context)).await;
    if let Some(token) = token {
        run_probe(&context, proof, api::QUOTES, api::quotes(&context, token)).await;
        run_probe(&context, proof, api::GROUPS, api::groups(&context, token)).await;
    }
    run_probe(&context, proof, logs::LEVELS, logs::levels(&context)).await;
    run_probe(&context, proof, import_jobs::COLUMNS, import_jobs::columns(&context)).await;
    let reason = "no import job is created, because only some user pools accept password hashes";
    proof.state(import_jobs::HASHES, Verdict::NotProved, reason.to_owned(), Duration::ZERO);
    if let Some(waited) = propagation(&proof.report) {
        run_probe(&context, proof, PROPAGATION, async { Ok(waited) }).await;
    }
}

/// Runs a probe and records its verdict.
async fn run_probe(
    context: &ProbeContext<'_>,
    proof: &mut Proof,
    claim: Claim,
    probe: impl Future<Output = Result<Observed, Failure>>,
) {
    let started = Instant::now();
    let observed = Box::pin(probe).await;
    record(proof, claim, observed, context.deployment.aws.is_emulator(), started.elapsed());
}

fn record(proof: &mut Proof, claim: Claim, observed: Result<Observed, Failure>, is_emulator: bool, elapsed: Duration) {
    let counts = claim.emulated || !is_emulator;
    let (verdict, what) = match observed {
        Ok(Observed { what, .. }) if !counts => {
            (Verdict::NotProved, format!("not emulated (the emulator returned: {what})"))
        }
        Ok(Observed { holds: true, what }) => (Verdict::Proved, what),
        Ok(Observed { holds: false, what }) => (Verdict::Refuted, what),
        Err(failure) => {
            let what = format!("the probe failed: {}", failure.with_causes());
            if counts {
                proof.problem(format!("{}: {what}", claim.text));
            }
            (Verdict::NotProved, what)
        }
    };
    proof.state(claim.text, verdict, what, elapsed);
}

const PROPAGATION: Claim = only_on_aws("The bootstrap receives credentials of a new role within its time limit");

/// The time from the creation of the role to the first credentials, from the receipt of F3; none if F3 failed before
/// that.
fn propagation(report: &Report) -> Option<Observed> {
    let steps: Vec<_> = report.lines().filter(|line| line.flow == "F3").collect();
    let position = |name: &str| steps.iter().position(|line| line.step == name);
    let (role, credentials) = (position("role")?, position("credentials")?);
    let waited: Duration = steps.get(role + 1..=credentials)?.iter().map(|line| line.elapsed).sum();
    let attempts = steps.get(credentials)?.attempts;
    Some(Observed::that(true, format!("{:.1} s, {attempts} attempts for the credentials", waited.as_secs_f64())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_for_credentials_starts_after_the_role() {
        let mut report = Report::quiet();
        assert!(propagation(&report).is_none());
        report.flow("F3", "");
        let steps = [("policy", 1, 40), ("role", 1, 20), ("policy attachment", 1, 1), ("credentials", 5, 7)];
        for (step, attempts, seconds) in steps {
            report.add(format!("  {step}"), "created".to_owned(), attempts, Duration::from_secs(seconds));
        }
        report.add("caller identity".to_owned(), "succeeded".to_owned(), 1, Duration::from_secs(9));
        let observed = propagation(&report).unwrap();
        assert_eq!(observed.what, "8.0 s, 5 attempts for the credentials");
    }

    /// Verdict, text and problems of one probe.
    fn noted(claim: Claim, observed: Result<Observed, Failure>, is_emulator: bool) -> (Verdict, String, usize) {
        let mut proof = Proof { report: Report::quiet(), ..Proof::default() };
        record(&mut proof, claim, observed, is_emulator, Duration::ZERO);
        let statement = proof.statements.remove(0);
        (statement.verdict, statement.observed, proof.problems.len())
    }

    #[test]
    fn failed_probe_is_a_problem_unless_not_emulated() {
        let failed = || Err(Failure::unexpected("this", "that"));
        let what = "the probe failed: expected this, got that";
        for (claim, is_emulator, problems) in [
            (only_on_aws("s"), false, 1),
            (emulated("s"), false, 1),
            (emulated("s"), true, 1),
            (only_on_aws("s"), true, 0),
        ] {
            assert_eq!(noted(claim, failed(), is_emulator), (Verdict::NotProved, what.to_owned(), problems));
        }
    }

    #[test]
    fn emulator_decides_only_emulated_claims() {
        for (holds, verdict) in [(true, Verdict::Proved), (false, Verdict::Refuted)] {
            let observed = || Ok(Observed::that(holds, "seen"));
            assert_eq!(noted(only_on_aws("s"), observed(), false), (verdict, "seen".to_owned(), 0));
            assert_eq!(noted(emulated("s"), observed(), true), (verdict, "seen".to_owned(), 0));
            let ignored = "not emulated (the emulator returned: seen)".to_owned();
            assert_eq!(noted(only_on_aws("s"), observed(), true), (Verdict::NotProved, ignored, 0));
        }
    }

    #[test]
    fn denied_call_of_a_function_refutes_a_statement() {
        let denied = "UpdateUserPool is not allowed: AccessDeniedException";
        let observed = Observed::of_failure(LocalAwsError::FunctionFailed(denied.to_owned()));
        let (verdict, what, _) = noted(only_on_aws("s"), observed, false);
        assert!(verdict == Verdict::Refuted && what.contains(denied), "{what}");

        let unreachable = Observed::of_failure(LocalAwsError::Unreadable("no answer".to_owned()));
        let (verdict, _, problems) = noted(only_on_aws("s"), unreachable, false);
        assert_eq!((verdict, problems), (Verdict::NotProved, 1));
    }
}
