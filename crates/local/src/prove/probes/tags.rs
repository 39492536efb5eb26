//! Tags on create and on update, by the bootstrap's role.

use serde_json::{Value, json};

use super::{Observed, Probing, Question, one, only_on_aws};
use crate::failure::Failure;
use crate::prove::account::text;
use crate::prove::proof::Proof;

pub(super) const CREATE: Question =
    only_on_aws("The bootstrap creates resources with its own tag, and none with another tag");
pub(super) const WITHOUT: Question =
    only_on_aws("Updates of user pool and identity pool are allowed by the tag, and keep it");
pub(super) const WITH: Question =
    only_on_aws("The same updates are allowed, and keep all tags, if the pools have another tag");
pub(super) const USER_POOL_UNTAGGED: Question = only_on_aws("UpdateUserPool without UserPoolTags removes the tags");
pub(super) const IDENTITY_POOL_UNTAGGED: Question =
    only_on_aws("UpdateIdentityPool without IdentityPoolTags removes the tags");

/// The tag that marks what the bootstrap owns.
const TAG: &str = "poolkeeper:pool";

/// Runs the five probes, which share one pool.
pub(super) async fn run(probing: &Probing<'_>, proof: &mut Proof) {
    let name = format!("{}.tags", probing.scene.pool());
    let mut pool = Value::Null;
    one(probing, proof, CREATE, create(probing, &name, &mut pool)).await;
    // Without a pool the other probes do not run.
    if !pool.is_null() {
        one(probing, proof, WITHOUT, update(probing, &name, &pool, 13)).await;
        one(probing, proof, WITH, update_with_other_tag(probing, &name, &pool)).await;
        for (question, action, id) in [
            (USER_POOL_UNTAGGED, "untagged_user_pool", "user_pool_id"),
            (IDENTITY_POOL_UNTAGGED, "untagged_identity_pool", "identity_pool_id"),
        ] {
            one(probing, proof, question, update_without_tags(probing, action, &text(&pool[id]))).await;
        }
    }
    if let Err(failure) = probing.scene.bootstrap("destroy", &spec(&name, 12)).await {
        proof.problem(format!("The pool {name} was not deleted: {failure}"));
    }
}

/// A spec whose user pool and identity pool both depend on `length`.
fn spec(name: &str, length: u32) -> Value {
    json!({
        "name": name, "sign_in": "username", "deletion_protection": false, "on_delete": "delete", "verify": false,
        "password_policy": {"minimum_length": length},
        "identity_pool": {"server_side_token_check": length.is_multiple_of(2)},
    })
}

async fn create(probing: &Probing<'_>, name: &str, pool: &mut Value) -> Result<Observed, Failure> {
    let scene = probing.scene;
    match scene.bootstrap("apply", &spec(name, 12)).await {
        Ok(receipt) => *pool = receipt,
        Err(failed) => return Observed::of_failure(failed),
    }
    let tags = tags(probing, pool).await?;
    if !all_have(&tags, name) {
        return Ok(Observed::that(false, format!("tags {tags}")));
    }
    let function = scene.stack.output("PoolBootstrapFunctionArn")?;
    let own = scene.aws.script(&["may", function, name], None).await?;
    let other = scene.aws.script(&["may", function, &format!("{}-else", scene.pool())], None).await?;
    let allowed = |decision: &Value| decision == "allowed";
    let holds = all(&own, allowed) && all(&other, |decision| !allowed(decision));
    if !holds || scene.aws.is_emulator() {
        return Ok(Observed::that(holds, format!("own tag: {own}, another tag: {other}")));
    }
    // Not a name of this stack: the role must not create it. If it does, it is deleted at once.
    let foreign = spec(&format!("{}-else", scene.pool()), 12);
    match scene.bootstrap("apply", &foreign).await {
        Err(refused) if refused.to_string().contains("not authorized") => {
            Ok(Observed::that(true, "4 resources with the tag; another tag and a pool of another name are refused"))
        }
        Err(failed) => Err(failed.into()),
        Ok(_) => {
            scene.bootstrap("destroy", &foreign).await?;
            Ok(Observed::that(false, "the bootstrap could create a pool of another name"))
        }
    }
}

async fn update(probing: &Probing<'_>, name: &str, pool: &Value, length: u32) -> Result<Observed, Failure> {
    let receipt = match probing.scene.bootstrap("apply", &spec(name, length)).await {
        Ok(receipt) => receipt,
        Err(failed) => return Observed::of_failure(failed),
    };
    let outcome = |step: &str| {
        let steps = receipt["steps"].as_array().into_iter().flatten();
        steps.filter(|report| report["step"] == step).map(|report| text(&report["outcome"])).next().unwrap_or_default()
    };
    let tags = tags(probing, pool).await?;
    let what = format!("user pool {}, identity pool {}, tags {tags}", outcome("user_pool"), outcome("identity_pool"));
    let updated = outcome("user_pool") == "updated" && outcome("identity_pool") == "updated";
    Ok(Observed::that(updated && all_have(&tags, name), what))
}

async fn update_with_other_tag(probing: &Probing<'_>, name: &str, pool: &Value) -> Result<Observed, Failure> {
    let ids = [text(&pool["user_pool_arn"]), text(&pool["identity_pool_id"])];
    probing.scene.aws.script(&["tag", &ids[0], &ids[1]], None).await?;
    let observed = update(probing, name, pool, 14).await?;
    let tags = tags(probing, pool).await?;
    let kept = ["user pool", "identity pool"].iter().all(|kind| tags[kind]["cost-center"] == "prove");
    Ok(Observed::that(observed.holds && kept, observed.what))
}

/// The operator sends the update, because the bootstrap always sends the tags.
async fn update_without_tags(probing: &Probing<'_>, action: &str, id: &str) -> Result<Observed, Failure> {
    let tags = probing.scene.aws.script(&[action, id], None).await?;
    let count = |when: &str| tags[when].as_object().map_or(0, serde_json::Map::len);
    let (before, after) = (count("before"), count("after"));
    if before == 0 {
        return Err(Failure::unexpected("a pool with tags", "none"));
    }
    Ok(Observed::that(after == 0, format!("tags: {before} before the update, {after} after it")))
}

async fn tags(probing: &Probing<'_>, pool: &Value) -> Result<Value, Failure> {
    let ids = ["user_pool_id", "identity_pool_id", "role_arn"].map(|field| text(&pool[field]));
    probing.scene.aws.script(&["tags", &ids[0], &ids[1], &ids[2]], None).await
}

fn all_have(tags: &Value, name: &str) -> bool {
    all(tags, |tags| tags[TAG] == name) && tags.as_object().is_some_and(|tags| tags.len() == 4)
}

fn all(object: &Value, holds: impl Fn(&Value) -> bool) -> bool {
    object.as_object().is_some_and(|object| !object.is_empty() && object.values().all(holds))
}
