//! Statements about AWS that no emulator can decide, each with a probe.
//!
//! Every probe runs on the emulator as well, so that it is tested. Where the emulator does not play its subject, what it observes there
//! counts for nothing.

mod api;
mod logs;
mod pass_role;
mod sign_up;
mod tags;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use domain::secret::Secret;
use serde_json::Value;

use super::account::{Account, text};
use super::plan::ORIGIN;
use super::proof::{Proof, Verdict};
use crate::failure::Failure;
use crate::report::Report;
use crate::scene::Scene;

/// The template of what the probes need beside the stack.
pub(super) const HELPERS: &str = include_str!("probes.yaml");

/// What a probe has to work with.
struct Probing<'a> {
    scene: &'a Scene<Account>,
    /// Outputs of [`HELPERS`].
    helpers: &'a Value,
    /// The token of an administrator.
    token: Option<&'a Secret>,
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
}

/// A statement, as it is looked into.
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
    fn token(&self) -> Result<&Secret, Failure> {
        self.token.ok_or_else(|| Failure::unexpected("an administrator who is signed in", "none"))
    }

    fn helper(&self, output: &str) -> String {
        text(&self.helpers[output])
    }
}

/// Parameters that the probes need, as far as the template has them.
pub(super) fn add_parameters(
    template: &Path,
    helpers: &Value,
    parameters: &mut BTreeMap<String, String>,
) -> Result<(), Failure> {
    let template = fs::read_to_string(template)?;
    let passable = text(&helpers["PassableRoleArn"]);
    for (name, value) in [("AllowedOrigins", ORIGIN), ("PassableRoleArns", &passable)] {
        if template.contains(&format!("\n  {name}:\n")) {
            parameters.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    Ok(())
}

/// Runs every probe.
pub(super) async fn run(scene: &Scene<Account>, helpers: &Value, token: Option<&Secret>, proof: &mut Proof) {
    proof.report.flow("Probes", "what only AWS can decide");
    let probing = Probing { scene, helpers, token };
    tags::run(&probing, proof).await;
    one(&probing, proof, sign_up::STATEMENT, sign_up::verify_without_confirm(&probing)).await;
    one(&probing, proof, pass_role::OF_POOLS, pass_role::update_pool(&probing)).await;
    one(&probing, proof, pass_role::OF_GROUPS, pass_role::update_group(&probing)).await;
    one(&probing, proof, api::PATHS, api::paths(&probing)).await;
    one(&probing, proof, api::PREFLIGHT, api::preflight(&probing)).await;
    one(&probing, proof, api::QUOTES, api::quotes(&probing)).await;
    one(&probing, proof, api::GROUPS, api::groups(&probing)).await;
    one(&probing, proof, logs::LEVELS, logs::levels(&probing)).await;
    let waited = propagation(&proof.report);
    one(&probing, proof, PROPAGATION, async { waited }).await;
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
    note(probing, proof, question, observed, began.elapsed());
}

fn note(
    probing: &Probing<'_>,
    proof: &mut Proof,
    question: Question,
    observed: Result<Observed, Failure>,
    elapsed: Duration,
) {
    let (verdict, what) = match observed {
        observed if probing.scene.aws.is_emulator() && !question.played => {
            let what = observed.map_or_else(|failure| failure.with_causes(), |observed| observed.what);
            (Verdict::NotProved, format!("the emulator does not play this (it shows: {what})"))
        }
        Ok(Observed { holds: true, what }) => (Verdict::Proved, what),
        Ok(Observed { holds: false, what }) => (Verdict::Refuted, what),
        Err(failure) => (Verdict::NotProved, format!("the probe failed: {}", failure.with_causes())),
    };
    proof.state(question.text, verdict, what, elapsed);
}

const PROPAGATION: Question = only_on_aws("A new role gives credentials within the bootstrap's time");

/// The time from the role's creation to the first credentials, from the receipt of F3.
fn propagation(report: &Report) -> Result<Observed, Failure> {
    let steps: Vec<_> = report.lines().filter(|line| line.flow == "F3").collect();
    let place = |name: &str| steps.iter().position(|line| line.step == name);
    let missing = || Failure::unexpected("the steps `role` and `credentials` of F3", "a flow without them");
    let (role, credentials) = (place("role").ok_or_else(missing)?, place("credentials").ok_or_else(missing)?);
    let waited: Duration = steps.get(role + 1..=credentials).ok_or_else(missing)?.iter().map(|line| line.elapsed).sum();
    let attempts = steps[credentials].attempts;
    Ok(Observed::that(true, format!("{:.1} s, {attempts} attempts for the credentials", waited.as_secs_f64())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_for_credentials_begins_after_the_role() {
        let mut report = Report::quiet();
        assert!(propagation(&report).is_err());
        report.flow("F3", "");
        let steps = [("policy", 1, 40), ("role", 1, 20), ("policy attachment", 1, 1), ("credentials", 5, 7)];
        for (step, attempts, seconds) in steps {
            report.add(format!("  {step}"), "created".to_owned(), attempts, Duration::from_secs(seconds));
        }
        report.add("caller identity".to_owned(), "succeeded".to_owned(), 1, Duration::from_secs(9));
        let observed = propagation(&report).unwrap();
        assert_eq!(observed.what, "8.0 s, 5 attempts for the credentials");
    }

    #[test]
    fn only_parameters_of_the_template_are_added() {
        let template = tempfile::NamedTempFile::new().unwrap();
        fs::write(template.path(), "Parameters:\n  AllowedOrigins:\n    Type: String\n").unwrap();
        let mut parameters = BTreeMap::new();
        add_parameters(template.path(), &Value::Null, &mut parameters).unwrap();
        assert_eq!(parameters, BTreeMap::from([("AllowedOrigins".to_owned(), ORIGIN.to_owned())]));
    }
}
