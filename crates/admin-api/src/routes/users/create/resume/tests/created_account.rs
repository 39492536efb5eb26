//! Tests that a repeated request completes only the account that the request created.

use domain::user_pool::error::Reason;
use domain::user_pool::user::{CREATION_ATTRIBUTE, UserStatus};
use serde_json::json;

use super::{asking_for_everything, creator, repeat, with_key, writes};
use crate::testing::{Api, Call};

/// A user who signed up under the name earlier must not get the password or the groups.
#[tokio::test]
async fn a_stranger_with_the_name_gets_nothing_from_a_repeat() {
    type Before = fn(&Api);
    let states: [(&str, Before); 4] = [
        ("signed up and confirmed", |_| ()),
        ("signed up", |api| api.pool.set_status("nina", UserStatus::Unconfirmed)),
        ("has a temporary password by now", |api| api.pool.set_status("nina", UserStatus::ForceChangePassword)),
        ("must reset the password", |api| api.pool.set_status("nina", UserStatus::ResetRequired)),
    ];
    let bodies = [
        json!({"username": "nina", "password": "Permanent-1", "permanent": true, "groups": ["readers"]}),
        json!({"username": "nina", "password": "Permanent-1", "permanent": true}),
        json!({"username": "nina", "groups": ["readers"]}),
        json!({"username": "nina"}),
    ];
    for (case, before) in states {
        for body in &bodies {
            let api = Api::new();
            api.pool.add_user("nina", "Password-of-nina-1", &[], &[]);
            before(&api);
            let nina = api.pool.user("nina");
            for _ in 0..2 {
                let answer = repeat(&api, body).await;
                assert_eq!((answer.status, answer.code()), (409, "user-exists"), "{case}: {body}");
                let differing = answer.body["differing"].as_array().unwrap();
                assert!(differing.contains(&json!("creation")), "{case}: {body} {differing:?}");
            }
            assert_eq!((api.pool.user("nina"), api.pool.groups_of("nina")), (nina, vec![]), "{case}: {body}");
            assert!(api.pool.has_password("nina", "Password-of-nina-1"), "{case}: {body}");
        }
    }
}

#[tokio::test]
async fn another_request_is_no_repeat() {
    let body = json!({"username": "new", "groups": ["readers"]});
    let others = [
        (with_key(&body).header("x-nothing", "x"), 200),
        (Call::post("/v1/users", Some(&body)).header("idempotency-key", "another"), 409),
        (with_key(&json!({"username": "new", "groups": ["readers", "visitors"]})), 409),
        (with_key(&json!({"username": "new"})), 409),
        (
            with_key(&json!({
                "username": "new", "groups": ["readers"], "password": "Permanent-1", "permanent": true
            })),
            409,
        ),
    ];
    for (number, (call, status)) in others.into_iter().enumerate() {
        let api = Api::new();
        assert_eq!(repeat(&api, &body).await.status, 201);
        let (before, made) = (api.pool.user("new"), writes(&api).len());
        assert_eq!(api.call(call).await.status, status, "{number}");
        assert_eq!((api.pool.user("new"), api.pool.groups_of("new")), (before, vec!["readers".to_owned()]), "{number}");
        assert_eq!(writes(&api)[made..], ["create"], "{number}");
    }
}

#[tokio::test]
async fn another_caller_with_the_same_key_is_refused() {
    let api = Api::new();
    assert_eq!(repeat(&api, &json!({"username": "new"})).await.status, 201);
    let by = creator(&api, &["admins"]);
    let answer = api.call(with_key(&json!({"username": "new"})).by(by)).await;
    assert_eq!((answer.status, answer.code()), (409, "user-exists"));
}

#[tokio::test]
async fn a_repeat_ends_after_a_day() {
    let api = Api::new();
    let body = json!({"username": "new", "groups": ["readers"]});
    assert_eq!(repeat(&api, &body).await.status, 201);
    api.days_pass(1).await;
    assert_eq!(repeat(&api, &body).await.status, 200);
    api.time_passes(std::time::Duration::from_secs(2)).await;
    let answer = repeat(&api, &body).await;
    assert_eq!((answer.status, &answer.body["differing"]), (409, &json!(["creation"])));
}

#[tokio::test]
async fn a_proof_does_not_carry_over_to_a_later_account() {
    let api = Api::new();
    let body = json!({"username": "new", "password": "Permanent-1", "permanent": true, "groups": ["readers"]});
    assert_eq!(repeat(&api, &body).await.status, 201);
    let proof = api.pool.attributes_of("new")[CREATION_ATTRIBUTE].clone();
    api.pool.remove_user("new");
    api.time_passes(std::time::Duration::from_mins(2)).await;
    api.pool.add_user("new", "Password-of-new-1", &[], &[(CREATION_ATTRIBUTE, &proof)]);
    let answer = repeat(&api, &body).await;
    assert_eq!((answer.status, &answer.body["differing"]), (409, &json!(["creation"])));
    assert!(api.pool.groups_of("new").is_empty() && api.pool.has_password("new", "Password-of-new-1"));
}

#[tokio::test]
async fn a_client_without_a_secret_cannot_repeat() {
    let api = Api::new();
    api.pool.without_client_secret();
    let body = json!({"username": "new", "groups": ["readers"]});
    assert_eq!(repeat(&api, &body).await.status, 201);
    assert!(!api.pool.attributes_of("new").contains_key(CREATION_ATTRIBUTE));
    assert_eq!(repeat(&api, &body).await.status, 409);
}

#[tokio::test]
async fn the_proof_is_never_shown() {
    let api = Api::new();
    let created = repeat(&api, &asking_for_everything()).await;
    let proof = api.pool.attributes_of("new")[CREATION_ATTRIBUTE].clone();
    assert!(created.body["attributes"].get("email").is_some());
    let repeated = repeat(&api, &asking_for_everything()).await;
    let mut shown = vec![created.body, repeated.body];
    for path in ["/v1/users", "/v1/users/new", "/v1/groups/readers/users"] {
        shown.push(api.call(Call::get(path)).await.body);
    }
    let bearer = format!("Bearer {}", api.token_of("new"));
    let me = api.call(Call::get("/v1/auth/me").anonymous().header("authorization", &bearer)).await;
    assert_eq!(me.status, 200);
    shown.push(me.body);
    for body in shown {
        let text = body.to_string();
        assert!(text.contains("new") && !text.contains(&proof) && !text.contains(CREATION_ATTRIBUTE), "{text}");
    }
}

#[tokio::test]
async fn the_reserved_attribute_is_accepted_in_no_request() {
    let api = Api::new();
    let attributes = json!({CREATION_ATTRIBUTE: "1.0.x"});
    let calls = [
        Call::post("/v1/users", Some(&json!({"username": "new", "attributes": attributes}))),
        Call::patch("/v1/users/mia", &json!({"attributes": attributes})),
        Call::patch("/v1/users/mia", &json!({"attributes": {CREATION_ATTRIBUTE: null}})),
        Call::get("/v1/users?custom_attribute=custom%3Apoolkeeper_created%3Dx"),
        Call::get("/v1/users?custom_attribute=poolkeeper_created%3Dx"),
        Call::post(
            "/v1/auth/sign-up",
            Some(&json!({"username": "new", "password": "Correct-1", "attributes": attributes})),
        )
        .anonymous(),
    ];
    for (number, call) in calls.into_iter().enumerate() {
        let answer = api.call(call).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{number}");
    }
    assert_eq!(api.pool.user("new"), None);
}

#[tokio::test]
async fn callers_cannot_add_themselves_to_a_group_by_a_repeat() {
    let api = Api::new();
    let body = json!({"username": "root", "groups": ["admins", "readers"]});
    let answer = repeat(&api, &body).await;
    assert_eq!((answer.status, answer.code()), (409, "user-exists"));
    assert_eq!(api.pool.groups_of("root"), ["admins"]);
}

#[tokio::test]
async fn an_alias_of_another_user_stays_a_conflict() {
    let api = Api::new();
    let attributes = json!({"email": "mia@example.com", "email_verified": "true"});
    let answer = repeat(&api, &json!({"username": "new", "attributes": attributes})).await;
    assert_eq!((answer.status, answer.code()), (409, "alias-exists"));

    // An alias of another user is not the user's name.
    let answer = repeat(&api, &json!({"username": "mia@example.com", "attributes": attributes})).await;
    assert_eq!((answer.status, answer.code()), (409, "user-exists"));
    assert_eq!(answer.body["differing"], json!(["username"]));
}

#[tokio::test]
async fn a_repeat_refuses_a_name_that_is_the_sub_of_another_user() {
    let api = Api::new();
    let body = json!({"username": api.sub_of("mia"), "groups": ["readers"]});
    api.pool.fail("add_to_group", 1, Reason::Unavailable);
    assert_eq!(repeat(&api, &body).await.status, 502);
    let made = writes(&api).len();

    let answer = repeat(&api, &body).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid-request"));
    assert_eq!(answer.body["field"], "username");
    assert_eq!(writes(&api)[made..], ["create"]);
}
