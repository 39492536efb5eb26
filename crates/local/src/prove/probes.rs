//! Statements about AWS that no emulator can decide, each with a probe.
//!
//! Every probe runs on the emulator as well, so that it is tested. If the emulator does not play the subject of a statement, the report
//! shows what the probe observed, and the statement is not proved.

mod api;
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
use crate::deployment::Scene;
use crate::failure::Failure;
use crate::report::Report;

/// The template of what the probes need beside the stack.
pub(super) const HELPERS: &str = include_str!("probes.yaml");

/// Every statement, in the order of the probes.
pub(super) const STATEMENTS: [&str; 14] = [
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
    PROPAGATION.text,
];

/// The environment of a probe.
struct Probing<'a> {
    scene: &'a Scene<Account>,
    /// Outputs of [`HELPERS`].
    helpers: &'a Value,
}

/// What a probe observed, and whether it is what the statement says.
struct Observed {
    holds: bool,
    what: String,
}

impl Observed {
    fn that(holds: bool, what: impl Into<String>) -> Self {
        Self { holds, what: what.into() }
    }

    /// A function that fails refutes the statement that it succeeds. Any other error says nothing about AWS.
    fn of_failure(error: LocalAwsError) -> Result<Self, Failure> {
        match error {
            LocalAwsError::FunctionFailed(reason) => Ok(Self::that(false, format!("the function failed: {reason}"))),
            other => Err(other.into()),
        }
    }
}

/// A statement and whether the emulator can decide it.
#[derive(Clone, Copy)]
struct Question {
    text: &'static str,
    /// Whether the emulator plays it.
    played: bool,
}

const fn played(text: &'static str) -> Question {
    Question { text, played: true }
}

const fn only_on_aws(text: &'static str) -> Question {
    Question { text, played: false }
}

impl Probing<'_> {
    fn helper(&self, output: &str) -> String {
        text(&self.helpers[output])
    }
}

/// The parameters of the deployment that the probes depend on.
pub(super) fn parameters(helpers: &Value) -> impl Iterator<Item = (String, String)> {
    let passable = text(&helpers["PassableRoleArn"]);
    [("AllowedOrigins".to_owned(), ORIGIN.to_owned()), ("PassableRoleArns".to_owned(), passable)].into_iter()
}

/// Runs every probe. Without an administrator's token the probes that need one do not run.
pub(super) async fn run(scene: &Scene<Account>, helpers: &Value, token: Option<&Secret>, proof: &mut Proof) {
    proof.report.flow("Probes", "what only AWS can decide");
    let probing = Probing { scene, helpers };
    tags::run(&probing, proof).await;
    one(&probing, proof, sign_up::STATEMENT, sign_up::verify_without_confirm(&probing)).await;
    one(&probing, proof, pass_role::OF_POOLS, pass_role::update_pool(&probing)).await;
    if let Some(token) = token {
        one(&probing, proof, pass_role::OF_GROUPS, pass_role::update_group(&probing, token)).await;
        one(&probing, proof, api::PATHS, api::paths(&probing, token)).await;
    }
    one(&probing, proof, api::PREFLIGHT, api::preflight(&probing)).await;
    if let Some(token) = token {
        one(&probing, proof, api::QUOTES, api::quotes(&probing, token)).await;
        one(&probing, proof, api::GROUPS, api::groups(&probing, token)).await;
    }
    one(&probing, proof, logs::LEVELS, logs::levels(&probing)).await;
    if let Some(waited) = propagation(&proof.report) {
        one(&probing, proof, PROPAGATION, async { Ok(waited) }).await;
    }
}

/// Runs one probe and notes its verdict.
async fn one(
    probing: &Probing<'_>,
    proof: &mut Proof,
    question: Question,
    probe: impl Future<Output = Result<Observed, Failure>>,
) {
    let began = Instant::now();
    let observed = Box::pin(probe).await;
    note(proof, question, observed, probing.scene.aws.is_emulator(), began.elapsed());
}

fn note(
    proof: &mut Proof,
    question: Question,
    observed: Result<Observed, Failure>,
    is_emulator: bool,
    elapsed: Duration,
) {
    let counts = question.played || !is_emulator;
    let (verdict, what) = match observed {
        Ok(Observed { what, .. }) if !counts => {
            (Verdict::NotProved, format!("the emulator does not play this (it shows: {what})"))
        }
        Ok(Observed { holds: true, what }) => (Verdict::Proved, what),
        Ok(Observed { holds: false, what }) => (Verdict::Refuted, what),
        Err(failure) => {
            let what = format!("the probe failed: {}", failure.with_causes());
            if counts {
                proof.problem(format!("{}: {what}", question.text));
            }
            (Verdict::NotProved, what)
        }
    };
    proof.state(question.text, verdict, what, elapsed);
}

const PROPAGATION: Question = only_on_aws("A new role gives credentials within the bootstrap's time");

/// The time from the role's creation to the first credentials, from the receipt of F3. Nothing if F3 did not get that far.
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
    fn the_wait_for_credentials_begins_after_the_role() {
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
    fn noted(question: Question, observed: Result<Observed, Failure>, is_emulator: bool) -> (Verdict, String, usize) {
        let mut proof = Proof { report: Report::quiet(), ..Proof::default() };
        note(&mut proof, question, observed, is_emulator, Duration::ZERO);
        let statement = proof.statements.remove(0);
        (statement.verdict, statement.observed, proof.problems.len())
    }

    #[test]
    fn a_failed_probe_is_a_problem_unless_the_emulator_does_not_play_it() {
        let failed = || Err(Failure::unexpected("this", "that"));
        let what = "the probe failed: expected this, got that";
        for (question, is_emulator, problems) in
            [(only_on_aws("s"), false, 1), (played("s"), false, 1), (played("s"), true, 1), (only_on_aws("s"), true, 0)]
        {
            assert_eq!(noted(question, failed(), is_emulator), (Verdict::NotProved, what.to_owned(), problems));
        }
    }

    #[test]
    fn the_emulator_decides_only_what_it_plays() {
        for (holds, verdict) in [(true, Verdict::Proved), (false, Verdict::Refuted)] {
            let observed = || Ok(Observed::that(holds, "seen"));
            assert_eq!(noted(only_on_aws("s"), observed(), false), (verdict, "seen".to_owned(), 0));
            assert_eq!(noted(played("s"), observed(), true), (verdict, "seen".to_owned(), 0));
            let ignored = "the emulator does not play this (it shows: seen)".to_owned();
            assert_eq!(noted(only_on_aws("s"), observed(), true), (Verdict::NotProved, ignored, 0));
        }
    }

    #[test]
    fn a_denied_call_of_a_function_refutes_a_statement() {
        let denied = "UpdateUserPool is not allowed: AccessDeniedException";
        let observed = Observed::of_failure(LocalAwsError::FunctionFailed(denied.to_owned()));
        let (verdict, what, _) = noted(only_on_aws("s"), observed, false);
        assert!(verdict == Verdict::Refuted && what.contains(denied), "{what}");

        let unreachable = Observed::of_failure(LocalAwsError::Unreadable("no answer".to_owned()));
        let (verdict, _, problems) = noted(only_on_aws("s"), unreachable, false);
        assert_eq!((verdict, problems), (Verdict::NotProved, 1));
    }
}
