//! Tests of all user routes.

use domain::user_pool::error::Reason;
use domain::user_pool::user::UserStatus;
use serde_json::{Value, json};

use crate::testing::{Api, Call};

/// Calls that succeed on the pool of [`api`]. Each names a pool operation, and which call of this operation to fail.
fn calls() -> Vec<(Call, &'static str, usize)> {
    let user = json!({"username": "new"});
    let attributes = json!({"attributes": {"name": "Mia"}});
    let password = json!({"password": "Correct-1", "permanent": true});
    let post = |path: &str| Call::post(&format!("/v1/users/{path}"), None);
    vec![
        (Call::post("/v1/users", Some(&user)), "create", 1),
        (Call::get("/v1/users/mia"), "get", 1),
        (Call::get("/v1/users/mia?include=groups"), "groups", 1),
        (Call::patch("/v1/users/mia", &attributes), "change_attributes", 1),
        (Call::delete("/v1/users/mia"), "get", 1),
        (Call::delete("/v1/users/mia"), "delete", 1),
        (Call::put("/v1/users/mia/password", &password), "set_password", 1),
        (post("mia/reset-password"), "get", 1),
        (post("mia/reset-password"), "reset_password", 1),
        (post("una/confirm"), "confirm", 1),
        (post("dan/enable"), "get", 1),
        (post("dan/enable"), "enable", 1),
        (post("mia/disable"), "get", 1),
        (post("mia/disable"), "disable", 1),
        (post("ivy/resend-invitation"), "get", 1),
        (post("ivy/resend-invitation"), "resend_invitation", 1),
        (post("mia/sign-out"), "sign_out", 1),
        (Call::get("/v1/users/mia/groups"), "groups", 1),
        (Call::new("PUT", "/v1/users/mia/groups/readers", None), "get", 1),
        (Call::new("PUT", "/v1/users/mia/groups/readers", None), "add_to_group", 1),
        (Call::delete("/v1/users/ray/groups/readers"), "remove_from_group", 1),
    ]
}

/// With `una` unconfirmed, `dan` disabled and `ivy` invited.
fn api() -> Api {
    let api = Api::new();
    for name in ["una", "dan", "ivy"] {
        api.pool.add_user(name, &format!("Password-of-{name}-1"), &[], &[]);
    }
    api.pool.set_status("una", UserStatus::Unconfirmed);
    api.pool.disable("dan");
    api.pool.set_status("ivy", UserStatus::ForceChangePassword);
    api
}

#[tokio::test]
async fn throttled_calls_set_retry_after() {
    for (number, (call, operation, nth)) in calls().into_iter().enumerate() {
        let case = format!("{number}: {operation}");
        assert!(api().call(call.clone()).await.status < 300, "{case}");
        let api = api();
        api.pool.fail(operation, nth, Reason::Throttled);
        let answer = api.call(call).await;
        assert_eq!((answer.status, answer.code()), (429, "throttled"), "{case}");
        assert_eq!(answer.header("retry-after"), Some("1"), "{case}");
        assert_eq!(answer.body["completed"], Value::Null, "{case}");
    }
}

#[tokio::test]
async fn an_unexpected_body_is_ignored() {
    let paths = [
        ("POST", "/v1/users/mia/reset-password"),
        ("POST", "/v1/users/una/confirm"),
        ("POST", "/v1/users/dan/enable"),
        ("POST", "/v1/users/mia/disable"),
        ("POST", "/v1/users/ivy/resend-invitation"),
        ("POST", "/v1/users/mia/sign-out"),
        ("PUT", "/v1/users/mia/groups/readers"),
        ("DELETE", "/v1/users/ray/groups/readers"),
        ("DELETE", "/v1/users/mia"),
    ];
    for (method, path) in paths {
        let call = || Call::new(method, path, None);
        let without = api().call(call()).await;
        for (content_type, body) in [
            (Some("application/json"), ""),
            (Some("application/json"), "{}"),
            (Some("application/json"), "not json"),
            (Some("text/plain"), "x"),
            (None, "x"),
        ] {
            let answer = api().call(call().content_type(content_type).raw_body(body.to_owned())).await;
            assert_eq!((answer.status, &answer.body), (without.status, &without.body), "{method} {path}: {body}");
            assert!(answer.status < 300, "{method} {path}: {body}");
        }
    }
}
