//! F3: invokes the bootstrap to create a second pool, and to delete it again.

use std::time::Duration;

use serde_json::{Value, json};

use crate::deployment::{Deployment, Target};
use crate::failure::Failure;
use crate::report::{Report, StepResult};

/// Runs the flow.
///
/// # Errors
/// Returns an error if a step fails.
pub async fn run(deployment: &Deployment<impl Target>, report: &mut Report) -> Result<(), Failure> {
    report.flow("F3", "the bootstrap creates and deletes a second pool");
    let spec = json!({
        "name": format!("{}.second", deployment.pool()),
        "sign_in": "username",
        "self_sign_up": false,
        "deletion_protection": false,
        "on_delete": "delete",
    });
    report
        .step("invoke the bootstrap: plan", async {
            let plan = deployment.bootstrap("plan", &spec).await?;
            let verdicts = verdicts(&plan);
            // The spec contains no groups, so there are none to create.
            let others = verdicts.iter().filter(|(step, _)| *step != "groups");
            if verdicts.len() == 9 && others.clone().all(|(_, verdict)| *verdict == "create") {
                Ok(StepResult::new((), format!("would create {} resources; changes nothing", others.count())))
            } else {
                Err(Failure::unexpected("a plan that creates everything", plan.to_string()))
            }
        })
        .await?;
    let applied = action(deployment, "apply", &spec, report).await?;
    report
        .step("caller ARN of an authenticated user", async {
            let caller = applied["caller_arn"].as_str().unwrap_or_default();
            if caller.contains(":assumed-role/") && caller.ends_with("/CognitoIdentityCredentials") {
                Ok(StepResult::new((), caller))
            } else {
                Err(Failure::unexpected("…:assumed-role/ROLE/CognitoIdentityCredentials", caller))
            }
        })
        .await?;
    report
        .step("apply again changes nothing", async {
            let mut unproved = spec.clone();
            unproved["verify"] = json!(false);
            let again = deployment.bootstrap("apply", &unproved).await?;
            let same = again["user_pool_id"].is_string()
                && again["user_pool_id"] == applied["user_pool_id"]
                && outcomes(&again).count() > 0
                && outcomes(&again).all(|one| one == "unchanged");
            let seen = outcomes(&again).collect::<Vec<_>>().join(", ");
            if same {
                Ok(StepResult::new((), "every step unchanged"))
            } else {
                Err(Failure::unexpected("every step unchanged", seen))
            }
        })
        .await?;
    let destroyed = action(deployment, "destroy", &spec, report).await?;
    report
        .step("every resource is deleted", async {
            if outcomes(&destroyed).collect::<Vec<_>>() != ["deleted"; 4] {
                let seen = outcomes(&destroyed).collect::<Vec<_>>().join(", ");
                return Err(Failure::unexpected("identity pool, role, policy and user pool deleted", seen));
            }
            let again = deployment.bootstrap("destroy", &spec).await?;
            let seen = outcomes(&again).collect::<Vec<_>>().join(", ");
            if outcomes(&again).all(|one| one == "absent") {
                Ok(StepResult::new((), "a second destroy finds nothing"))
            } else {
                Err(Failure::unexpected("nothing to destroy", seen))
            }
        })
        .await
}

/// Runs an action and shows each step of its receipt.
async fn action(
    deployment: &Deployment<impl Target>,
    action: &str,
    spec: &Value,
    report: &mut Report,
) -> Result<Value, Failure> {
    let receipt = report
        .step(format!("invoke the bootstrap: {action}"), async {
            let receipt = deployment.bootstrap(action, spec).await?;
            let steps = outcomes(&receipt).count();
            Ok(StepResult::new(receipt, format!("a receipt with {steps} steps")))
        })
        .await?;
    for step in receipt["steps"].as_array().into_iter().flatten() {
        let text = |field: &str| step[field].as_str().unwrap_or_default();
        // The caller's ARN is printed on its own line.
        let is_hidden = text("detail").is_empty() || text("step") == "caller_identity";
        let detail = if is_hidden { String::new() } else { format!(": {}", text("detail")) };
        let attempts = step["attempts"].as_u64().and_then(|attempts| u32::try_from(attempts).ok()).unwrap_or(1);
        let elapsed = Duration::from_millis(step["elapsed_ms"].as_u64().unwrap_or_default());
        report.add(
            format!("  {}", text("step").replace('_', " ")),
            format!("{}{detail}", text("outcome")),
            attempts,
            elapsed,
        );
    }
    Ok(receipt)
}

/// The verdicts of a plan, by step.
fn verdicts(plan: &Value) -> Vec<(&str, &str)> {
    let resources = plan["resources"].as_array().into_iter().flatten();
    resources
        .map(|planned| (planned["step"].as_str().unwrap_or_default(), planned["verdict"].as_str().unwrap_or_default()))
        .collect()
}

/// The outcomes of a receipt's steps.
fn outcomes(receipt: &Value) -> impl Iterator<Item = &str> {
    receipt["steps"].as_array().into_iter().flatten().map(|step| step["outcome"].as_str().unwrap_or("without outcome"))
}
