//! `iam:PassRole` when a pool or a group that names a role is updated.

use serde_json::{Value, json};

use super::{Observed, Probing, Question, only_on_aws};
use crate::failure::Failure;
use crate::prove::account::text;

pub(super) const OF_POOLS: Question =
    only_on_aws("UpdateUserPool with an SmsConfiguration needs iam:PassRole on its role, which PassableRoleArns gives");
pub(super) const OF_GROUPS: Question =
    only_on_aws("UpdateGroup with a RoleArn needs iam:PassRole on it, which PassableRoleArns gives");

pub(super) async fn update_pool(probing: &Probing<'_>) -> Result<Observed, Failure> {
    let scene = probing.scene;
    let name = format!("{}-role", scene.pool());
    let spec = json!({
        "name": name, "sign_in": "username", "deletion_protection": false, "on_delete": "delete", "verify": false,
    });
    let pool = scene.bootstrap("apply", &spec).await?;
    let updated = Box::pin(update_with_both_roles(probing, &spec, &text(&pool["user_pool_id"]))).await;
    let destroyed = scene.bootstrap("destroy", &spec).await;
    let observed = updated?;
    destroyed?;
    Ok(observed)
}

/// The operator gives the pool a role, and the bootstrap then updates it: once with a role that it may pass, once with another one.
async fn update_with_both_roles(probing: &Probing<'_>, spec: &Value, pool_id: &str) -> Result<Observed, Failure> {
    let scene = probing.scene;
    let external_id = format!("{}-probes", scene.pool());
    let passable = probing.helper("PassableRoleArn");
    scene.aws.script(&["sms", pool_id, &passable, &external_id], None).await?;
    if let Err(refused) = scene.bootstrap("apply", spec).await {
        return Ok(Observed::that(false, format!("with a role of PassableRoleArns: {refused}")));
    }
    let kept = scene.aws.script(&["pool", pool_id], None).await?;
    if kept["SmsConfiguration"]["SnsCallerArn"] != *passable {
        return Ok(Observed::that(false, "the update dropped the SmsConfiguration"));
    }
    let other = probing.helper("OtherRoleArn");
    scene.aws.script(&["sms", pool_id, &other, &external_id], None).await?;
    Ok(match scene.bootstrap("apply", spec).await {
        Ok(_) => Observed::that(false, "the bootstrap updated a pool with a role that it may not pass"),
        Err(refused) => {
            let told = refused.to_string();
            let named = told.contains(&other) && told.contains("PassableRoleArns");
            Observed::that(named, format!("allowed with a role of PassableRoleArns; with another one: {told}"))
        }
    })
}

pub(super) async fn update_group(probing: &Probing<'_>) -> Result<Observed, Failure> {
    let scene = probing.scene;
    let (token, pool) = (probing.token()?, scene.stack.output("UserPoolId")?);
    let mut seen = Vec::new();
    for (group, output) in [("passable", "PassableRoleArn"), ("impassable", "OtherRoleArn")] {
        scene.aws.script(&["group", pool, group, &probing.helper(output), ""], None).await?;
        let path = format!("/v1/groups/{group}");
        let answer = scene.api.patch(&path, token, &json!({"description": "changed"})).await?;
        seen.push((answer.is_success(), answer.summary()));
    }
    let holds = seen[0].0 && !seen[1].0;
    Ok(Observed::that(
        holds,
        format!("with a role of PassableRoleArns: {}; with another one: {}", seen[0].1, seen[1].1),
    ))
}
