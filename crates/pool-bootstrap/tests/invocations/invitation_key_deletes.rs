//! A Delete of the invitation signing key affects only the requested key.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::invitation::SigningKey;
use domain::retry::ErrorClass;
use serde_json::{Value, json};
use testkit::in_memory_platform::Fault;
use tokio::time::timeout;

use crate::function::{Function, event};
use crate::invitation_keys::{KEY, NEXT_KEY, name_in};

#[tokio::test(start_paused = true)]
async fn a_delete_succeeds_after_any_fault_of_the_previous_one() {
    let calls = ["tags_of_invitation_key", "delete_invitation_key"];
    for (call, fault) in calls.into_iter().flat_map(|call| Fault::ALL.map(|fault| (call, fault))) {
        let function = Function::after("invitation-key-create").await;
        function.platform.fail(call, 1, fault);
        drop(timeout(Duration::from_mins(4), function.invoke(event("invitation-key-delete"))).await);
        function.platform.heal();
        let reply = function.reply_to(event("invitation-key-delete")).await;
        assert_eq!(reply["Status"], "SUCCESS", "{call} {fault:?}");
        assert_eq!(function.keys(), Vec::<String>::new(), "{call} {fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_reports_whether_a_key_existed() {
    let function = Function::new();
    let reply = function.reply_to(event("invitation-key-delete")).await;
    assert_eq!((&reply["Status"], &reply["Reason"]), (&json!("SUCCESS"), &json!("invitation_key absent")));

    function.reply_to(event("invitation-key-create")).await;
    function.platform.fail("delete_invitation_key", 1, Fault::AnswerLost);
    let reply = function.reply_to(event("invitation-key-delete")).await;
    assert_eq!(reply["Reason"], "invitation_key deleted", "by the attempt with the lost response");
}

/// Ids that name no invitation signing key.
const NO_NAMES: [&str; 8] = [
    "",
    "poolkeeper-failed-create",
    "poolkeeper-InvitationKey-1K9V5Y3XQ2J8B",
    "/poolkeeper/shop/other",
    "/shop/database-password",
    "/poolkeeper/shop/invitation-key/1",
    "/poolkeeper/shop/invitation-key/5b5a1c2e-1f5d-11ee-be56-0242ac120002/01",
    "/poolkeeper/shop/invitation-key/5b5a1c2e-1f5d-11ee-be56-0242ac120002/1/../../../../../shop/database-password",
];

/// Parameters that requests for [`KEY`] must not change.
const OTHERS: [&str; 6] = [
    NEXT_KEY,
    "/poolkeeper/shop/invitation-key/1",
    "/poolkeeper/shop/invitation-key/6b5a1c2e-1f5d-11ee-be56-0242ac120002/1",
    "/poolkeeper/shop/other",
    "/poolkeeper/store/invitation-key/5b5a1c2e-1f5d-11ee-be56-0242ac120002/1",
    "/shop/database-password",
];

/// A function with [`KEY`] and all parameters of [`OTHERS`].
fn crowded() -> Function {
    let function = Function::new();
    for name in OTHERS.into_iter().chain([KEY]) {
        function.put(name, Some(SigningKey::from_seed(&[7; 32])));
    }
    function
}

impl Function {
    fn has_only_the_others(&self) -> bool {
        self.keys().into_iter().collect::<BTreeSet<_>>() == OTHERS.map(str::to_owned).into()
    }
}

#[tokio::test]
async fn a_delete_uses_an_id_that_names_a_key() {
    for properties in [
        json!({"PoolName": "shop", "Version": "1"}),
        // Other or invalid properties.
        json!({"PoolName": "shop", "Version": "2"}),
        json!({"PoolName": "a b", "Version": "2"}),
    ] {
        let function = crowded();
        let mut delete = event("invitation-key-delete");
        delete["ResourceProperties"] = properties;
        let reply = function.reply_to(delete).await;
        assert_eq!((&reply["Reason"], name_in(&reply)), (&json!("invitation_key deleted"), KEY));
        assert!(function.has_only_the_others(), "{:?}", function.keys());
    }
}

#[tokio::test]
async fn a_delete_without_key_id_deletes_only_the_key_of_its_properties() {
    for id in NO_NAMES {
        let function = crowded();
        let mut delete = event("invitation-key-delete");
        delete["PhysicalResourceId"] = json!(id);
        for reason in ["invitation_key deleted", "invitation_key absent"] {
            let reply = function.reply_to(delete.clone()).await;
            assert_eq!((&reply["Status"], &reply["PhysicalResourceId"]), (&json!("SUCCESS"), &json!(id)));
            assert_eq!(reply["Reason"], reason, "{id}");
            assert!(function.has_only_the_others(), "{id}: {:?}", function.keys());
        }
    }
}

#[tokio::test]
async fn a_delete_that_identifies_no_key_succeeds_without_change() {
    let unreadable = [
        json!({"PoolName": "a b", "Version": "1"}),
        json!({"PoolName": "shop", "Vresion": "1"}),
        json!({"PoolName": "shop", "Version": "0"}),
        json!({}),
        json!(null),
    ];
    for (id, properties) in NO_NAMES.into_iter().flat_map(|id| unreadable.iter().map(move |it| (id, it))) {
        let function = crowded();
        let mut delete = event("invitation-key-delete");
        delete["PhysicalResourceId"] = json!(id);
        delete["ResourceProperties"] = properties.clone();
        let reply = function.reply_to(delete).await;
        assert_eq!((&reply["Status"], &reply["PhysicalResourceId"]), (&json!("SUCCESS"), &json!(id)));
        assert!(reply["Reason"].as_str().unwrap().contains("nothing was changed"), "{reply}");
        assert!(function.platform.calls().is_empty(), "{:?}", function.platform.calls());
    }
}

#[tokio::test(start_paused = true)]
async fn the_rollback_of_a_failed_create_deletes_its_key() {
    let function = Function::new();
    function.platform.fail("create_invitation_key", 1, Fault::AnswerLost);
    for nth in 2..=10 {
        function.platform.fail("read_invitation_key", nth, Fault::NotDone(ErrorClass::OutcomeUnknown));
    }
    let failed = function.reply_to(event("invitation-key-create")).await;
    assert_eq!((&failed["Status"], function.keys().as_slice()), (&json!("FAILED"), [KEY.to_owned()].as_slice()));

    let mut delete = event("invitation-key-delete-after-failed-create");
    delete["PhysicalResourceId"] = failed["PhysicalResourceId"].clone();
    assert_eq!(function.reply_to(delete).await["Status"], "SUCCESS");
    assert_eq!(function.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn stacks_with_the_same_pool_name_have_separate_keys() {
    let function = Function::new();
    let of_other_stack = |case: &str| {
        let text = event(case).to_string().replace("5b5a1c2e-1f5d", "6b5a1c2e-1f5d");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let first = function.reply_to(event("invitation-key-create")).await;
    let second = function.reply_to(of_other_stack("invitation-key-create")).await;
    assert_eq!(second["Reason"], "invitation_key created");
    assert_ne!(second["PhysicalResourceId"], first["PhysicalResourceId"]);
    assert_ne!(second["Data"]["PublicKey"], first["Data"]["PublicKey"]);

    // The requests identify the key by its id, by its properties, and again after its deletion.
    for case in [
        "invitation-key-delete",
        "invitation-key-delete-after-failed-create",
        "invitation-key-delete-of-unanswered-create",
    ] {
        assert_eq!(function.reply_to(of_other_stack(case)).await["Status"], "SUCCESS", "{case}");
        assert_eq!(function.keys(), [KEY], "{case}");
    }
}

#[tokio::test]
async fn a_request_without_stack_id_creates_and_deletes_no_key() {
    let function = crowded();
    for (case, status) in
        [("invitation-key-create", "FAILED"), ("invitation-key-delete-after-failed-create", "SUCCESS")]
    {
        let mut request = event(case);
        request["StackId"] = json!("");
        assert_eq!(function.reply_to(request).await["Status"], status, "{case}");
    }
    assert!(function.platform.calls().is_empty(), "{:?}", function.platform.calls());
}
