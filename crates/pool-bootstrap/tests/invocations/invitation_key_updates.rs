//! Updates of the invitation signing key: a new version is a new key, and a rollback keeps the old key.

use domain::retry::ErrorClass;
use serde_json::json;
use testkit::in_memory_platform::Fault;

use crate::function::{Function, event};
use crate::invitation_key_owners::update;
use crate::invitation_keys::{KEY, NEXT_KEY, name_in};

#[tokio::test]
async fn a_new_version_creates_a_key_and_its_predecessor_is_deleted() {
    let function = Function::new();
    let first = function.reply_to(event("invitation-key-create")).await;
    let second = function.reply_to(event("invitation-key-update-of-version")).await;
    assert_ne!(second["Data"]["PublicKey"], first["Data"]["PublicKey"]);
    assert_eq!(function.keys(), [KEY, NEXT_KEY], "until CloudFormation deletes the old key");

    function.reply_to(event("invitation-key-delete")).await;
    assert_eq!(function.keys(), [NEXT_KEY]);
    assert_eq!(second["Data"]["PublicKey"], function.public_key(NEXT_KEY));
}

#[tokio::test]
async fn the_rollback_of_a_new_version_keeps_the_old_key() {
    let function = Function::new();
    let first = function.reply_to(event("invitation-key-create")).await;
    let second = function.reply_to(update(&first, "2", "request-2")).await;

    let mut rollback = event("invitation-key-update-of-version");
    let (new, old) = (rollback["ResourceProperties"].clone(), rollback["OldResourceProperties"].clone());
    (rollback["ResourceProperties"], rollback["OldResourceProperties"]) = (old, new);
    rollback["PhysicalResourceId"] = second["PhysicalResourceId"].clone();
    rollback["RequestId"] = json!("request-3");
    let back = function.reply_to(rollback).await;
    // With another id, CloudFormation would delete the current key.
    assert_eq!((&back["PhysicalResourceId"], &back["Data"]), (&first["PhysicalResourceId"], &first["Data"]), "{back}");

    let mut clean_up = event("invitation-key-delete");
    clean_up["PhysicalResourceId"] = second["PhysicalResourceId"].clone();
    function.reply_to(clean_up).await;
    assert_eq!(function.keys(), [KEY]);
}

#[tokio::test]
async fn a_failed_update_keeps_the_physical_id() {
    let function = Function::after("invitation-key-create").await;
    function.platform.fail("create_invitation_key", 2, Fault::NotDone(ErrorClass::QuotaExceeded));
    let reply = function.reply_to(event("invitation-key-update-of-version")).await;
    assert_eq!((&reply["Status"], name_in(&reply)), (&json!("FAILED"), KEY));
    assert_eq!(function.keys(), [KEY]);
}

#[tokio::test]
async fn rejects_another_pool_name_without_change_and_with_rollback() {
    let function = Function::new();
    let first = function.reply_to(event("invitation-key-create")).await;
    let calls = function.platform.calls();
    let refused = function.reply_to(event("invitation-key-update-of-pool-name")).await;
    assert_eq!((&refused["Status"], name_in(&refused)), (&json!("FAILED"), KEY));
    assert_eq!(function.platform.calls(), calls);

    // A change of both the name and the version is rejected as well.
    let mut both = event("invitation-key-update-of-pool-name");
    both["ResourceProperties"]["Version"] = json!("2");
    assert_eq!(function.reply_to(both).await["Status"], "FAILED");
    assert_eq!(function.platform.calls(), calls);

    let mut rollback = event("invitation-key-update-of-pool-name");
    let (new, old) = (rollback["ResourceProperties"].clone(), rollback["OldResourceProperties"].clone());
    (rollback["ResourceProperties"], rollback["OldResourceProperties"]) = (old, new);
    let back = function.reply_to(rollback).await;
    assert_eq!((&back["Status"], &back["Data"]), (&json!("SUCCESS"), &first["Data"]));
    assert_eq!(function.keys(), [KEY]);
}
