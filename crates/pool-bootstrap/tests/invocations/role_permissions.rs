//! Permissions that CloudFormation granted to the function's role just before the invocation.

use std::time::Duration;

use domain::retry::ErrorClass;
use serde_json::json;
use testkit::in_memory_platform::Fault;

use crate::function::{BOUNDARY, Function, event};

/// Read, create, update and user calls, with the request that makes them.
const CALLS: [(&str, &str); 15] = [
    ("user-pool-create", "account_id"),
    ("user-pool-create", "user_pools"),
    ("user-pool-create", "create_user_pool"),
    ("user-pool-create", "create_group"),
    ("user-pool-create", "create_role"),
    ("user-pool-create", "attach_policy"),
    ("user-pool-create", "set_authenticated_role"),
    ("user-pool-create", "users.create"),
    ("verification-create", "users.sign_up"),
    ("verification-create", "credentials"),
    ("invitation-key-create", "read_invitation_key"),
    ("invitation-key-create", "create_invitation_key"),
    ("invitation-key-update", "tags_of_invitation_key"),
    ("invitation-key-delete", "tags_of_invitation_key"),
    ("invitation-key-delete", "delete_invitation_key"),
];

async fn deployed(case: &str) -> Function {
    match case {
        "verification-create" => Function::after("user-pool-create").await,
        "invitation-key-update" | "invitation-key-delete" => Function::after("invitation-key-create").await,
        _ => Function::new(),
    }
}

fn deny(function: &Function, operation: &'static str, times: usize) {
    (1..=times).for_each(|nth| function.platform.fail(operation, nth, Fault::NotDone(ErrorClass::Forbidden)));
}

#[tokio::test(start_paused = true)]
async fn a_custom_resource_retries_new_permissions() {
    for (case, operation) in CALLS {
        let function = deployed(case).await;
        deny(&function, operation, 8);
        let reply = function.reply_to(event(case)).await;
        assert_eq!(reply["Status"], "SUCCESS", "{operation}: {reply}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_custom_resource_names_a_missing_permission_after_30_s() {
    for (case, operation) in CALLS {
        let function = deployed(case).await;
        deny(&function, operation, 100);
        let began = tokio::time::Instant::now();
        let reply = function.reply_to(event(case)).await;
        let took = began.elapsed();
        assert_eq!(reply["Status"], "FAILED", "{operation}");
        let name = operation.trim_start_matches("users.");
        assert!(reply["Reason"].as_str().unwrap().contains(name), "{operation}: {reply}");
        assert!(took >= Duration::from_secs(24) && took <= Duration::from_secs(31), "{operation}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_direct_invocation_does_not_retry_denied_calls() {
    let function = Function::new();
    deny(&function, "create_user_pool", 1);
    let began = tokio::time::Instant::now();
    let failed = function.invoke(json!({"action": "apply", "spec": {"name": "shop"}})).await.unwrap_err();
    assert!(failed.error_message.contains("create_user_pool is not allowed"), "{failed:?}");
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn rejects_an_update_that_passes_an_unlisted_role() {
    let function = Function::after("user-pool-create").await;
    let role = "arn:aws:iam::123456789012:role/sms";
    function.platform.state().user_pools[0].thing.sms_role_arn = Some(role.to_owned());
    let writes = function.platform.writes();

    let reply = function.reply_to(event("user-pool-update")).await;

    assert_eq!(reply["Status"], "FAILED");
    let reason = reply["Reason"].as_str().unwrap();
    assert!(reason.contains(role) && reason.contains("`PassableRoleArns`"), "{reason}");
    assert_eq!(function.platform.writes(), writes);

    let listed = function.may_pass(role);
    assert_eq!(listed.reply_to(event("user-pool-update")).await["Status"], "SUCCESS");
}

#[tokio::test]
async fn an_unchanged_pool_with_an_unlisted_role_needs_no_permission() {
    let function = Function::after("user-pool-create").await;
    function.platform.state().user_pools[0].thing.sms_role_arn = Some("arn:aws:iam::123456789012:role/sms".to_owned());
    assert_eq!(function.reply_to(event("user-pool-create")).await["Status"], "SUCCESS");
}

#[tokio::test]
async fn creates_the_role_with_its_boundary() {
    let function = Function::after("user-pool-create").await;
    let calls = function.platform.calls();
    assert!(calls.contains(&"create_role") && !calls.contains(&"set_boundary"), "{calls:?}");
}

#[tokio::test]
async fn created_and_adopted_roles_have_the_boundary_of_the_stack() {
    let boundary = |function: &Function| {
        let state = function.platform.state();
        state.roles.values().map(|role| role.entity.boundary.clone()).collect::<Vec<_>>()
    };
    let function = Function::after("user-pool-create").await;
    assert_eq!(boundary(&function), [Some(BOUNDARY.to_owned())]);

    // The role of a retained pool has the boundary of the previous stack, or none.
    for before in [Some("arn:aws:iam::123456789012:policy/other".to_owned()), None] {
        function.platform.state().roles.values_mut().for_each(|role| role.entity.boundary.clone_from(&before));
        function.platform.state().roles.values_mut().for_each(|role| role.entity.document = json!({}));
        let calls = function.platform.calls().len();
        let reply = function.reply_to(event("user-pool-create")).await;
        assert!(reply["Reason"].as_str().unwrap().contains("role updated"), "{reply}");
        assert_eq!(boundary(&function), [Some(BOUNDARY.to_owned())]);
        let calls = function.platform.calls().split_off(calls);
        let position = |name: &str| calls.iter().position(|call| *call == name).unwrap();
        assert!(position("set_boundary") < position("update_trust"), "{calls:?}");
    }

    let function = Function::new();
    function.invoke(json!({"action": "apply", "spec": {"name": "shop.staging", "verify": false}})).await.unwrap();
    assert_eq!(boundary(&function), [Some(BOUNDARY.to_owned())], "also for another pool");
}
