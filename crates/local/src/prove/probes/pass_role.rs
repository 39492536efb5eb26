//! `iam:PassRole` when a pool or a group that names a role is updated.
//!
//! Poolkeeper compares the role with its setting `PASSABLE_ROLE_ARNS` before it calls Cognito. For the role that its own role may not
//! pass, each probe adds that role to the setting, so that IAM decides.

use std::time::Duration;

use domain::secret::Secret;
use serde_json::{Value, json};
use testkit::local_aws::LocalAwsError;
use tokio::time::sleep;

use super::{Observed, Probing, Question, only_on_aws};
use crate::failure::Failure;
use crate::prove::account::text;

pub(super) const OF_POOLS: Question =
    only_on_aws("UpdateUserPool with an SmsConfiguration needs iam:PassRole on its role, which PassableRoleArns gives");
pub(super) const OF_GROUPS: Question =
    only_on_aws("UpdateGroup with a RoleArn needs iam:PassRole on it, which PassableRoleArns gives");

/// The permission that IAM names in its denial.
const PERMISSION: &str = "iam:PassRole";

/// How often the log is read until it shows the denial, once in two seconds: logs lag behind.
const LOG_ATTEMPTS: u32 = 15;

/// The spec of a pool. Each `length` is another password policy, so that the bootstrap sends an update.
fn spec(probing: &Probing<'_>, length: u32) -> Value {
    json!({
        "name": format!("{}.role", probing.scene.pool()), "sign_in": "username",
        "deletion_protection": false, "on_delete": "delete", "verify": false,
        "password_policy": {"minimum_length": length},
    })
}

/// Adds the other role to a function's own list of passable roles. The policies of its role stay as they are.
async fn let_iam_decide(probing: &Probing<'_>, function: &str) -> Result<(), Failure> {
    let scene = probing.scene;
    let both = format!("{},{}", probing.helper("PassableRoleArn"), probing.helper("OtherRoleArn"));
    let settings = [("PASSABLE_ROLE_ARNS".to_owned(), both)];
    Ok(scene.stack.set(&scene.aws, scene.stack.output(function)?, &settings).await?)
}

pub(super) async fn update_pool(probing: &Probing<'_>) -> Result<Observed, Failure> {
    let scene = probing.scene;
    let pool = scene.bootstrap("apply", &spec(probing, 12)).await?;
    let updated = Box::pin(update_with_both_roles(probing, &text(&pool["user_pool_id"]))).await;
    let destroyed = scene.bootstrap("destroy", &spec(probing, 12)).await;
    let observed = updated?;
    destroyed?;
    Ok(observed)
}

/// The operator gives the pool a role, and the bootstrap then updates the pool: first with the passable role, then with the other role.
async fn update_with_both_roles(probing: &Probing<'_>, pool_id: &str) -> Result<Observed, Failure> {
    let scene = probing.scene;
    let external_id = format!("{}-probes", scene.pool());
    let passable = probing.helper("PassableRoleArn");
    scene.aws.script(&["sms", pool_id, &passable, &external_id], None).await?;
    if let Err(failed) = scene.bootstrap("apply", &spec(probing, 13)).await {
        return Observed::of_failure(failed);
    }
    let kept = scene.aws.script(&["pool", pool_id], None).await?;
    if kept["SmsConfiguration"]["SnsCallerArn"] != *passable {
        return Ok(Observed::that(false, "the update dropped the SmsConfiguration"));
    }
    let_iam_decide(probing, "PoolBootstrapFunctionArn").await?;
    scene.aws.script(&["sms", pool_id, &probing.helper("OtherRoleArn"), &external_id], None).await?;
    match scene.bootstrap("apply", &spec(probing, 14)).await {
        Ok(_) => Ok(Observed::that(false, "allowed with a role of PassableRoleArns; allowed with another one")),
        Err(LocalAwsError::FunctionFailed(denied)) if denied.contains(PERMISSION) => {
            Ok(Observed::that(true, format!("allowed with a role of PassableRoleArns; with another one: {denied}")))
        }
        Err(failed) => Err(failed.into()),
    }
}

pub(super) async fn update_group(probing: &Probing<'_>, token: &Secret) -> Result<Observed, Failure> {
    let scene = probing.scene;
    let pool = scene.stack.output("UserPoolId")?;
    let mut answers = Vec::new();
    for (group, output) in [("passable", "PassableRoleArn"), ("impassable", "OtherRoleArn")] {
        scene.aws.script(&["group", pool, group, &probing.helper(output), ""], None).await?;
        if group == "impassable" {
            let_iam_decide(probing, "AdminApiFunctionArn").await?;
        }
        answers.push(scene.api.patch(&format!("/v1/groups/{group}"), token, &json!({"description": "changed"})).await?);
    }
    let [passable, other] = [0, 1].map(|index: usize| answers[index].summary());
    let what = format!("with a role of PassableRoleArns: {passable}; with another one: {other}");
    if !answers[0].is_success() || !answers[1].has_status(500) {
        return Ok(Observed::that(false, what));
    }
    // The answer to the caller does not contain the denial. The log does.
    for _ in 0..LOG_ATTEMPTS {
        let logged = scene.stack.logged_errors(&scene.aws).await;
        if let Some(denial) = logged.lines().find(|line| line.contains(PERMISSION) && line.contains("UpdateGroup")) {
            return Ok(Observed::that(true, format!("{what}, logged: {}", denial.trim())));
        }
        sleep(Duration::from_secs(2)).await;
    }
    Err(Failure::unexpected(format!("a logged denial of {PERMISSION}"), what))
}
