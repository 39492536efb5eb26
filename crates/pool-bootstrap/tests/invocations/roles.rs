//! A deployment with wrong roles of the admin API fails before any change.

use domain::retry::ErrorClass;
use serde_json::{Value, json};
use testkit::in_memory_platform::Fault;

use crate::function::{Function, event};

/// The update of a pool from one value of `Roles` to another.
fn update(before: &str, after: &str) -> Value {
    let mut event = event("user-pool-update");
    event["OldResourceProperties"]["Roles"] = json!(before);
    event["ResourceProperties"]["Roles"] = json!(after);
    event
}

fn reason(reply: &Value) -> &str {
    reply["Reason"].as_str().unwrap()
}

#[tokio::test]
async fn wrong_roles_fail_without_change() {
    for case in ["user-pool-create-with-malformed-roles", "user-pool-create-with-roles-of-unknown-group"] {
        let function = Function::new();
        assert_eq!(function.reply_to(event(case)).await["Status"], "FAILED", "{case}");
        assert!(function.platform.writes().is_empty(), "{case}");
    }
    let function = Function::after("user-pool-create").await;
    let writes = function.platform.writes();
    let reply = function.reply_to(update("admins=all", "admins=users:raed")).await;
    assert_eq!((&reply["Status"], &reply["PhysicalResourceId"]), (&json!("FAILED"), &json!("eu-west-1_pool1")));
    let expected = "unknown permission `users:raed` of the group `admins`; did you mean `users:read`?";
    assert!(reason(&reply).contains(expected), "{reply}");
    assert_eq!(function.platform.writes(), writes);
}

#[tokio::test]
async fn an_update_accepts_existing_groups_of_the_pool() {
    let function = Function::after("user-pool-create").await;
    let with_readers = update("admins=all", "admins=all,readers=users:read");
    let refused = function.reply_to(with_readers.clone()).await;
    assert!(reason(&refused).contains("the group `readers` does not exist"), "{refused}");

    function.platform.state().groups.insert(("eu-west-1_pool1".to_owned(), "readers".to_owned()));
    assert_eq!(function.reply_to(with_readers).await["Status"], "SUCCESS");
}

#[tokio::test]
async fn a_deleted_group_fails_neither_an_unrelated_update_nor_a_rollback() {
    let roles = "admins=all,deleted=users:read";
    for before in [roles, "admins=users:raed", "admins=all,redaers=users:read"] {
        let function = Function::after("user-pool-create").await;
        assert_eq!(function.reply_to(update(before, roles)).await["Status"], "SUCCESS", "{before}");
    }
}

#[tokio::test]
async fn wrong_roles_do_not_fail_a_delete() {
    let function = Function::after("user-pool-create").await;
    let mut delete = event("user-pool-delete");
    delete["ResourceProperties"]["Roles"] = json!("{admins:[all]}");
    assert_eq!(function.reply_to(delete).await["Status"], "SUCCESS");
}

/// Adds a user to the group `support` of the deployed pool.
fn with_member(function: &Function) {
    function.platform.state().users["eu-west-1_pool1"].add_user("mallory", "Correct-horse-7", &["support"], &[]);
}

#[tokio::test]
async fn members_of_a_group_with_new_permissions_are_listed() {
    for (before, after, is_listed) in [
        ("admins=all", "admins=all,support=users:read", true),
        ("admins=all,support=users:read", "admins=all,support=users:read+users:state", true),
        ("admins=all,support=users:groups:a", "admins=all,support=users:groups", true),
        ("", "support=users:read", true),
        ("admins=users:raed", "support=users:read", true),
        ("admins=all,support=users:read", "admins=all,support=users:read", false),
        ("admins=all,support=all", "admins=all,support=users:read", false),
        ("support=all", "admins=all", false),
    ] {
        let function = Function::after("user-pool-create").await;
        with_member(&function);
        let reply = function.reply_to(update(before, after)).await;
        assert_eq!(reply["Status"], "SUCCESS", "{before} -> {after}: {reply}");
        let listed = reason(&reply)
            .contains("the parameter Roles grants new permissions: group `support` has 1 member: mallory");
        assert_eq!(listed, is_listed, "{before} -> {after}: {reply}");
    }
}

#[tokio::test]
async fn members_that_cannot_be_read_do_not_fail_the_deployment() {
    let function = Function::after("user-pool-create").await;
    with_member(&function);
    let before = function.platform.calls().into_iter().filter(|call| *call == "members").count();
    function.platform.fail("members", before + 1, Fault::NotDone(ErrorClass::Invalid));
    let reply = function.reply_to(update("admins=all", "admins=all,support=users:read")).await;
    assert_eq!(reply["Status"], "SUCCESS");
    assert!(reason(&reply).contains("new permissions from Roles: members failed"), "{reply}");
}
