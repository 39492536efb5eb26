//! Repeated requests with an `Idempotency-Key`.

mod created_account;
mod differences;
mod left_to_do;

use domain::user_pool::error::Reason;
use domain::user_pool::user::CREATION_ATTRIBUTE;
use serde_json::{Value, json};

use crate::testing::{Answer, Api, By, Call, token};

const WRITES: [&str; 4] = ["create", "set_password", "sign_out", "add_to_group"];

fn with_key(body: &Value) -> Call {
    Call::post("/v1/users", Some(body)).header("idempotency-key", "8e03978e-40d5-43e8-bc93-6894a57f9324")
}

async fn repeat(api: &Api, body: &Value) -> Answer {
    api.call(with_key(body)).await
}

/// The writes to the pool.
fn writes(api: &Api) -> Vec<&'static str> {
    api.pool.calls().into_iter().filter(|call| WRITES.contains(call)).collect()
}

fn asking_for_everything() -> Value {
    json!({
        "username": "new", "attributes": {"email": "new@example.com", "email_verified": "True", "nickname": ""},
        "password": "Permanent-1", "permanent": true, "groups": ["admins", "readers"]
    })
}

/// A caller in these groups.
fn creator(api: &Api, groups: &[&str]) -> By {
    api.pool.add_user("kim", "Password-of-kim-1", groups, &[]);
    token("kim", &format!("[{}]", groups.join(" ")))
}

#[tokio::test]
async fn a_first_request_creates_with_a_key_as_without_one() {
    let api = Api::new();
    let answer = repeat(&api, &asking_for_everything()).await;
    assert_eq!((answer.status, answer.header("location")), (201, Some("/v1/users/new")));
}

#[tokio::test]
async fn a_repeat_of_what_is_done_changes_nothing() {
    for body in [
        json!({"username": "new"}),
        json!({"username": "new", "attributes": {"email": "new@example.com", "email_verified": "true"}}),
        json!({"username": "new", "password": "Temporary-1", "welcome_message": "send"}),
        json!({"username": "new", "groups": ["readers"]}),
        asking_for_everything(),
    ] {
        let api = Api::new();
        let first = repeat(&api, &body).await;
        assert_eq!(first.status, 201, "{body}");
        let (made, invitations) = (writes(&api), api.pool.welcome_messages_of("new"));
        for time in ["once", "twice"] {
            let answer = repeat(&api, &body).await;
            assert_eq!((answer.status, answer.header("location")), (200, None), "{time}: {body}");
            for field in ["username", "sub", "status", "enabled", "attributes", "created_at"] {
                assert_eq!(answer.body[field], first.body[field], "{time}: {body}");
            }
        }
        assert_eq!(writes(&api)[made.len()..], ["create", "create"], "{body}");
        assert_eq!(api.pool.welcome_messages_of("new"), invitations, "{body}");
    }
}

#[tokio::test]
async fn without_a_key_an_existing_user_is_a_conflict() {
    let api = Api::new();
    let body = json!({"username": "new"});
    assert_eq!(repeat(&api, &body).await.status, 201);
    let answer = api.call(Call::post("/v1/users", Some(&body))).await;
    assert_eq!((answer.status, answer.code(), answer.body.get("differing")), (409, "user-exists", None));
    let without = api.call(Call::post("/v1/users", Some(&json!({"username": "plain"})))).await;
    assert_eq!(without.status, 201);
    assert!(!api.pool.attributes_of("plain").contains_key(CREATION_ATTRIBUTE));
}

#[tokio::test]
async fn a_malformed_key_is_refused_before_anything_is_created() {
    let too_long = "x".repeat(256);
    for key in ["", "two words", &too_long] {
        let api = Api::new();
        let call = Call::post("/v1/users", Some(&json!({"username": "new"}))).header("idempotency-key", key);
        let answer = api.call(call).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!("Idempotency-Key")), "{key:?}");
        assert_eq!(api.pool.user("new"), None, "{key:?}");
    }
}

#[tokio::test]
async fn creating_shows_no_attributes_without_users_read() {
    let api = Api::new();
    let body = json!({"username": "new", "attributes": {"name": "New"}});
    let created = api.call(with_key(&body).by(token("cleo", "[creators]"))).await;
    assert_eq!((created.status, &created.body["attributes"]), (201, &json!({})));
    assert_eq!(created.body["sub"], api.sub_of("new"));
    let repeated = api.call(with_key(&body).by(token("cleo", "[creators]"))).await;
    assert_eq!((repeated.status, &repeated.body["attributes"]), (200, &json!({})));
}

#[tokio::test]
async fn a_failure_that_is_no_conflict_is_reported_as_it_is() {
    for (reason, status) in [(Reason::Unavailable, 502), (Reason::Throttled, 429), (Reason::InvalidPassword, 422)] {
        let api = Api::new();
        api.pool.fail("create", 1, reason);
        let answer = repeat(&api, &json!({"username": "mia"})).await;
        assert_eq!((answer.status, answer.body.get("completed")), (status, None));
    }
    let api = Api::new();
    api.pool.fail("creation_key", 1, Reason::Throttled);
    assert_eq!(repeat(&api, &json!({"username": "new"})).await.status, 429);
    assert_eq!(api.pool.user("new"), None);
}
