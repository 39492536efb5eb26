//! A stack accepts only stored keys that it provably created.

use domain::invitation::{REQUEST_TAG, SigningKey};
use domain::provision::STACK_TAG;
use serde_json::{Value, json};
use testkit::in_memory_platform::Parameter;

use crate::function::{Function, event};
use crate::invitation_keys::{KEY, NEXT_KEY, name_in};

/// An update to another version, after the reply `before`.
pub(crate) fn update(before: &Value, version: &str, request_id: &str) -> Value {
    let mut update = event("invitation-key-update-of-version");
    update["PhysicalResourceId"] = before["PhysicalResourceId"].clone();
    update["ResourceProperties"]["Version"] = json!(version);
    update["RequestId"] = json!(request_id);
    update
}

/// Stores another principal's key, with the tags that the principal can know before the request.
fn plant(function: &Function, name: &str) -> Parameter {
    function.put(name, Some(SigningKey::from_seed(&[7; 32])));
    let mut state = function.platform.state();
    let parameter = state.parameters.get_mut(name).unwrap();
    parameter.tags.insert("poolkeeper:pool".to_owned(), "shop".to_owned());
    parameter.tags.insert(REQUEST_TAG.to_owned(), "guessed".to_owned());
    parameter.clone()
}

fn assert_unchanged(function: &Function, name: &str, before: &Parameter) {
    let state = function.platform.state();
    let after = &state.parameters[name];
    let public_key = |parameter: &Parameter| parameter.key.as_ref().unwrap().public_key();
    assert_eq!((public_key(after), after.version, &after.tags), (public_key(before), before.version, &before.tags));
}

#[tokio::test]
async fn a_planted_key_fails_the_creation_and_is_unchanged() {
    let function = Function::new();
    let planted = plant(&function, KEY);
    let reply = function.reply_to(event("invitation-key-create")).await;
    assert_eq!((&reply["Status"], name_in(&reply)), (&json!("FAILED"), "poolkeeper-failed-create"));
    let reason = reply["Reason"].as_str().unwrap();
    assert!(reason.contains(KEY) && reason.contains("a higher InvitationKeyVersion"), "{reason}");
    assert_unchanged(&function, KEY, &planted);
    assert!(function.platform.writes().is_empty());
}

#[tokio::test]
async fn a_planted_key_fails_the_new_version_but_not_its_rollback() {
    let function = Function::new();
    let first = function.reply_to(event("invitation-key-create")).await;
    let planted = plant(&function, NEXT_KEY);
    let failed = function.reply_to(update(&first, "2", "request-2")).await;
    assert_eq!((&failed["Status"], &failed["PhysicalResourceId"]), (&json!("FAILED"), &first["PhysicalResourceId"]));
    assert!(failed["Reason"].as_str().unwrap().contains(NEXT_KEY), "{failed}");
    assert_unchanged(&function, NEXT_KEY, &planted);

    let mut rollback = update(&first, "1", "request-3");
    rollback["OldResourceProperties"]["Version"] = json!("2");
    let back = function.reply_to(rollback).await;
    assert_eq!((&back["Status"], &back["Data"]), (&json!("SUCCESS"), &first["Data"]), "{back}");
}

#[tokio::test]
async fn rejects_a_copy_of_the_current_key_as_the_next_one() {
    let function = Function::new();
    let first = function.reply_to(event("invitation-key-create")).await;
    plant(&function, NEXT_KEY);
    let copy = function.platform.state().parameters[KEY].key.clone();
    function.platform.state().parameters.get_mut(NEXT_KEY).unwrap().key = copy;
    assert_eq!(function.reply_to(update(&first, "2", "request-2")).await["Status"], "FAILED");
}

/// Without this rule, the holder of a stolen key could sign and store the next key.
#[tokio::test]
async fn a_key_authenticates_only_keys_with_a_lower_version() {
    let function = Function::new();
    let mut create = event("invitation-key-create");
    create["ResourceProperties"]["Version"] = json!("2");
    let second = function.reply_to(create).await;
    let first = function.reply_to(update(&second, "1", "request-2")).await;
    assert_eq!(first["Status"], "SUCCESS");
    assert_eq!(function.reply_to(update(&first, "2", "request-3")).await["Status"], "FAILED");
}

#[tokio::test]
async fn a_rollback_to_a_replaced_key_fails() {
    let function = Function::new();
    let first = function.reply_to(event("invitation-key-create")).await;
    let second = function.reply_to(update(&first, "2", "request-2")).await;
    let original = function.platform.state().parameters[KEY].clone();
    let replaced = Parameter { key: Some(SigningKey::from_seed(&[7; 32])), ..original.clone() };
    function.platform.state().parameters.insert(KEY.to_owned(), replaced);
    assert_eq!(function.reply_to(update(&second, "1", "request-3")).await["Status"], "FAILED");

    function.platform.state().parameters.insert(KEY.to_owned(), original);
    let back = function.reply_to(update(&second, "1", "request-3")).await;
    assert_eq!((&back["Status"], &back["Data"]), (&json!("SUCCESS"), &first["Data"]), "{back}");
}

#[tokio::test]
async fn a_replaced_key_fails_the_next_update() {
    let function = Function::new();
    let first = function.reply_to(event("invitation-key-create")).await;
    let original = function.platform.state().parameters[KEY].clone();
    // Overwriting the value keeps the tags, and a new parameter can have copied tags.
    for version in [2, 1] {
        let replaced = Parameter { key: Some(SigningKey::from_seed(&[7; 32])), version, ..original.clone() };
        function.platform.state().parameters.insert(KEY.to_owned(), replaced.clone());
        let reply = function.reply_to(update(&first, "1", "request-2")).await;
        assert_eq!(reply["Status"], "FAILED", "version {version}: {reply}");
        assert_unchanged(&function, KEY, &replaced);
    }
    // A repeated Create fails as well, because the tags belong to another value.
    let overwritten = Parameter { key: Some(SigningKey::from_seed(&[7; 32])), version: 2, ..original };
    function.platform.state().parameters.insert(KEY.to_owned(), overwritten);
    assert_eq!(function.reply_to(event("invitation-key-create")).await["Status"], "FAILED");
}

#[tokio::test]
async fn a_key_without_the_stack_tag_fails_the_update() {
    let function = Function::new();
    let first = function.reply_to(event("invitation-key-create")).await;
    assert_eq!(function.reply_to(update(&first, "1", "request-2")).await["Status"], "SUCCESS");
    for stack in [None, Some("stack/other/1")] {
        let stack = stack.map(|stack| (STACK_TAG.to_owned(), stack.to_owned()));
        function.platform.state().parameters.get_mut(KEY).unwrap().tags = stack.into_iter().collect();
        assert_eq!(function.reply_to(update(&first, "1", "request-3")).await["Status"], "FAILED");
    }
}

#[tokio::test]
async fn a_delete_retains_a_parameter_without_the_stack_tag() {
    for case in ["invitation-key-delete", "invitation-key-delete-after-failed-create"] {
        let function = Function::new();
        function.put(KEY, Some(SigningKey::from_seed(&[7; 32])));
        function.platform.state().parameters.get_mut(KEY).unwrap().tags.clear();
        let reply = function.reply_to(event(case)).await;
        assert_eq!(reply["Status"], "SUCCESS", "{case}");
        assert!(reply["Reason"].as_str().unwrap().starts_with("invitation_key retained ("), "{case}: {reply}");
        assert_eq!(function.keys(), [KEY], "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_rollback_of_a_failed_update_deletes_its_key() {
    use domain::retry::ErrorClass;
    use testkit::in_memory_platform::Fault;

    let function = Function::new();
    let first = function.reply_to(event("invitation-key-create")).await;
    function.platform.fail("create_invitation_key", 2, Fault::AnswerLost);
    for nth in 3..=12 {
        function.platform.fail("read_invitation_key", nth, Fault::NotDone(ErrorClass::OutcomeUnknown));
    }
    let failed = function.reply_to(update(&first, "2", "request-2")).await;
    assert_eq!((&failed["Status"], function.keys().len()), (&json!("FAILED"), 2));
    function.platform.heal();

    let mut rollback = update(&first, "1", "request-3");
    rollback["OldResourceProperties"]["Version"] = json!("2");
    // A failed clean-up does not fail the rollback, and the next rollback request retries it.
    function.platform.fail("delete_invitation_key", 1, Fault::NotDone(ErrorClass::Invalid));
    for left in [[KEY, NEXT_KEY].as_slice(), &[KEY]] {
        let back = function.reply_to(rollback.clone()).await;
        assert_eq!((&back["Status"], &back["Data"]), (&json!("SUCCESS"), &first["Data"]), "{back}");
        assert_eq!(function.keys(), left);
    }
}
