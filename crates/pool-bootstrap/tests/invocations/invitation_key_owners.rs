//! Which stored keys a stack takes: those that it provably created, and no other.

use domain::invitation::{REQUEST_TAG, SigningKey};
use domain::provision::STACK_TAG;
use serde_json::{Value, json};
use testkit::in_memory_platform::Parameter;

use crate::function::{Function, event};
use crate::invitation_keys::{KEY, NEXT_KEY, name_in};

/// The update to a version that follows a reply, as a request of its own.
pub(crate) fn update(before: &Value, version: &str, request_id: &str) -> Value {
    let mut update = event("invitation-key-update-of-version");
    update["PhysicalResourceId"] = before["PhysicalResourceId"].clone();
    update["ResourceProperties"]["Version"] = json!(version);
    update["RequestId"] = json!(request_id);
    update
}

/// A key that somebody else has stored, with every tag that can be known before the request.
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
async fn a_planted_key_fails_the_creation_and_is_left_unchanged() {
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
async fn a_planted_key_fails_the_change_of_version_and_its_rollback_succeeds() {
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
async fn a_copy_of_the_present_key_is_not_taken_for_the_next_one() {
    let function = Function::new();
    let first = function.reply_to(event("invitation-key-create")).await;
    plant(&function, NEXT_KEY);
    let copy = function.platform.state().parameters[KEY].key.clone();
    function.platform.state().parameters.get_mut(NEXT_KEY).unwrap().key = copy;
    assert_eq!(function.reply_to(update(&first, "2", "request-2")).await["Status"], "FAILED");
}

/// Otherwise the holder of a stolen key could sign for the next key and store both, signature and key.
#[tokio::test]
async fn a_key_vouches_only_for_a_key_with_a_lower_version() {
    let function = Function::new();
    let mut create = event("invitation-key-create");
    create["ResourceProperties"]["Version"] = json!("2");
    let second = function.reply_to(create).await;
    let first = function.reply_to(update(&second, "1", "request-2")).await;
    assert_eq!(first["Status"], "SUCCESS");
    assert_eq!(function.reply_to(update(&first, "2", "request-3")).await["Status"], "FAILED");
}

#[tokio::test]
async fn a_rollback_to_a_key_that_was_replaced_fails() {
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
async fn a_key_that_was_replaced_fails_the_next_update() {
    let function = Function::new();
    let first = function.reply_to(event("invitation-key-create")).await;
    let original = function.platform.state().parameters[KEY].clone();
    // Its tags stay if the value is overwritten, and can be copied if the parameter is created again.
    for version in [2, 1] {
        let replaced = Parameter { key: Some(SigningKey::from_seed(&[7; 32])), version, ..original.clone() };
        function.platform.state().parameters.insert(KEY.to_owned(), replaced.clone());
        let reply = function.reply_to(update(&first, "1", "request-2")).await;
        assert_eq!(reply["Status"], "FAILED", "version {version}: {reply}");
        assert_unchanged(&function, KEY, &replaced);
    }
    // The repeat of the creation: the tags are about another value.
    let overwritten = Parameter { key: Some(SigningKey::from_seed(&[7; 32])), version: 2, ..original };
    function.platform.state().parameters.insert(KEY.to_owned(), overwritten);
    assert_eq!(function.reply_to(event("invitation-key-create")).await["Status"], "FAILED");
}

#[tokio::test]
async fn a_key_without_the_tag_of_the_stack_fails_the_update() {
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
async fn a_delete_leaves_a_parameter_without_the_tag_of_the_stack() {
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
async fn the_rollback_of_an_update_that_failed_deletes_the_key_it_made() {
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
    // A failing cleanup does not fail the rollback, and the next one tries again.
    function.platform.fail("delete_invitation_key", 1, Fault::NotDone(ErrorClass::Invalid));
    for left in [[KEY, NEXT_KEY].as_slice(), &[KEY]] {
        let back = function.reply_to(rollback.clone()).await;
        assert_eq!((&back["Status"], &back["Data"]), (&json!("SUCCESS"), &first["Data"]), "{back}");
        assert_eq!(function.keys(), left);
    }
}
