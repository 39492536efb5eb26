//! Handles every event of `events/pool-bootstrap/`.

#![expect(clippy::unwrap_used, reason = "tests")]

mod adoption;
mod function;
mod invitation_key_deletes;
mod invitation_key_owners;
mod invitation_key_updates;
mod invitation_keys;
mod role_permissions;
mod roles;

use std::collections::BTreeSet;
use std::time::Duration;

use domain::retry::ErrorClass;
use serde_json::{Value, json};
use testkit::in_memory_platform::Fault;

use function::{Function, event};
use invitation_keys::{KEY, NEXT_KEY};

/// Custom-resource events, each with the preceding events, the status, the id and a part of the reason.
const CUSTOM_RESOURCES: [(&str, &[&str], &str, &str, &str); 25] = [
    ("user-pool-create", &[], "SUCCESS", "eu-west-1_pool1", "user_pool created"),
    ("user-pool-create-with-empty-parameters", &[], "SUCCESS", "eu-west-1_pool1", "user_pool created"),
    (
        "user-pool-create-with-misspelt-property",
        &[],
        "FAILED",
        "poolkeeper-failed-create",
        "unknown field `self_signup`",
    ),
    (
        "user-pool-create-with-malformed-roles",
        &[],
        "FAILED",
        "poolkeeper-failed-create",
        "Roles: must be groups with permissions, such as `admins=all,",
    ),
    (
        "user-pool-create-with-roles-of-unknown-group",
        &[],
        "FAILED",
        "poolkeeper-failed-create",
        "Roles: the group `readers` does not exist; add it to the parameter Groups",
    ),
    ("user-pool-create-of-unknown-type", &[], "FAILED", "poolkeeper-failed-create", "`Custom::PoolkeeperUserPool`"),
    ("user-pool-update", &["user-pool-create"], "SUCCESS", "eu-west-1_pool1", "user_pool updated"),
    ("user-pool-update-of-immutable-field", &["user-pool-create"], "FAILED", "eu-west-1_pool1", "case_sensitive"),
    ("user-pool-delete", &["user-pool-create"], "SUCCESS", "eu-west-1_pool1", "user_pool deleted"),
    ("user-pool-delete-retained", &["user-pool-create"], "SUCCESS", "eu-west-1_pool1", "user_pool retained"),
    (
        "user-pool-update-of-name",
        &["user-pool-create"],
        "FAILED",
        "eu-west-1_pool1",
        "\"shop\" -> \"store\" cannot be changed",
    ),
    (
        "user-pool-delete-of-unanswered-create",
        &["user-pool-create"],
        "SUCCESS",
        "shop-UserPool-1K9V5Y3XQ2J8B",
        "user_pool retained",
    ),
    ("user-pool-delete-of-replaced-pool", &["user-pool-create"], "SUCCESS", "eu-west-1_gone", "user_pool retained"),
    (
        "user-pool-delete-after-failed-create",
        &["user-pool-create"],
        "SUCCESS",
        "poolkeeper-failed-create",
        "the creation failed",
    ),
    ("verification-create", &["user-pool-create"], "SUCCESS", "verification-of-shop", "caller_identity succeeded"),
    ("verification-update", &["user-pool-create"], "SUCCESS", "verification-of-shop", "caller_identity succeeded"),
    ("verification-delete", &[], "SUCCESS", "verification-of-shop", "nothing to delete"),
    ("invitation-key-create", &[], "SUCCESS", KEY, "invitation_key created"),
    (
        "invitation-key-create-with-misspelt-property",
        &[],
        "FAILED",
        "poolkeeper-failed-create",
        "unknown field `Vresion`",
    ),
    ("invitation-key-update", &["invitation-key-create"], "SUCCESS", KEY, "invitation_key unchanged"),
    ("invitation-key-update-of-version", &["invitation-key-create"], "SUCCESS", NEXT_KEY, "invitation_key created"),
    (
        "invitation-key-update-of-pool-name",
        &["invitation-key-create"],
        "FAILED",
        KEY,
        "PoolName: cannot be changed to \"store\"",
    ),
    ("invitation-key-delete", &["invitation-key-create"], "SUCCESS", KEY, "invitation_key deleted"),
    (
        "invitation-key-delete-after-failed-create",
        &["invitation-key-create"],
        "SUCCESS",
        "poolkeeper-failed-create",
        "invitation_key deleted",
    ),
    (
        "invitation-key-delete-of-unanswered-create",
        &["invitation-key-create"],
        "SUCCESS",
        "poolkeeper-InvitationKey-1K9V5Y3XQ2J8B",
        "invitation_key deleted",
    ),
];

/// Direct invocations, each with the preceding events, and the action of the result or a part of the error.
const DIRECT: [(&str, &[&str], Result<&str, &str>); 5] = [
    ("direct-plan", &[], Ok("plan")),
    ("direct-apply", &[], Ok("apply")),
    ("direct-verify", &["direct-apply"], Ok("verify")),
    ("direct-destroy", &["direct-apply"], Ok("destroy")),
    ("direct-unknown-action", &[], Err("unknown variant `delete`")),
];

#[test]
fn every_event_file_is_in_a_table() {
    let files: BTreeSet<String> = testkit::events::all("pool-bootstrap").into_iter().map(|(case, _)| case).collect();
    let tables = CUSTOM_RESOURCES.iter().map(|row| row.0).chain(DIRECT.iter().map(|row| row.0));
    assert_eq!(files, tables.map(str::to_owned).collect());
}

#[tokio::test]
async fn custom_resource_requests_receive_the_expected_reply() {
    for (case, before, status, id, reason) in CUSTOM_RESOURCES {
        let function = Function::new();
        for case in before {
            assert_eq!(function.reply_to(event(case)).await["Status"], "SUCCESS", "{case}");
        }
        let reply = function.reply_to(event(case)).await;
        // The id of a key ends with its public key.
        let name = reply["PhysicalResourceId"].as_str().and_then(|id| id.split('#').next());
        assert_eq!((reply["Status"].as_str(), name), (Some(status), Some(id)), "{case}: {reply}");
        assert!(reply["Reason"].as_str().unwrap().contains(reason), "{case}: {reply}");
    }
}

#[tokio::test]
async fn direct_invocations_return_the_expected_result() {
    for (case, before, expected) in DIRECT {
        let function = Function::new();
        for case in before {
            function.invoke(event(case)).await.unwrap();
        }
        match (function.invoke(event(case)).await, expected) {
            (Ok(receipt), Ok(action)) => assert_eq!(receipt["action"], action, "{case}"),
            (Err(error), Err(part)) => assert!(error.error_message.contains(part), "{case}: {error:?}"),
            (got, expected) => unreachable!("{case}: expected {expected:?}, got {got:?}"),
        }
        assert!(function.replies.0.lock().unwrap().is_empty(), "a direct invocation has no reply");
    }
}

#[tokio::test]
async fn a_created_pool_has_all_attributes_of_the_template() {
    let function = Function::new();
    let reply = function.reply_to(event("user-pool-create")).await;
    let data = &reply["Data"];
    let names = [
        "UserPoolId",
        "UserPoolArn",
        "Issuer",
        "BackendClientId",
        "WebClientId",
        "IdentityPoolId",
        "RoleArn",
        "PolicyArn",
    ];
    for name in names {
        assert!(!data[name].as_str().unwrap().is_empty(), "{name}");
    }
    let verified = function.reply_to(event("verification-create")).await;
    assert!(verified["Data"]["CallerArn"].as_str().unwrap().ends_with("/CognitoIdentityCredentials"));
}

#[tokio::test]
async fn returns_public_keys_only_on_request() {
    for (value, has_keys) in [(Some("true"), true), (Some("false"), false), (None, false)] {
        let mut create = event("user-pool-create");
        create["ResourceProperties"]["ReturnJwks"] = json!(value);
        let reply = Function::new().reply_to(create).await;
        let keys = json!({"keys": [{"kid": reply["Data"]["Issuer"]}]});
        let expected = if has_keys { keys.to_string() } else { String::new() };
        assert_eq!(reply["Data"]["Jwks"], expected, "{value:?}: {reply}");
    }
    let mut create = event("user-pool-create");
    create["ResourceProperties"]["ReturnJwks"] = json!("yes");
    let function = Function::new();
    let reply = function.reply_to(create).await;
    let reason = reply["Reason"].as_str().unwrap();
    assert!(reason.contains("ReturnJwks: must be `true` or `false`"), "{reply}");
    assert!(function.platform.writes().is_empty());
}

#[tokio::test]
async fn a_repeated_request_creates_each_resource_once() {
    let function = Function::new();
    let first = function.reply_to(event("user-pool-create")).await;
    let second = function.reply_to(event("user-pool-create")).await;
    assert_eq!(first["PhysicalResourceId"], second["PhysicalResourceId"]);
    assert_eq!(first["Data"], second["Data"]);
    assert_eq!(function.platform.state().user_pools.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn concurrent_equal_requests_create_each_resource_once() {
    for seed in 0..100 {
        let function = Function::new();
        function.platform.shuffle(seed);
        let create = || function.invoke(event("user-pool-create"));
        let (first, second) = tokio::join!(create(), create());
        first.and(second).unwrap();
        let replies = function.replies.0.lock().unwrap();
        let [first, second] = [&replies[0].1, &replies[1].1];
        assert_eq!((replies.len(), &first["Status"]), (2, &json!("SUCCESS")), "seed {seed}: {first}");
        assert_eq!((&first["PhysicalResourceId"], &first["Data"]), (&second["PhysicalResourceId"], &second["Data"]));
        let state = function.platform.state();
        let counts = [state.user_pools.len(), state.identity_pools.len(), state.policies.len(), state.roles.len()];
        assert_eq!((counts, state.clients.len()), ([1; 4], 2), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_during_the_create_deletes_nothing() {
    for seed in 0..100 {
        let function = Function::new();
        function.platform.shuffle(seed);
        let (created, deleted) = tokio::join!(
            function.invoke(event("user-pool-create")),
            function.invoke(event("user-pool-delete-of-unanswered-create"))
        );
        created.and(deleted).unwrap();
        let replies: Vec<Value> = function.replies.0.lock().unwrap().iter().map(|(_, reply)| reply.clone()).collect();
        assert_eq!(replies.len(), 2, "seed {seed}: a reply each");
        assert!(replies.iter().all(|reply| reply["Status"] == "SUCCESS"), "seed {seed}: {replies:?}");
        let is_delete = |call: &&str| call.starts_with("delete_") || call.starts_with("detach_");
        assert_eq!(function.platform.writes().iter().filter(|call| is_delete(call)).count(), 0, "seed {seed}");

        let again = function.reply_to(event("user-pool-create")).await;
        assert_eq!(again["Status"], "SUCCESS", "seed {seed}: {again}");
        assert_eq!(function.platform.state().user_pools.len(), 1, "seed {seed}");
        let mut delete = event("user-pool-delete");
        delete["PhysicalResourceId"] = again["PhysicalResourceId"].clone();
        assert_eq!(function.reply_to(delete).await["Status"], "SUCCESS", "seed {seed}");
        let state = function.platform.state();
        let counts = [state.user_pools.len(), state.identity_pools.len(), state.policies.len(), state.roles.len()];
        assert_eq!(counts, [0; 4], "seed {seed}");
    }
}

#[tokio::test]
async fn a_plan_by_direct_invocation_changes_nothing() {
    let function = Function::new();
    let plan = function.invoke(event("direct-plan")).await.unwrap();
    assert_eq!(
        (&plan["resources"][0]["step"], &plan["resources"][0]["verdict"]),
        (&json!("user_pool"), &json!("create"))
    );
    let resources = plan["resources"].as_array().unwrap();
    // The spec of this event names no groups.
    assert_eq!(plan["changes"], resources.len() - 1);
    assert!(function.platform.writes().is_empty());
}

#[tokio::test]
async fn a_delete_after_a_failed_create_changes_nothing() {
    let function = Function::after("user-pool-create").await;
    let calls = function.platform.calls().len();
    function.reply_to(event("user-pool-delete-after-failed-create")).await;
    assert_eq!(function.platform.calls().len(), calls);
}

#[tokio::test]
async fn a_failed_create_reports_its_steps_and_the_next_continues() {
    let function = Function::new();
    function.platform.fail("create_policy", 1, Fault::NotDone(ErrorClass::QuotaExceeded));
    let reply = function.reply_to(event("user-pool-create")).await;
    assert_eq!(
        (&reply["Status"], &reply["PhysicalResourceId"]),
        (&json!("FAILED"), &json!("poolkeeper-failed-create"))
    );
    let reason = reply["Reason"].as_str().unwrap();
    assert!(reason.contains("role created") && reason.contains("policy failed"), "{reason}");

    let reply = function.reply_to(event("user-pool-create")).await;
    assert_eq!(reply["Status"], "SUCCESS");
    assert_eq!(function.platform.state().user_pools.len(), 1);
}

#[tokio::test]
async fn a_panic_becomes_a_failed_reply() {
    for (case, operation) in
        [("user-pool-create", "create_identity_pool"), ("invitation-key-create", "create_invitation_key")]
    {
        let function = Function::new();
        function.platform.fail(operation, 1, Fault::Panic);
        let reply = function.reply_to(event(case)).await;
        assert_eq!(reply["Status"], "FAILED");
        assert!(!reply["Reason"].as_str().unwrap().contains("planned"), "no text of the panic: {reply}");
        assert_eq!(function.reply_to(event(case)).await["Status"], "SUCCESS");
    }
}

#[tokio::test]
async fn replies_without_change_if_no_time_is_left() {
    let function = Function { time_left: Duration::ZERO, ..Function::new() };
    for case in ["user-pool-create", "invitation-key-create", "invitation-key-delete"] {
        let reply = function.reply_to(event(case)).await;
        assert_eq!(reply["Status"], "FAILED");
        assert!(reply["Reason"].as_str().unwrap().contains("timed out"), "{reply}");
    }
    assert!(function.platform.calls().is_empty());
}

#[tokio::test]
async fn rejects_a_rename_without_change_and_with_rollback() {
    let function = Function::after("user-pool-create").await;
    let writes = function.platform.writes();
    function.reply_to(event("user-pool-update-of-name")).await;
    assert_eq!(function.platform.writes(), writes);

    let mut rollback = event("user-pool-update-of-name");
    let (new, old) = (rollback["ResourceProperties"].clone(), rollback["OldResourceProperties"].clone());
    (rollback["ResourceProperties"], rollback["OldResourceProperties"]) = (old, new);
    assert_eq!(function.reply_to(rollback).await["Status"], "SUCCESS");
}

#[tokio::test]
async fn a_delete_without_user_pool_deletes_only_its_related_resources() {
    let function = Function::after("user-pool-create").await;
    function.platform.state().user_pools.clear();
    let deleted = function.reply_to(event("user-pool-delete")).await;
    assert!(deleted["Reason"].as_str().unwrap().contains("identity_pool deleted, role deleted"), "{deleted}");

    // Without the identity pool, the owner of the other resources is unknown.
    function.reply_to(event("user-pool-create")).await;
    function.platform.state().user_pools.clear();
    function.platform.state().identity_pools.clear();
    let deleted = function.reply_to(event("user-pool-delete")).await;
    let reason = deleted["Reason"].as_str().unwrap();
    assert!(reason.contains("identity_pool absent, role retained (the user pool does not exist"), "{reason}");
    let state = function.platform.state();
    assert_eq!((state.roles.len(), state.policies.len()), (1, 1));
}

#[tokio::test]
async fn a_delete_changes_nothing_if_another_pool_has_the_name() {
    let function = Function::after("user-pool-create").await;
    let writes = function.platform.writes();
    function.reply_to(event("user-pool-delete-of-replaced-pool")).await;
    assert_eq!(function.platform.writes(), writes);
}

#[tokio::test]
async fn unreadable_requests_with_a_reply_url_receive_a_failure() {
    let function = Function::new();
    let mut unknown = event("user-pool-update");
    unknown["RequestType"] = json!("Rename");
    let mut incomplete = event("user-pool-update");
    incomplete.as_object_mut().unwrap().remove("OldResourceProperties");
    let mut create = event("user-pool-create");
    create.as_object_mut().unwrap().remove("ResourceType");
    for (payload, id) in
        [(unknown, "eu-west-1_pool1"), (incomplete, "eu-west-1_pool1"), (create, "poolkeeper-failed-create")]
    {
        let reply = function.reply_to(payload).await;
        assert_eq!((&reply["Status"], &reply["PhysicalResourceId"]), (&json!("FAILED"), &json!(id)));
    }
    assert!(function.platform.calls().is_empty());
}

#[tokio::test]
async fn rejects_junk_without_quoting_it() {
    let function = Function::new();
    let junk = [
        json!(null),
        json!([]),
        json!("text"),
        json!({}),
        json!({"ResponseURL": "https://example.com/?X-Amz-Signature=secret"}),
        json!({"ResponseURL": 7, "RequestType": "Create"}),
        json!({"RequestType": "Rename", "ResponseURL": "https://example.com/?X-Amz-Signature=secret"}),
    ];
    for payload in junk {
        let error = function.invoke(payload.clone()).await.unwrap_err();
        assert!(!error.error_message.contains("secret"), "{payload}: {error:?}");
        assert_eq!(error.error_type, "InvalidRequest", "{payload}");
    }
    assert!(function.platform.calls().is_empty());
}
