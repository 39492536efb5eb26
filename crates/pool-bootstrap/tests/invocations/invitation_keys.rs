//! The custom resource of the invitation signing key.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::invitation::SigningKey;
use domain::provision::STACK_TAG;
use domain::retry::ErrorClass;
use serde_json::{Value, json};
use testkit::in_memory_platform::{Fault, Parameter};
use tokio::time::timeout;

use crate::function::{Function, event};

/// The name of the key of most events.
pub(crate) const KEY: &str = "/poolkeeper/shop/invitation-key/5b5a1c2e-1f5d-11ee-be56-0242ac120002/1";

/// The name of the next key.
pub(crate) const NEXT_KEY: &str = "/poolkeeper/shop/invitation-key/5b5a1c2e-1f5d-11ee-be56-0242ac120002/2";

impl Function {
    /// The names of all keys.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.platform.state().parameters.keys().cloned().collect()
    }

    /// The public key of a stored key.
    pub(crate) fn public_key(&self, name: &str) -> String {
        self.platform.state().parameters[name].key.as_ref().unwrap().public_key().to_string()
    }

    /// Stores a parameter with the tag of the stack.
    pub(crate) fn put(&self, name: &str, key: Option<SigningKey>) {
        let stack_id = event("invitation-key-create")["StackId"].as_str().unwrap().to_owned();
        let tags = [(STACK_TAG.to_owned(), stack_id)].into();
        self.platform.state().parameters.insert(name.to_owned(), Parameter { key, version: 1, tags });
    }
}

/// The name in the physical id of a reply.
pub(crate) fn name_in(reply: &Value) -> &str {
    reply["PhysicalResourceId"].as_str().unwrap().split('#').next().unwrap()
}

/// Every fault in each of the four calls of a Create request with a lost response.
fn all_faults() -> impl Iterator<Item = (usize, Fault)> {
    (1..=4).flat_map(|nth| Fault::ALL.map(|fault| (nth, fault)))
}

#[tokio::test]
async fn a_created_key_has_all_attributes_and_no_secret() {
    let function = Function::new();
    let reply = function.reply_to(event("invitation-key-create")).await;
    let expected = json!({
        "ParameterName": KEY,
        "PublicKey": function.public_key(KEY),
    });
    assert_eq!(reply["Data"], expected);
    let private = function.platform.state().parameters[KEY].key.as_ref().unwrap().to_pem().unwrap();
    let private = private.expose().lines().nth(1).unwrap();
    assert!(!reply.to_string().contains(private), "{reply}");
    assert_eq!(function.platform.state().parameters[KEY].tags["poolkeeper:pool"], "shop");
}

#[tokio::test]
async fn keys_are_unique() {
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        let function = Function::new();
        let reply = function.reply_to(event("invitation-key-create")).await;
        assert!(seen.insert(reply["Data"]["PublicKey"].as_str().unwrap().to_owned()));
    }
}

#[tokio::test]
async fn a_repeated_request_and_an_empty_update_keep_the_key() {
    let function = Function::new();
    let first = function.reply_to(event("invitation-key-create")).await;
    for case in ["invitation-key-create", "invitation-key-update"] {
        let mut again = event(case);
        again["PhysicalResourceId"] = first["PhysicalResourceId"].clone();
        let again = function.reply_to(again).await;
        assert_eq!((&again["PhysicalResourceId"], &again["Data"]), (&first["PhysicalResourceId"], &first["Data"]));
    }
    assert_eq!(function.keys(), [KEY]);
}

#[tokio::test(start_paused = true)]
async fn concurrent_equal_requests_create_one_key_and_succeed() {
    for seed in 0..100 {
        let function = Function::new();
        function.platform.shuffle(seed);
        let create = || function.invoke(event("invitation-key-create"));
        let (first, second) = tokio::join!(create(), create());
        first.and(second).unwrap();
        let replies: Vec<Value> = function.replies.0.lock().unwrap().iter().map(|(_, reply)| reply.clone()).collect();
        assert_eq!(replies.len(), 2, "seed {seed}");
        for reply in replies {
            assert_eq!(reply["Status"], "SUCCESS", "seed {seed}: {reply}");
            assert_eq!(reply["Data"]["PublicKey"], function.public_key(KEY), "seed {seed}");
        }
        assert_eq!(function.keys(), [KEY], "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_create_ends_with_one_key_after_any_fault() {
    for (nth, fault) in all_faults() {
        let function = Function::new();
        function.platform.fail_at(nth, fault);
        // A hanging invocation is dropped, as if its process had been killed.
        let ended = timeout(Duration::from_mins(4), function.invoke(event("invitation-key-create"))).await;
        let context = format!("{fault:?} of call {nth}, calls {:?}", function.platform.calls());
        let before = function.keys().first().map(|name| function.public_key(name));
        if let (Ok(ended), Some((_, reply))) = (ended, function.replies.0.lock().unwrap().last()) {
            ended.unwrap();
            if reply["Status"] == "SUCCESS" {
                assert_eq!(reply["Data"]["PublicKey"].as_str(), before.as_deref(), "{context}");
            }
        }
        function.platform.heal();

        let again = function.reply_to(event("invitation-key-create")).await;
        assert_eq!(again["Status"], "SUCCESS", "{context}: {again}");
        assert_eq!(again["Data"]["PublicKey"], function.public_key(KEY), "{context}");
        assert!(before.is_none_or(|before| again["Data"]["PublicKey"] == before), "{context}");
        assert_eq!(function.keys(), [KEY], "{context}");
    }
}

#[tokio::test(start_paused = true)]
async fn recovers_from_transient_faults() {
    for (operation, fault, outcome) in [
        ("read_invitation_key", Fault::NotDone(ErrorClass::Throttled), "created"),
        ("create_invitation_key", Fault::NotDone(ErrorClass::Throttled), "created"),
        ("create_invitation_key", Fault::NotDone(ErrorClass::OutcomeUnknown), "created"),
        ("create_invitation_key", Fault::AnswerLost, "adopted"),
        // The parameter with the name is being deleted.
        ("create_invitation_key", Fault::NotDone(ErrorClass::AlreadyExists), "created"),
    ] {
        let function = Function::new();
        function.platform.fail(operation, 1, fault);
        let reply = function.reply_to(event("invitation-key-create")).await;
        assert_eq!(reply["Status"], "SUCCESS", "{operation} {fault:?}: {reply}");
        assert_eq!(reply["Reason"], format!("invitation_key {outcome}"), "{operation} {fault:?}");
        assert_eq!(reply["Data"]["PublicKey"], function.public_key(KEY), "{operation} {fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn gives_up_after_five_creates_without_effect() {
    let function = Function::new();
    for nth in 1..=20 {
        function.platform.fail("create_invitation_key", nth, Fault::NotDone(ErrorClass::OutcomeUnknown));
    }
    let reply = function.reply_to(event("invitation-key-create")).await;
    assert_eq!(
        (&reply["Status"], &reply["PhysicalResourceId"]),
        (&json!("FAILED"), &json!("poolkeeper-failed-create"))
    );
    assert!(reply["Reason"].as_str().unwrap().contains("create_invitation_key failed"), "{reply}");
    let creates = function.platform.calls().into_iter().filter(|call| *call == "create_invitation_key").count();
    assert_eq!(creates, 5);
}

/// Each call for a key, with the preceding events.
const CALLS: [(&[&str], &str, &str); 5] = [
    (&[], "invitation-key-create", "read_invitation_key"),
    (&[], "invitation-key-create", "create_invitation_key"),
    (&["invitation-key-create"], "invitation-key-update", "tags_of_invitation_key"),
    (&["invitation-key-create"], "invitation-key-delete", "tags_of_invitation_key"),
    (&["invitation-key-create"], "invitation-key-delete", "delete_invitation_key"),
];

#[tokio::test(start_paused = true)]
async fn reports_a_missing_permission_early_enough_and_without_change() {
    for (before, case, operation) in CALLS {
        let function = Function { time_left: Duration::from_mins(1), ..Function::new() };
        for case in before {
            function.reply_to(event(case)).await;
        }
        let keys = function.keys();
        for nth in 1..=100 {
            function.platform.fail(operation, nth, Fault::NotDone(ErrorClass::Forbidden));
        }
        let began = tokio::time::Instant::now();
        let reply = function.reply_to(event(case)).await;
        let took = began.elapsed();
        assert_eq!(reply["Status"], "FAILED", "{operation}");
        let reason = reply["Reason"].as_str().unwrap();
        assert!(reason.contains(&format!("{operation} is not allowed")), "{operation}: {reason}");
        assert!(took >= Duration::from_secs(10) && took <= Duration::from_secs(15), "{operation}: {took:?}");
        assert_eq!(function.keys(), keys, "{operation}");
    }
}

#[tokio::test]
async fn permanent_errors_fail_at_once_without_change() {
    for (operation, class, reason) in [
        ("read_invitation_key", ErrorClass::Invalid, "read_invitation_key failed"),
        ("create_invitation_key", ErrorClass::QuotaExceeded, "exceeded an account quota"),
    ] {
        let function = Function::new();
        function.platform.fail(operation, 1, Fault::NotDone(class));
        let reply = function.reply_to(event("invitation-key-create")).await;
        assert_eq!(reply["Status"], "FAILED", "{operation}");
        assert!(reply["Reason"].as_str().unwrap().contains(reason), "{operation}: {reply}");
        assert_eq!(function.keys(), Vec::<String>::new(), "{operation}");
    }
}

#[tokio::test]
async fn another_parameter_with_the_name_fails_and_is_unchanged() {
    let function = Function::new();
    function.put(KEY, None);
    for (case, id) in [("invitation-key-create", "poolkeeper-failed-create"), ("invitation-key-update", KEY)] {
        let reply = function.reply_to(event(case)).await;
        assert_eq!((&reply["Status"], name_in(&reply)), (&json!("FAILED"), id), "{case}");
        assert!(reply["Reason"].as_str().unwrap().contains("read_invitation_key failed"), "{case}: {reply}");
    }
    assert!(function.platform.writes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn replies_before_the_deadline_if_a_call_hangs() {
    for (case, operation) in [
        ("user-pool-create", "create_role"),
        ("invitation-key-create", "create_invitation_key"),
        ("invitation-key-delete", "delete_invitation_key"),
    ] {
        let function = Function::new();
        if operation == "delete_invitation_key" {
            function.reply_to(event("invitation-key-create")).await;
        }
        function.platform.fail(operation, 1, Fault::Stalled);
        let began = tokio::time::Instant::now();
        let reply = function.reply_to(event(case)).await;
        assert_eq!(reply["Status"], "FAILED", "{case}");
        assert!(reply["Reason"].as_str().unwrap().contains("timed out"), "{case}: {reply}");
        let to_spare = function.time_left.saturating_sub(began.elapsed());
        assert!(to_spare >= Duration::from_secs(9) && to_spare < Duration::from_secs(12), "{case}: {to_spare:?}");
    }
}
