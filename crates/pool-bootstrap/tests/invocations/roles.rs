//! Roles of the admin API: a deployment with wrong ones fails before anything is touched.

use serde_json::{Value, json};

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
async fn wrong_roles_touch_nothing() {
    for case in ["user-pool-create-with-malformed-roles", "user-pool-create-with-roles-of-unknown-group"] {
        let function = Function::new();
        assert_eq!(function.reply_to(event(case)).await["Status"], "FAILED", "{case}");
        assert!(function.platform.writes().is_empty(), "{case}");
    }
    let function = Function::new();
    function.reply_to(event("user-pool-create")).await;
    let writes = function.platform.writes();
    let reply = function.reply_to(update("admins=all", "admins=users:raed")).await;
    assert_eq!((&reply["Status"], &reply["PhysicalResourceId"]), (&json!("FAILED"), &json!("eu-west-1_pool1")));
    let expected = "expected known permissions for the group `admins`, found `users:raed`; did you mean `users:read`?";
    assert!(reason(&reply).contains(expected), "{reply}");
    assert_eq!(function.platform.writes(), writes);
}

#[tokio::test]
async fn groups_of_an_existing_pool_count_at_an_update() {
    let function = Function::new();
    function.reply_to(event("user-pool-create")).await;
    let with_readers = update("admins=all", "admins=all,readers=users:read");
    let refused = function.reply_to(with_readers.clone()).await;
    assert!(reason(&refused).contains("the group `readers` does not exist"), "{refused}");

    function.platform.state().groups.insert(("eu-west-1_pool1".to_owned(), "readers".to_owned()));
    assert_eq!(function.reply_to(with_readers).await["Status"], "SUCCESS");
}

#[tokio::test]
async fn a_group_that_was_deleted_since_fails_no_other_update() {
    let function = Function::new();
    function.reply_to(event("user-pool-create")).await;
    let roles = "admins=all,deleted=users:read";
    assert_eq!(function.reply_to(update(roles, roles)).await["Status"], "SUCCESS");
}

#[tokio::test]
async fn the_rollback_of_wrong_roles_succeeds_with_a_deleted_group() {
    for wrong in ["admins=users:raed", "admins=all,redaers=users:read"] {
        let function = Function::new();
        function.reply_to(event("user-pool-create")).await;
        let rollback = update(wrong, "admins=all,deleted=users:read");
        assert_eq!(function.reply_to(rollback).await["Status"], "SUCCESS", "{wrong}");
    }
}

#[tokio::test]
async fn an_update_still_rejects_a_new_group_that_does_not_exist() {
    let function = Function::new();
    function.reply_to(event("user-pool-create")).await;
    let refused = function.reply_to(update("admins=all", "admins=all,redaers=users:read")).await;
    assert!(reason(&refused).contains("the group `redaers` does not exist"), "{refused}");
}

#[tokio::test]
async fn wrong_roles_do_not_keep_a_stack_from_being_deleted() {
    let function = Function::new();
    function.reply_to(event("user-pool-create")).await;
    let mut delete = event("user-pool-delete");
    delete["ResourceProperties"]["Roles"] = json!("{admins:[all]}");
    assert_eq!(function.reply_to(delete).await["Status"], "SUCCESS");
}
