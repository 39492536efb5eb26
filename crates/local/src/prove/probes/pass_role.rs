//! `iam:PassRole` when a pool or a group that names a role is updated.
//!
//! Poolkeeper compares the role with its setting `PASSABLE_ROLE_ARNS` before it calls Cognito. Each probe adds a role
//! that the function's role cannot pass to the setting, so that IAM decides.

use std::time::Duration;

use domain::secret::Secret;
use serde_json::{Value, json};
use testkit::local_aws::LocalAwsError;
use tokio::time::sleep;

use super::{Claim, Observed, ProbeContext, only_on_aws};
use crate::failure::Failure;
use crate::prove::account::text;

pub(super) const OF_POOLS: Claim =
    only_on_aws("UpdateUserPool with an SmsConfiguration requires `iam:PassRole`, which `PassableRoleArns` grants");
pub(super) const OF_GROUPS: Claim =
    only_on_aws("UpdateGroup with a RoleArn requires `iam:PassRole`, which `PassableRoleArns` grants");

/// The permission that IAM names in its denial.
const PERMISSION: &str = "iam:PassRole";

/// The maximum number of reads, one every two seconds, until the log contains the denial.
const LOG_ATTEMPTS: u32 = 15;

/// The spec of a pool. A different `length` changes the password policy, so that the bootstrap sends an update.
fn spec(context: &ProbeContext<'_>, length: u32) -> Value {
    json!({
        "name": format!("{}.role", context.deployment.pool()), "sign_in": "username",
        "deletion_protection": false, "on_delete": "delete", "verify": false,
        "password_policy": {"minimum_length": length},
    })
}

/// Adds the other role to a function's setting of passable roles, without changing the policies of its role.
async fn let_iam_decide(context: &ProbeContext<'_>, function: &str) -> Result<(), Failure> {
    let deployment = context.deployment;
    let both = format!("{},{}", context.helper("PassableRoleArn"), context.helper("OtherRoleArn"));
    let settings = [("PASSABLE_ROLE_ARNS".to_owned(), both)];
    Ok(deployment.stack.set(&deployment.aws, deployment.stack.output(function)?, &settings).await?)
}

pub(super) async fn update_pool(context: &ProbeContext<'_>) -> Result<Observed, Failure> {
    let deployment = context.deployment;
    let pool = deployment.bootstrap("apply", &spec(context, 12)).await?;
    let updated = Box::pin(update_with_both_roles(context, &text(&pool["user_pool_id"]))).await;
    let destroyed = deployment.bootstrap("destroy", &spec(context, 12)).await;
    let observed = updated?;
    destroyed?;
    Ok(observed)
}

/// Sets a role on the pool as the operator and updates the pool with the bootstrap, first with the passable role, then
/// with the other role.
async fn update_with_both_roles(context: &ProbeContext<'_>, pool_id: &str) -> Result<Observed, Failure> {
    let deployment = context.deployment;
    let external_id = format!("{}-probes", deployment.pool());
    let passable = context.helper("PassableRoleArn");
    deployment.aws.script(&["sms", pool_id, &passable, &external_id], None).await?;
    if let Err(failed) = deployment.bootstrap("apply", &spec(context, 13)).await {
        return Observed::of_failure(failed);
    }
    let kept = deployment.aws.script(&["pool", pool_id], None).await?;
    if kept["SmsConfiguration"]["SnsCallerArn"] != *passable {
        return Ok(Observed::that(false, "the update dropped the SmsConfiguration"));
    }
    let_iam_decide(context, "PoolBootstrapFunctionArn").await?;
    deployment.aws.script(&["sms", pool_id, &context.helper("OtherRoleArn"), &external_id], None).await?;
    match deployment.bootstrap("apply", &spec(context, 14)).await {
        Ok(_) => Ok(Observed::that(false, "allowed with a role in PassableRoleArns and with another role")),
        Err(LocalAwsError::FunctionFailed(denied)) if denied.contains(PERMISSION) => {
            Ok(Observed::that(true, format!("allowed with a role in PassableRoleArns; with another role: {denied}")))
        }
        Err(failed) => Err(failed.into()),
    }
}

pub(super) async fn update_group(context: &ProbeContext<'_>, token: &Secret) -> Result<Observed, Failure> {
    let deployment = context.deployment;
    let pool = deployment.stack.output("UserPoolId")?;
    let mut answers = Vec::new();
    for (group, output) in [("passable", "PassableRoleArn"), ("impassable", "OtherRoleArn")] {
        deployment.aws.script(&["group", pool, group, &context.helper(output), ""], None).await?;
        if group == "impassable" {
            let_iam_decide(context, "AdminApiFunctionArn").await?;
        }
        answers.push(
            deployment.api.patch(&format!("/v1/groups/{group}"), token, &json!({"description": "changed"})).await?,
        );
    }
    let [passable, other] = [0, 1].map(|index: usize| answers[index].summary());
    let what = format!("with a role in PassableRoleArns: {passable}; with another role: {other}");
    if !answers[0].is_success() || !answers[1].has_status(500) {
        return Ok(Observed::that(false, what));
    }
    // The denial is in the log, not in the response.
    for _ in 0..LOG_ATTEMPTS {
        let logged = deployment.stack.logged_errors(&deployment.aws).await;
        if let Some(denial) = logged.lines().find(|line| line.contains(PERMISSION) && line.contains("UpdateGroup")) {
            return Ok(Observed::that(true, format!("{what}; logged: {}", denial.trim())));
        }
        sleep(Duration::from_secs(2)).await;
    }
    Err(Failure::unexpected(format!("a logged denial of {PERMISSION}"), what))
}
