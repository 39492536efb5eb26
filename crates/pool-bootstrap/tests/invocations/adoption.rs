//! Adoption and deletion of a pool that outlived its stack.

use std::collections::BTreeMap;

use domain::provision::STACK_TAG;
use domain::retry::ErrorClass;
use serde_json::{Value, json};
use testkit::in_memory_platform::Fault;

use crate::function::{Function, event};

/// An event as a stack sends it, with this value of `AutoConfirm`.
fn of_stack(case: &str, stack: &str, auto_confirm: &str) -> Value {
    let mut event = event(case);
    event["StackId"] = json!(stack_id(stack));
    event["ResourceProperties"]["SignUpPolicy"]["AutoConfirm"] = json!(auto_confirm);
    event
}

fn stack_id(stack: &str) -> String {
    format!("arn:aws:cloudformation:eu-west-1:123456789012:stack/{stack}/1f5d")
}

impl Function {
    async fn succeeds(&self, request: Value) -> Value {
        let reply = self.reply_to(request).await;
        assert_eq!(reply["Status"], "SUCCESS", "{reply}");
        reply
    }

    /// A complete deployment: the pool and the verification.
    async fn deploys(&self, stack: &str, auto_confirm: &str) {
        self.succeeds(of_stack("user-pool-create", stack, auto_confirm)).await;
        self.succeeds(of_stack("verification-create", stack, auto_confirm)).await;
    }

    async fn deletes(&self, stack: &str) -> String {
        let reply = self.succeeds(of_stack("user-pool-delete", stack, "everyone")).await;
        reply["Reason"].as_str().unwrap().to_owned()
    }

    fn tags(&self) -> BTreeMap<String, String> {
        self.platform.state().user_pools[0].thing.tags.clone()
    }

    fn has_pool(&self) -> bool {
        !self.platform.state().user_pools.is_empty()
    }
}

#[tokio::test]
async fn stack_removes_only_its_own_migration_trigger() {
    const OF_STACK: &str = "arn:aws:lambda:eu-west-1:123456789012:function:shop-UserMigration-1";
    let update = |before: &str, after: &str| {
        let mut update = of_stack("user-pool-update", "first", "everyone");
        update["OldResourceProperties"]["Spec"]["user_migration_function_arn"] = json!(before);
        update["ResourceProperties"]["Spec"]["user_migration_function_arn"] = json!(after);
        update
    };
    let function = Function::new();
    function.deploys("first", "everyone").await;
    let trigger = || function.platform.state().user_pools[0].thing.state.user_migration_function_arn.clone();
    function.platform.state().user_pools[0].thing.state.user_migration_function_arn = Some("arn:own".to_owned());
    function.succeeds(update("", "")).await;
    assert_eq!(trigger().as_deref(), Some("arn:own"), "set outside the stack");
    function.succeeds(update("", OF_STACK)).await;
    assert_eq!(trigger().as_deref(), Some(OF_STACK));
    function.succeeds(update(OF_STACK, "")).await;
    assert_eq!(trigger(), None);
    // The rollback of an update that removed the trigger.
    function.succeeds(update("", OF_STACK)).await;
    assert_eq!(trigger().as_deref(), Some(OF_STACK));
}

#[tokio::test]
async fn deleted_stack_removes_its_migration_trigger_from_a_retained_pool() {
    const OF_STACK: &str = "arn:aws:lambda:eu-west-1:123456789012:function:shop-UserMigration-1";
    const REMOVED: &str = "; user migration trigger removed";
    const NOT_REMOVED: &str = "; the user migration trigger could not be removed from the retained pool";
    for (trigger, other_id, fault, left, text) in [
        (OF_STACK, None, false, None, REMOVED),
        (OF_STACK, Some("eu-west-1_Other"), false, Some(OF_STACK), ""),
        ("arn:own", None, false, Some("arn:own"), ""),
        (OF_STACK, None, true, Some(OF_STACK), NOT_REMOVED),
    ] {
        let function = Function::new();
        function.deploys("first", "everyone").await;
        let before = function.platform.state().user_pools[0].thing.clone();
        function.platform.state().user_pools[0].thing.state.user_migration_function_arn = Some(trigger.to_owned());
        if fault {
            function.platform.fail("update_user_pool", 1, Fault::NotDone(ErrorClass::Invalid));
        }
        let mut deletion = of_stack("user-pool-delete", "first", "everyone");
        deletion["ResourceProperties"]["Spec"]["on_delete"] = json!("retain");
        deletion["ResourceProperties"]["Spec"]["user_migration_function_arn"] = json!(OF_STACK);
        if let Some(id) = other_id {
            deletion["PhysicalResourceId"] = json!(id);
        }
        let reply = function.succeeds(deletion).await;
        let reason = reply["Reason"].as_str().unwrap();
        assert!(reason.contains("user_pool retained") && reason.ends_with(text), "{reason}");
        assert_eq!(reason.contains("migration trigger"), !text.is_empty(), "{reason}");
        let mut expected = before;
        expected.state.user_migration_function_arn = left.map(str::to_owned);
        assert_eq!(function.platform.state().user_pools[0].thing, expected);
    }
}

#[tokio::test]
async fn a_failed_new_stack_keeps_an_existing_pool() {
    let function = Function::new();
    function.deploys("first", "everyone").await;
    function.succeeds(of_stack("user-pool-create", "second", "everyone")).await;
    // This Delete is the rollback of a deployment that failed after its pool resource.
    let reason = function.deletes("second").await;
    assert!(
        reason.contains("user_pool retained (the pool's tag `poolkeeper:stack` does not name this stack"),
        "{reason}"
    );
    assert!(function.has_pool());
    assert_eq!(function.platform.state().roles.len(), 1);
}

#[tokio::test]
async fn a_stack_owns_a_pool_after_one_successful_deployment() {
    let function = Function::new();
    function.deploys("first", "everyone").await;
    function.deploys("second", "everyone").await;
    assert_eq!(function.tags()[STACK_TAG], stack_id("second"));
    let reason = function.deletes("first").await;
    assert!(reason.contains("user_pool retained") && function.has_pool(), "{reason}");
    // A third stack adopts the pool and fails.
    function.succeeds(of_stack("user-pool-create", "third", "everyone")).await;
    function.deletes("third").await;
    assert!(function.has_pool());
    let reason = function.deletes("second").await;
    assert!(reason.contains("user_pool deleted") && !function.has_pool(), "{reason}");
}

#[tokio::test]
async fn a_failed_verification_adopts_nothing() {
    let function = Function::new();
    function.deploys("first", "nobody").await;
    function.succeeds(of_stack("user-pool-create", "second", "nobody")).await;
    (1..=9).for_each(|nth| function.platform.fail("credentials", nth, Fault::NotDone(ErrorClass::Invalid)));
    let tags = function.tags();
    let failed = function.reply_to(of_stack("verification-create", "second", "nobody")).await;
    assert_eq!((&failed["Status"], function.tags()), (&json!("FAILED"), tags));
}

#[tokio::test]
async fn adoption_with_a_wider_policy_needs_confirmation() {
    let function = Function::new();
    function.deploys("first", "nobody").await;
    let writes = function.platform.writes();

    let wider = of_stack("user-pool-create", "second", "everyone");
    for request in [wider.clone(), of_stack("verification-create", "second", "everyone")] {
        let refused = function.reply_to(request).await;
        let reason = refused["Reason"].as_str().unwrap();
        assert!(reason.contains(r#"AutoConfirm: "nobody" -> "everyone""#), "{refused}");
        assert!(refused["Status"] == "FAILED" && reason.contains("ConfirmWiderSignUp=true"), "{refused}");
        assert_eq!(function.platform.writes(), writes);
    }

    let mut confirmed = wider;
    confirmed["ResourceProperties"]["ConfirmWiderSignUp"] = json!("true");
    function.succeeds(confirmed).await;
}

#[tokio::test]
async fn changed_domain_lists_and_enabled_sign_up_count_as_wider() {
    let function = Function::new();
    function.deploys("first", "everyone").await;
    let mut other_list = of_stack("user-pool-create", "second", "everyone");
    other_list["ResourceProperties"]["SignUpPolicy"]["DeniedEmailDomains"] = json!("");
    let refused = function.reply_to(other_list).await;
    let reason = refused["Reason"].as_str().unwrap();
    assert!(reason.contains("DeniedEmailDomains: \"sha256:") && reason.contains("-> \"none\""), "{refused}");

    function.platform.state().user_pools[0].thing.state.self_sign_up = false;
    let refused = function.reply_to(of_stack("user-pool-create", "second", "everyone")).await;
    assert!(refused["Reason"].as_str().unwrap().contains("SelfSignUp: false -> true"), "{refused}");
}

#[tokio::test]
async fn adoption_with_weaker_mfa_needs_confirmation() {
    let with_mfa = |stack: &str, mfa: &str| {
        let mut create = of_stack("user-pool-create", stack, "everyone");
        create["ResourceProperties"]["Spec"]["mfa"] = json!(mfa);
        create
    };
    let function = Function::new();
    function.succeeds(with_mfa("first", "required")).await;
    function.succeeds(with_mfa("second", "required")).await;
    let mut verification = of_stack("verification-create", "second", "everyone");
    verification["ResourceProperties"]["Spec"]["mfa"] = json!("required");
    function.succeeds(verification).await;
    for (before, after, is_weaker) in [
        ("required", "off", true),
        ("required", "optional", true),
        ("optional", "off", true),
        ("required", "required", false),
        ("off", "required", false),
    ] {
        let function = Function::new();
        function.succeeds(with_mfa("first", before)).await;
        let reply = function.reply_to(with_mfa("second", after)).await;
        let says_so = reply["Reason"].as_str().unwrap().contains(&format!("Mfa: \"{before}\" -> \"{after}\""));
        assert_eq!((reply["Status"] == "FAILED", says_so), (is_weaker, is_weaker), "{before} -> {after}: {reply}");
    }
}

#[tokio::test]
async fn adoption_with_a_narrower_policy_needs_no_confirmation() {
    let function = Function::new();
    function.deploys("first", "everyone").await;
    function.deploys("second", "invited").await;
    assert_eq!(function.tags()["poolkeeper:auto-confirm"], "invited");
}

#[tokio::test]
async fn adoption_without_a_recorded_policy_needs_confirmation() {
    let function = Function::new();
    function
        .invoke(json!({"action": "apply", "spec": event("user-pool-create")["ResourceProperties"]["Spec"]}))
        .await
        .unwrap();
    assert!(!function.tags().contains_key(STACK_TAG) && !function.tags().contains_key("poolkeeper:auto-confirm"));
    let refused = function.reply_to(of_stack("user-pool-create", "first", "nobody")).await;
    assert!(refused["Reason"].as_str().unwrap().contains("AllowedEmailDomains: \"unknown\""), "{refused}");
}

#[tokio::test]
async fn an_update_of_the_same_stack_needs_no_confirmation() {
    let function = Function::new();
    function.deploys("first", "nobody").await;
    function.succeeds(of_stack("user-pool-update", "first", "everyone")).await;
    assert_eq!(function.tags()["poolkeeper:auto-confirm"], "nobody", "recorded after a successful deployment");
    function.succeeds(of_stack("verification-update", "first", "everyone")).await;
    assert_eq!(function.tags()["poolkeeper:auto-confirm"], "everyone");
}

#[tokio::test]
async fn a_policy_that_allows_alias_takeover_fails_the_deployment() {
    let function = Function::new();
    let mut create = of_stack("user-pool-create", "first", "everyone");
    create["ResourceProperties"]["Spec"]["aliases"] = json!(["email"]);
    create["ResourceProperties"]["SignUpPolicy"]["AutoVerifyEmail"] = json!("everyone");
    let refused = function.reply_to(create.clone()).await;
    assert!(refused["Reason"].as_str().unwrap().contains("AutoVerifyEmail must not be `everyone`"), "{refused}");
    assert!(function.platform.writes().is_empty());
    create["ResourceProperties"]["SignUpPolicy"]["AutoVerifyEmail"] = json!("nobody");
    function.succeeds(create).await;
}

#[tokio::test]
async fn a_wrong_policy_fails_a_create_but_not_a_delete() {
    let function = Function::new();
    function.deploys("first", "everyone").await;
    for (policy, part) in [
        (json!(null), "missing field `SignUpPolicy`"),
        (json!({}), "missing field `AutoConfirm`"),
        (json!({"AutoConfirm": "all"}), "AutoConfirm"),
    ] {
        let mut wrong = of_stack("user-pool-create", "first", "everyone");
        wrong["ResourceProperties"]["SignUpPolicy"] = policy.clone();
        let refused = function.reply_to(wrong).await;
        assert!(refused["Reason"].as_str().unwrap().contains(part), "{refused}");
    }
    let mut delete = of_stack("user-pool-delete", "first", "everyone");
    delete["ResourceProperties"]["SignUpPolicy"] = json!({"AutoConfirm": "all"});
    function.succeeds(delete).await;
    assert!(!function.has_pool());
}
