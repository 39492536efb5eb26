//! The custom resource of the invitation key: one key, the same one for everybody, and nothing else ever deleted.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::invitation::SigningKey;
use domain::provision::STACK_TAG;
use domain::retry::ErrorClass;
use serde_json::{Value, json};
use testkit::in_memory_platform::{Fault, Parameter};
use tokio::time::timeout;

use crate::function::{Function, event};
use crate::invitation_key_owners::update;

/// The name of the key that most events are about.
pub(crate) const KEY: &str = "/poolkeeper/shop/invitation-key/5b5a1c2e-1f5d-11ee-be56-0242ac120002/1";

/// The name of the next one.
pub(crate) const NEXT_KEY: &str = "/poolkeeper/shop/invitation-key/5b5a1c2e-1f5d-11ee-be56-0242ac120002/2";

impl Function {
    /// The names of all keys.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.platform.state().parameters.keys().cloned().collect()
    }

    /// The public half of a key that is kept.
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

/// Every call of a create with every fault: two, and the two reads after a lost answer.
fn all_faults() -> impl Iterator<Item = (usize, Fault)> {
    (1..=4).flat_map(|nth| Fault::ALL.map(|fault| (nth, fault)))
}

#[tokio::test]
async fn a_created_key_has_every_attribute_that_the_template_asks_for_and_nothing_secret() {
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
async fn no_two_keys_are_alike() {
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        let function = Function::new();
        let reply = function.reply_to(event("invitation-key-create")).await;
        assert!(seen.insert(reply["Data"]["PublicKey"].as_str().unwrap().to_owned()));
    }
}

#[tokio::test]
async fn the_same_request_again_and_an_update_that_changes_nothing_find_the_same_key() {
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
async fn the_same_request_twice_at_the_same_moment_makes_one_key_and_both_hear_of_it() {
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
async fn after_any_fault_of_a_create_the_next_one_ends_with_one_key_that_is_never_replaced() {
    for (nth, fault) in all_faults() {
        let function = Function::new();
        function.platform.fail_at(nth, fault);
        // One that never ends is dropped, as if its process had been killed.
        let ended = timeout(Duration::from_mins(4), function.invoke(event("invitation-key-create"))).await;
        let told = format!("{fault:?} of call {nth}, calls {:?}", function.platform.calls());
        let before = function.keys().first().map(|name| function.public_key(name));
        if let (Ok(ended), Some((_, reply))) = (ended, function.replies.0.lock().unwrap().last()) {
            ended.unwrap();
            if reply["Status"] == "SUCCESS" {
                assert_eq!(reply["Data"]["PublicKey"].as_str(), before.as_deref(), "{told}");
            }
        }
        function.platform.heal();

        let again = function.reply_to(event("invitation-key-create")).await;
        assert_eq!(again["Status"], "SUCCESS", "{told}: {again}");
        assert_eq!(again["Data"]["PublicKey"], function.public_key(KEY), "{told}");
        assert!(before.is_none_or(|before| again["Data"]["PublicKey"] == before), "{told}");
        assert_eq!(function.keys(), [KEY], "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_be_mended_in_time_is_no_failure() {
    for (operation, fault, outcome) in [
        ("read_invitation_key", Fault::NotDone(ErrorClass::Throttled), "created"),
        ("create_invitation_key", Fault::NotDone(ErrorClass::Throttled), "created"),
        ("create_invitation_key", Fault::NotDone(ErrorClass::OutcomeUnknown), "created"),
        ("create_invitation_key", Fault::AnswerLost, "adopted"),
        // The one that had the name was just being deleted.
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
async fn a_create_that_never_leaves_anything_is_given_up_in_the_end() {
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

/// Each call about a key, with the events that lead to it.
const CALLS: [(&[&str], &str, &str); 5] = [
    (&[], "invitation-key-create", "read_invitation_key"),
    (&[], "invitation-key-create", "create_invitation_key"),
    (&["invitation-key-create"], "invitation-key-update", "tags_of_invitation_key"),
    (&["invitation-key-create"], "invitation-key-delete", "tags_of_invitation_key"),
    (&["invitation-key-create"], "invitation-key-delete", "delete_invitation_key"),
];

#[tokio::test(start_paused = true)]
async fn a_right_that_the_role_was_given_moments_ago_is_awaited() {
    for (before, case, operation) in CALLS {
        let function = Function::new();
        for case in before {
            function.reply_to(event(case)).await;
        }
        for nth in 1..=8 {
            function.platform.fail(operation, nth, Fault::NotDone(ErrorClass::Forbidden));
        }
        let reply = function.reply_to(event(case)).await;
        assert_eq!(reply["Status"], "SUCCESS", "{operation}: {reply}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_right_that_never_comes_is_told_after_half_a_minute_at_most_and_nothing_was_touched() {
    for (time_left, at_least, at_most) in [(600, 24, 30), (60, 10, 15)] {
        for (before, case, operation) in CALLS {
            let function = Function { time_left: Duration::from_secs(time_left), ..Function::new() };
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
            assert!(
                took >= Duration::from_secs(at_least) && took <= Duration::from_secs(at_most),
                "{operation} with {time_left} s left: {took:?}"
            );
            assert_eq!(function.keys(), keys, "{operation}");
        }
    }
}

#[tokio::test]
async fn what_can_never_work_fails_at_once_with_its_reason_and_touches_nothing() {
    for (operation, class, reason) in [
        ("read_invitation_key", ErrorClass::Invalid, "read_invitation_key failed"),
        ("create_invitation_key", ErrorClass::QuotaExceeded, "ran into a quota"),
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
async fn something_else_under_the_name_fails_the_resource_and_is_left_as_it_is() {
    let function = Function::new();
    function.put(KEY, None);
    for (case, id) in [("invitation-key-create", "poolkeeper-failed-create"), ("invitation-key-update", KEY)] {
        let reply = function.reply_to(event(case)).await;
        assert_eq!((&reply["Status"], name_in(&reply)), (&json!("FAILED"), id), "{case}");
        assert!(reply["Reason"].as_str().unwrap().contains("read_invitation_key failed"), "{case}: {reply}");
    }
    assert!(function.platform.writes().is_empty());
}

#[tokio::test]
async fn another_version_is_another_key_and_the_old_one_goes_by_its_own_name() {
    let function = Function::new();
    let first = function.reply_to(event("invitation-key-create")).await;
    let second = function.reply_to(event("invitation-key-update-of-version")).await;
    assert_ne!(second["Data"]["PublicKey"], first["Data"]["PublicKey"]);
    assert_eq!(function.keys(), [KEY, NEXT_KEY], "both, until CloudFormation deletes the old one");

    function.reply_to(event("invitation-key-delete")).await;
    assert_eq!(function.keys(), [NEXT_KEY]);
    assert_eq!(second["Data"]["PublicKey"], function.public_key(NEXT_KEY));
}

#[tokio::test]
async fn a_new_version_that_is_rolled_back_leaves_the_old_key_as_it_was() {
    let function = Function::new();
    let first = function.reply_to(event("invitation-key-create")).await;
    let second = function.reply_to(update(&first, "2", "request-2")).await;

    let mut rollback = event("invitation-key-update-of-version");
    let (new, old) = (rollback["ResourceProperties"].clone(), rollback["OldResourceProperties"].clone());
    (rollback["ResourceProperties"], rollback["OldResourceProperties"]) = (old, new);
    rollback["PhysicalResourceId"] = second["PhysicalResourceId"].clone();
    rollback["RequestId"] = json!("request-3");
    let back = function.reply_to(rollback).await;
    // Another id would make CloudFormation delete the key that is used.
    assert_eq!((&back["PhysicalResourceId"], &back["Data"]), (&first["PhysicalResourceId"], &first["Data"]), "{back}");

    let mut clean_up = event("invitation-key-delete");
    clean_up["PhysicalResourceId"] = second["PhysicalResourceId"].clone();
    function.reply_to(clean_up).await;
    assert_eq!(function.keys(), [KEY]);
}

#[tokio::test]
async fn an_update_that_fails_keeps_the_id_so_that_nothing_is_deleted() {
    let function = Function::new();
    function.reply_to(event("invitation-key-create")).await;
    function.platform.fail("create_invitation_key", 2, Fault::NotDone(ErrorClass::QuotaExceeded));
    let reply = function.reply_to(event("invitation-key-update-of-version")).await;
    assert_eq!((&reply["Status"], name_in(&reply)), (&json!("FAILED"), KEY));
    assert_eq!(function.keys(), [KEY]);
}

#[tokio::test(start_paused = true)]
async fn after_any_fault_of_a_delete_the_next_one_leaves_nothing() {
    let calls = ["tags_of_invitation_key", "delete_invitation_key"];
    for (call, fault) in calls.into_iter().flat_map(|call| Fault::ALL.map(|fault| (call, fault))) {
        let function = Function::new();
        function.reply_to(event("invitation-key-create")).await;
        function.platform.fail(call, 1, fault);
        drop(timeout(Duration::from_mins(4), function.invoke(event("invitation-key-delete"))).await);
        function.platform.heal();
        let reply = function.reply_to(event("invitation-key-delete")).await;
        assert_eq!(reply["Status"], "SUCCESS", "{call} {fault:?}");
        assert_eq!(function.keys(), Vec::<String>::new(), "{call} {fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_says_whether_there_was_anything_to_delete() {
    let function = Function::new();
    let reply = function.reply_to(event("invitation-key-delete")).await;
    assert_eq!((&reply["Status"], &reply["Reason"]), (&json!("SUCCESS"), &json!("invitation_key absent")));

    function.reply_to(event("invitation-key-create")).await;
    function.platform.fail("delete_invitation_key", 1, Fault::AnswerLost);
    let reply = function.reply_to(event("invitation-key-delete")).await;
    assert_eq!(reply["Reason"], "invitation_key deleted", "by the attempt whose answer was lost");
}

/// Ids that name no key of ours.
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

/// What is not to be touched by anything that is about [`KEY`].
const OTHERS: [&str; 6] = [
    NEXT_KEY,
    "/poolkeeper/shop/invitation-key/1",
    "/poolkeeper/shop/invitation-key/6b5a1c2e-1f5d-11ee-be56-0242ac120002/1",
    "/poolkeeper/shop/other",
    "/poolkeeper/store/invitation-key/5b5a1c2e-1f5d-11ee-be56-0242ac120002/1",
    "/shop/database-password",
];

/// With a key under [`KEY`] and under everything of [`OTHERS`].
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
async fn a_delete_goes_by_the_id_where_that_is_the_name_of_a_key() {
    for properties in [
        json!({"PoolName": "shop", "Version": "1"}),
        // Whatever they say by now, or do not.
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
async fn a_delete_whose_id_names_no_key_takes_away_what_its_creation_would_have_made_and_nothing_else() {
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
async fn a_delete_of_which_nothing_says_what_it_means_touches_nothing_and_succeeds() {
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
        assert!(reply["Reason"].as_str().unwrap().contains("nothing was touched"), "{reply}");
        assert!(function.platform.calls().is_empty(), "{:?}", function.platform.calls());
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_failed_after_it_had_made_the_key_leaves_nothing_once_it_is_rolled_back() {
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
async fn two_stacks_with_one_pool_name_have_a_key_each_and_one_goes_without_the_other() {
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

    // By its id, by its properties, and once more.
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
async fn a_request_without_the_id_of_a_stack_makes_no_key_and_deletes_none_by_its_properties() {
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

#[tokio::test]
async fn another_name_of_the_pool_is_refused_before_anything_is_touched_and_can_be_rolled_back() {
    let function = Function::new();
    let first = function.reply_to(event("invitation-key-create")).await;
    let calls = function.platform.calls();
    let refused = function.reply_to(event("invitation-key-update-of-pool-name")).await;
    assert_eq!((&refused["Status"], name_in(&refused)), (&json!("FAILED"), KEY));
    assert_eq!(function.platform.calls(), calls);

    // Also together with another version.
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

#[tokio::test]
async fn a_panic_is_a_failed_reply_without_its_text_and_the_function_lives_on() {
    let function = Function::new();
    function.platform.fail("create_invitation_key", 1, Fault::Panic);
    let reply = function.reply_to(event("invitation-key-create")).await;
    assert_eq!(reply["Status"], "FAILED");
    assert!(!reply["Reason"].as_str().unwrap().contains("planned"), "{reply}");
    assert_eq!(function.reply_to(event("invitation-key-create")).await["Status"], "SUCCESS");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_answers_is_answered_before_the_invocation_ends() {
    for (case, operation) in
        [("invitation-key-create", "create_invitation_key"), ("invitation-key-delete", "delete_invitation_key")]
    {
        let function = Function::new();
        if operation == "delete_invitation_key" {
            function.reply_to(event("invitation-key-create")).await;
        }
        function.platform.fail(operation, 1, Fault::Stalled);
        let began = tokio::time::Instant::now();
        let reply = function.reply_to(event(case)).await;
        assert_eq!(reply["Status"], "FAILED", "{case}");
        assert!(reply["Reason"].as_str().unwrap().contains("ran out of time"), "{case}: {reply}");
        let to_spare = function.time_left.saturating_sub(began.elapsed());
        assert!(to_spare >= Duration::from_secs(9) && to_spare < Duration::from_secs(12), "{case}: {to_spare:?}");
    }
}

#[tokio::test]
async fn an_invocation_without_time_left_is_answered_and_touches_nothing() {
    let function = Function { time_left: Duration::ZERO, ..Function::new() };
    for case in ["invitation-key-create", "invitation-key-delete"] {
        let reply = function.reply_to(event(case)).await;
        assert_eq!(reply["Status"], "FAILED");
        assert!(reply["Reason"].as_str().unwrap().contains("ran out of time"), "{reply}");
    }
    assert!(function.platform.calls().is_empty());
}
