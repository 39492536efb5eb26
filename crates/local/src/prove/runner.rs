//! Deploys, and runs flows and probes. A failed flow does not stop the following flows or the probes.

use std::time::Instant;

use domain::secret::Secret;
use serde_json::Value;
use testkit::local_aws::Stack;

use super::account::Account;
use super::plan::Plan;
use super::probes::{self, HELPERS};
use super::proof::Proof;
use crate::api::Api;
use crate::deployment::{Deployment, Target as _};
use crate::failure::Failure;
use crate::flows;
use crate::report::{Report, StepResult};

/// The flows in order.
pub(super) const FLOWS: [&str; 9] = ["F3", "Admin", "F1", "F2", "F4", "F5", "S", "I", "G"];

/// Deploys, and runs flows and probes. Adds every failure to the problems of the run.
pub(super) async fn run(account: &Account, plan: &Plan, proof: &mut Proof) {
    let started = Instant::now();
    let deployed = Box::pin(deploy(account, plan, &mut proof.report)).await;
    proof.timings.push(("deployment", started.elapsed()));
    let (deployment, helpers) = match deployed {
        Ok(deployed) => deployed,
        Err(failure) => return proof.problem(failure.with_causes()),
    };
    let started = Instant::now();
    let admin = Box::pin(run_flows(&deployment, proof)).await;
    proof.timings.push(("flows", started.elapsed()));
    let started = Instant::now();
    Box::pin(probes::run(&deployment, &helpers, admin.as_ref(), proof)).await;
    proof.timings.push(("probes", started.elapsed()));
    if !proof.problems.is_empty() {
        let logged = deployment.stack.logged_errors(&deployment.aws).await;
        if !logged.is_empty() {
            proof.problem(format!("Errors that the functions logged:\n{logged}"));
        }
    }
}

async fn deploy(account: &Account, plan: &Plan, report: &mut Report) -> Result<(Deployment<Account>, Value), Failure> {
    report.flow("Set-up", "two stacks with random names");
    let helpers = report
        .step(format!("create the stack {}", plan.helpers()), async {
            let outputs = account.script(&["create", &plan.helpers()], Some(HELPERS)).await?;
            Ok(StepResult::new(outputs, "resources for the probes"))
        })
        .await?;
    let stack = report
        .step(format!("sam deploy {}", plan.name), async {
            let mut parameters = plan.parameters.clone();
            parameters.extend(probes::parameters(&helpers));
            let stack = Stack::deploy(account, &plan.name, &plan.template, &parameters).await?;
            Ok(StepResult::new(stack, "functions, roles, API, and a user pool that passed verification"))
        })
        .await?;
    let api = Api::new(account.url_of(&stack)?)?;
    report
        .step("GET /v1/users until the new API responds", async {
            let attempts = api.wait_until_unauthenticated("/v1/users").await?;
            Ok(StepResult::new((), "401").after(attempts))
        })
        .await?;
    Ok((Deployment { aws: account.clone(), stack, api, cognito: account.cognito.clone() }, helpers))
}

/// Runs every flow, and returns the administrator's token.
async fn run_flows(deployment: &Deployment<Account>, proof: &mut Proof) -> Option<Secret> {
    let Proof { report, problems, .. } = proof;
    let mut record = |result: Result<(), Failure>| {
        if let Err(failure) = result {
            problems.push(failure.with_causes());
        }
    };
    record(flows::second_pool::run(deployment, report).await);
    let admin = match flows::first_admin::sign_in(deployment, report).await {
        Ok(admin) => admin.token,
        Err(failure) => {
            record(Err(failure));
            return None;
        }
    };
    record(flows::account_status::run(deployment, &admin, report).await);
    record(flows::client_secret::run(deployment, &admin, report).await);
    record(flows::auto_confirm::run(deployment, &admin, report).await);
    record(flows::attributes::run(deployment, &admin, report).await);
    record(flows::support_desk::run(deployment, &admin, report).await);
    record(flows::invitations::run(deployment, &admin, report).await);
    record(flows::session_gate::run(deployment, &admin, report).await);
    record(flows::move_users::run(deployment, report).await);
    Some(admin)
}
