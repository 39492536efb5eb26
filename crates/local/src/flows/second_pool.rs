//! F3: the thirteen steps of a bootstrap, by a direct call of the function, for a second pool that is taken away again.

use std::time::Duration;

use serde_json::{Value, json};

use crate::deployment::{Scene, Target};
use crate::failure::Failure;
use crate::report::{Report, Seen};

/// Walks it.
///
/// # Errors
/// Where a step is not as it should be.
pub async fn walk(scene: &Scene<impl Target>, report: &mut Report) -> Result<(), Failure> {
    report.flow("F3", "a second pool, by calling the bootstrap directly");
    let spec = json!({
        "name": format!("{}.second", scene.pool()),
        "sign_in": "username",
        "self_sign_up": false,
        "deletion_protection": false,
        "on_delete": "delete",
    });
    report
        .step("call the bootstrap: plan", async {
            let plan = scene.bootstrap("plan", &spec).await?;
            let verdicts = verdicts(&plan);
            // The spec names no groups: there is nothing to make of them.
            let others = verdicts.iter().filter(|(step, _)| *step != "groups");
            if verdicts.len() == 9 && others.clone().all(|(_, verdict)| *verdict == "create") {
                Ok(Seen::new((), format!("would create {} things; nothing is touched", others.count())))
            } else {
                Err(Failure::unexpected("a plan that creates everything", plan.to_string()))
            }
        })
        .await?;
    let applied = action(scene, "apply", &spec, report).await?;
    report
        .step("who is a signed-in user to AWS?", async {
            let caller = applied["caller_arn"].as_str().unwrap_or_default();
            if caller.contains(":assumed-role/") && caller.ends_with("/CognitoIdentityCredentials") {
                Ok(Seen::new((), caller))
            } else {
                Err(Failure::unexpected("…:assumed-role/ROLE/CognitoIdentityCredentials", caller))
            }
        })
        .await?;
    report
        .step("apply again changes nothing", async {
            let mut unproved = spec.clone();
            unproved["verify"] = json!(false);
            let again = scene.bootstrap("apply", &unproved).await?;
            let same = again["user_pool_id"].is_string()
                && again["user_pool_id"] == applied["user_pool_id"]
                && outcomes(&again).count() > 0
                && outcomes(&again).all(|one| one == "unchanged");
            let seen = outcomes(&again).collect::<Vec<_>>().join(", ");
            if same {
                Ok(Seen::new((), "every step unchanged"))
            } else {
                Err(Failure::unexpected("every step unchanged", seen))
            }
        })
        .await?;
    let destroyed = action(scene, "destroy", &spec, report).await?;
    report
        .step("nothing of it is left", async {
            if outcomes(&destroyed).collect::<Vec<_>>() != ["deleted"; 4] {
                let seen = outcomes(&destroyed).collect::<Vec<_>>().join(", ");
                return Err(Failure::unexpected("identity pool, role, policy and user pool deleted", seen));
            }
            let again = scene.bootstrap("destroy", &spec).await?;
            let seen = outcomes(&again).collect::<Vec<_>>().join(", ");
            if outcomes(&again).all(|one| one == "absent") {
                Ok(Seen::new((), "a second destroy finds nothing"))
            } else {
                Err(Failure::unexpected("nothing to destroy", seen))
            }
        })
        .await
}

/// Runs an action and shows each step of its receipt.
async fn action(scene: &Scene<impl Target>, action: &str, spec: &Value, report: &mut Report) -> Result<Value, Failure> {
    let receipt = report
        .step(format!("call the bootstrap: {action}"), async {
            let receipt = scene.bootstrap(action, spec).await?;
            let steps = outcomes(&receipt).count();
            Ok(Seen::new(receipt, format!("a receipt with {steps} steps")))
        })
        .await?;
    for step in receipt["steps"].as_array().into_iter().flatten() {
        let text = |field: &str| step[field].as_str().unwrap_or_default();
        // The caller's ARN has a line of its own.
        let silent = text("detail").is_empty() || text("step") == "caller_identity";
        let detail = if silent { String::new() } else { format!(": {}", text("detail")) };
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

/// What a plan says of each step.
fn verdicts(plan: &Value) -> Vec<(&str, &str)> {
    let resources = plan["resources"].as_array().into_iter().flatten();
    resources
        .map(|planned| (planned["step"].as_str().unwrap_or_default(), planned["verdict"].as_str().unwrap_or_default()))
        .collect()
}

/// How the steps of a receipt ended.
fn outcomes(receipt: &Value) -> impl Iterator<Item = &str> {
    receipt["steps"].as_array().into_iter().flatten().map(|step| step["outcome"].as_str().unwrap_or("without outcome"))
}
