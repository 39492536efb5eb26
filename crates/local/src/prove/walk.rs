//! Deploys, walks the flows, and runs the probes. A failed flow does not stop the next flow or the probes.

use std::time::{Duration, Instant};

use domain::secret::Secret;
use serde_json::Value;
use testkit::local_aws::Stack;
use tokio::time::sleep;

use super::account::Account;
use super::plan::Plan;
use super::probes::{self, HELPERS};
use super::proof::Proof;
use crate::api::Api;
use crate::deployment::Scene;
use crate::failure::Failure;
use crate::flows;
use crate::report::{Report, Seen};

/// How often the new API is called until it answers, once a second.
const API_ATTEMPTS: u32 = 60;

/// The flows, in the order of the walk.
pub(super) const FLOWS: [&str; 8] = ["F3", "Admin", "F1", "F2", "F4", "F5", "S", "I"];

/// Deploys, walks and probes. Adds every failure to the proof's problems.
pub(super) async fn run(account: &Account, plan: &Plan, proof: &mut Proof) {
    let began = Instant::now();
    let deployed = Box::pin(deploy(account, plan, &mut proof.report)).await;
    proof.timings.push(("deployment", began.elapsed()));
    let (scene, helpers) = match deployed {
        Ok(deployed) => deployed,
        Err(failure) => return proof.problem(failure.with_causes()),
    };
    let began = Instant::now();
    let admin = Box::pin(walk_flows(&scene, proof)).await;
    proof.timings.push(("flows", began.elapsed()));
    let began = Instant::now();
    Box::pin(probes::run(&scene, &helpers, admin.as_ref(), proof)).await;
    proof.timings.push(("probes", began.elapsed()));
    if !proof.problems.is_empty() {
        let logged = scene.stack.logged_errors(&scene.aws).await;
        if !logged.is_empty() {
            proof.problem(format!("The functions have logged:\n{logged}"));
        }
    }
}

async fn deploy(account: &Account, plan: &Plan, report: &mut Report) -> Result<(Scene<Account>, Value), Failure> {
    report.flow("Set-up", "two stacks with a name of their own");
    let helpers = report
        .step(format!("create the stack {}", plan.helpers()), async {
            let outputs = account.script(&["create", &plan.helpers()], Some(HELPERS)).await?;
            Ok(Seen::new(outputs, "what only the probes need"))
        })
        .await?;
    let stack = report
        .step(format!("sam deploy {}", plan.name), async {
            let mut parameters = plan.parameters.clone();
            parameters.extend(probes::parameters(&helpers));
            let stack = Stack::deploy(account, &plan.name, &plan.template, &parameters).await?;
            Ok(Seen::new(stack, "functions, roles, API, and a pool that passed the sign-in of the deployment"))
        })
        .await?;
    let api = Api::new(account.api_url(stack.output("ApiId")?, stack.output("ApiUrl")?))?;
    report
        .step("GET /v1/users until the new API answers", async {
            for attempt in 1..=API_ATTEMPTS {
                let answer = api.call(reqwest::Method::GET, "/v1/users", None, None).await;
                if answer.is_ok_and(|answer| answer.expect(401).is_ok()) {
                    return Ok(Seen::new((), "401").after(attempt));
                }
                sleep(Duration::from_secs(1)).await;
            }
            Err(Failure::unexpected("401 from the new API", format!("something else, {API_ATTEMPTS} times")))
        })
        .await?;
    Ok((Scene { aws: account.clone(), stack, api, cognito: account.cognito.clone() }, helpers))
}

/// Walks every flow, and returns the administrator's token.
async fn walk_flows(scene: &Scene<Account>, proof: &mut Proof) -> Option<Secret> {
    let Proof { report, problems, .. } = proof;
    let mut note = |walked: Result<(), Failure>| {
        if let Err(failure) = walked {
            problems.push(failure.with_causes());
        }
    };
    note(flows::second_pool::walk(scene, report).await);
    let admin = match flows::first_admin::sign_in(scene, report).await {
        Ok(admin) => admin.token,
        Err(failure) => {
            note(Err(failure));
            return None;
        }
    };
    note(flows::account_status::walk(scene, &admin, report).await);
    note(flows::client_secret::walk(scene, &admin, report).await);
    note(flows::auto_confirm::walk(scene, &admin, report).await);
    note(flows::attributes::walk(scene, &admin, report).await);
    note(flows::support::walk(scene, &admin, report).await);
    note(flows::invitations::walk(scene, &admin, report).await);
    Some(admin)
}
