//! Tags when the bootstrap's role creates and updates resources.

use serde_json::{Value, json};

use super::{Claim, Observed, ProbeContext, only_on_aws, run_probe};
use crate::failure::Failure;
use crate::prove::account::text;
use crate::prove::proof::Proof;

pub(super) const CREATE: Claim =
    only_on_aws("The bootstrap creates resources with the tag of its own pool, but none with another pool's tag");
pub(super) const WITHOUT: Claim =
    only_on_aws("The tag allows updates of the user pool and the identity pool, and the updates keep the tag");
pub(super) const WITH: Claim =
    only_on_aws("With an additional tag, updates of both pools are allowed and keep all tags");
pub(super) const USER_POOL_UNTAGGED: Claim = only_on_aws("UpdateUserPool without UserPoolTags removes the tags");
pub(super) const IDENTITY_POOL_UNTAGGED: Claim =
    only_on_aws("UpdateIdentityPool without IdentityPoolTags removes the tags");

/// The tag of resources that a pool owns.
const TAG: &str = "poolkeeper:pool";

/// Runs the five probes, which share one pool.
pub(super) async fn run(context: &ProbeContext<'_>, proof: &mut Proof) {
    let name = format!("{}.tags", context.deployment.pool());
    let mut pool = Value::Null;
    run_probe(context, proof, CREATE, create(context, &name, &mut pool)).await;
    // The other probes need the pool.
    if !pool.is_null() {
        run_probe(context, proof, WITHOUT, update(context, &name, &pool, 13)).await;
        run_probe(context, proof, WITH, update_with_other_tag(context, &name, &pool)).await;
        for (claim, action, id) in [
            (USER_POOL_UNTAGGED, "untagged_user_pool", "user_pool_id"),
            (IDENTITY_POOL_UNTAGGED, "untagged_identity_pool", "identity_pool_id"),
        ] {
            run_probe(context, proof, claim, update_without_tags(context, action, &text(&pool[id]))).await;
        }
    }
    if let Err(failure) = context.deployment.bootstrap("destroy", &spec(&name, 12)).await {
        proof.problem(format!("The pool {name} was not deleted: {failure}"));
    }
}

/// A spec. A different `length` changes both user pool and identity pool.
fn spec(name: &str, length: u32) -> Value {
    json!({
        "name": name, "sign_in": "username", "deletion_protection": false, "on_delete": "delete", "verify": false,
        "password_policy": {"minimum_length": length},
        "identity_pool": {"server_side_token_check": length.is_multiple_of(2)},
    })
}

async fn create(context: &ProbeContext<'_>, name: &str, pool: &mut Value) -> Result<Observed, Failure> {
    let deployment = context.deployment;
    match deployment.bootstrap("apply", &spec(name, 12)).await {
        Ok(receipt) => *pool = receipt,
        Err(failed) => return Observed::of_failure(failed),
    }
    let tags = tags(context, pool).await?;
    if !all_have(&tags, name) {
        return Ok(Observed::that(false, format!("tags {tags}")));
    }
    let function = deployment.stack.output("PoolBootstrapFunctionArn")?;
    let own = deployment.aws.script(&["may", function, name], None).await?;
    let other = deployment.aws.script(&["may", function, &format!("{}-else", deployment.pool())], None).await?;
    let allowed = |decision: &Value| decision == "allowed";
    let holds = all(&own, allowed) && all(&other, |decision| !allowed(decision));
    if !holds || deployment.aws.is_emulator() {
        return Ok(Observed::that(holds, format!("own tag: {own}, another tag: {other}")));
    }
    // The role must not create a pool with another name. If it does, the pool is deleted.
    let foreign = spec(&format!("{}-else", deployment.pool()), 12);
    match deployment.bootstrap("apply", &foreign).await {
        Err(refused) if refused.to_string().contains("not authorized") => {
            Ok(Observed::that(true, "4 resources have the tag; creating a pool with another tag or name is denied"))
        }
        Err(failed) => Err(failed.into()),
        Ok(_) => {
            deployment.bootstrap("destroy", &foreign).await?;
            Ok(Observed::that(false, "the bootstrap created a pool with another name"))
        }
    }
}

async fn update(context: &ProbeContext<'_>, name: &str, pool: &Value, length: u32) -> Result<Observed, Failure> {
    let receipt = match context.deployment.bootstrap("apply", &spec(name, length)).await {
        Ok(receipt) => receipt,
        Err(failed) => return Observed::of_failure(failed),
    };
    let outcome = |step: &str| {
        let steps = receipt["steps"].as_array().into_iter().flatten();
        steps.filter(|report| report["step"] == step).map(|report| text(&report["outcome"])).next().unwrap_or_default()
    };
    let tags = tags(context, pool).await?;
    let what = format!("user pool {}, identity pool {}, tags {tags}", outcome("user_pool"), outcome("identity_pool"));
    let updated = outcome("user_pool") == "updated" && outcome("identity_pool") == "updated";
    Ok(Observed::that(updated && all_have(&tags, name), what))
}

async fn update_with_other_tag(context: &ProbeContext<'_>, name: &str, pool: &Value) -> Result<Observed, Failure> {
    let ids = [text(&pool["user_pool_arn"]), text(&pool["identity_pool_id"])];
    context.deployment.aws.script(&["tag", &ids[0], &ids[1]], None).await?;
    let observed = update(context, name, pool, 14).await?;
    let tags = tags(context, pool).await?;
    let kept = ["user pool", "identity pool"].iter().all(|kind| tags[kind]["cost-center"] == "prove");
    Ok(Observed::that(observed.holds && kept, observed.what))
}

/// Updates as the operator, because the bootstrap always sends the tags.
async fn update_without_tags(context: &ProbeContext<'_>, action: &str, id: &str) -> Result<Observed, Failure> {
    let tags = context.deployment.aws.script(&[action, id], None).await?;
    let count = |when: &str| tags[when].as_object().map_or(0, serde_json::Map::len);
    let (before, after) = (count("before"), count("after"));
    if before == 0 {
        return Err(Failure::unexpected("a pool with tags", "none"));
    }
    Ok(Observed::that(after == 0, format!("tags: {before} before the update, {after} after the update")))
}

async fn tags(context: &ProbeContext<'_>, pool: &Value) -> Result<Value, Failure> {
    let ids = ["user_pool_id", "identity_pool_id", "role_arn"].map(|field| text(&pool[field]));
    context.deployment.aws.script(&["tags", &ids[0], &ids[1], &ids[2]], None).await
}

fn all_have(tags: &Value, name: &str) -> bool {
    all(tags, |tags| tags[TAG] == name) && tags.as_object().is_some_and(|tags| tags.len() == 4)
}

fn all(object: &Value, holds: impl Fn(&Value) -> bool) -> bool {
    object.as_object().is_some_and(|object| !object.is_empty() && object.values().all(holds))
}
