//! The API returns a typed error in time if the user pool throttles, stalls or is unreachable.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_http::Context;
use serde_json::{Value, json};
use testkit::fault_proxy::{Fault, FaultProxy};

use crate::harness::{Answer, Api, Harness};

/// This timeout is long enough for every call that does not stall, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// One call of each kind, and the Cognito operation that fails. If a call makes several operations, the last one fails.
fn calls(access_token: &Value) -> Vec<(&'static str, &'static str, Option<Value>, &'static str)> {
    let password = json!({"password": "Password-of-mia-1", "permanent": true});
    let sign_in = json!({"username": "root", "password": "Password-of-root-1"});
    let sign_up =
        json!({"username": "ann", "password": "Password-of-ann-1", "attributes": {"email": "ann@example.com"}});
    vec![
        ("GET", "/v1/users/mia", None, "AdminGetUser"),
        ("GET", "/v1/users", None, "ListUsers"),
        ("GET", "/v1/users?group=admins", None, "ListUsersInGroup"),
        ("GET", "/v1/groups", None, "ListGroups"),
        ("GET", "/v1/pool", None, "DescribeUserPool"),
        ("POST", "/v1/users", Some(json!({"username": "new", "welcome_message": "suppress"})), "AdminCreateUser"),
        ("PATCH", "/v1/users/mia", Some(json!({"attributes": {"name": "Mia"}})), "AdminUpdateUserAttributes"),
        ("PUT", "/v1/users/mia/password", Some(password), "AdminSetUserPassword"),
        ("PUT", "/v1/users/mia/groups/support", None, "AdminAddUserToGroup"),
        ("POST", "/v1/users/mia/sign-out", None, "AdminUserGlobalSignOut"),
        ("DELETE", "/v1/users/mia", None, "AdminDeleteUser"),
        ("POST", "/v1/invitations", Some(json!({"email": "new@example.com"})), "ListUsers"),
        ("POST", "/v1/invitations", Some(json!({"email": "new@example.com"})), "GetParameter"),
        ("POST", "/v1/groups", Some(json!({"name": "sales"})), "CreateGroup"),
        ("POST", "/v1/auth/sign-in", Some(sign_in), "AdminInitiateAuth"),
        ("POST", "/v1/auth/sign-up", Some(sign_up), "SignUp"),
        ("POST", "/v1/auth/forgot-password", Some(json!({"username": "mia"})), "ForgotPassword"),
        ("POST", "/v1/auth/sign-out", Some(json!({"access_token": access_token})), "GlobalSignOut"),
    ]
}

/// An access token of `root`.
async fn access_token(harness: &Harness) -> Value {
    let sign_in = json!({"username": "root", "password": "Password-of-root-1"});
    let answer = harness.api().await.call("POST", "/v1/auth/sign-in", Some(&sign_in)).await;
    answer.body["tokens"]["access_token"].clone()
}

async fn make_mia(harness: &Harness) {
    let mia = json!({
        "username": "mia", "attributes": {"email": "mia@example.com", "email_verified": "true"}, "welcome_message": "suppress"
    });
    assert_eq!(harness.api().await.call("POST", "/v1/users", Some(&mia)).await.status, 201);
}

/// The response to each call if every attempt of its operation fails.
async fn answers_to(fault: Fault, patience: Duration, context: fn() -> Context) -> Vec<(&'static str, Answer)> {
    let harness = Harness::start().await;
    make_mia(&harness).await;
    let proxy = FaultProxy::start(harness.local_aws.endpoint_url()).await.unwrap();
    let mut answers = Vec::new();
    let access_token = access_token(&harness).await;
    for (method, path, body, operation) in calls(&access_token) {
        proxy.reset();
        let api = harness.api_behind(&proxy, patience).await;
        // Reading the caller succeeds. The requested operation fails at every attempt of the SDK.
        (1..=10).for_each(|attempt| proxy.plan(operation, attempt, fault));
        let answer = api.call_with(method, path, body.as_ref(), json!({}), context()).await;
        let seen = proxy.calls().iter().any(|call| call.operation == operation);
        assert!(seen, "{method} {path} does not call {operation}: {answer:?}");
        answers.push((operation, answer));
    }
    answers
}

#[tokio::test]
async fn throttling_returns_429_with_retry_after() {
    for (operation, answer) in answers_to(Fault::Throttled, PATIENCE, Context::default).await {
        assert_eq!((answer.status, answer.code()), (429, "throttled"), "{operation}: {answer:?}");
        assert_eq!(answer.headers["retry-after"], "1", "{operation}: {answer:?}");
    }
}

#[tokio::test]
async fn failing_pool_is_reported_as_unavailable() {
    for (operation, answer) in answers_to(Fault::Unavailable, PATIENCE, Context::default).await {
        assert_eq!((answer.status, answer.code()), (502, "upstream-unavailable"), "{operation}: {answer:?}");
    }
}

/// The context of an invocation that times out in three seconds.
fn short_invocation() -> Context {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut context = Context::default();
    context.deadline = u64::try_from((now + Duration::from_secs(3)).as_millis()).unwrap();
    context
}

#[tokio::test]
async fn stalled_pool_is_reported_before_the_timeout() {
    // The SDK would wait for a minute, but the deadline of the invocation ends the wait.
    for (operation, answer) in answers_to(Fault::Stalled, Duration::from_mins(1), short_invocation).await {
        assert_eq!((answer.status, answer.code()), (504, "deadline-exceeded"), "{operation}: {answer:?}");
    }
}

#[tokio::test]
async fn unreachable_pool_is_reported_as_unavailable() {
    let harness = Harness::start().await;
    let api = harness.api().await;
    let access_token = access_token(&harness).await;
    let Harness { local_aws, .. } = harness;
    drop(local_aws);
    for (method, path, body, _) in calls(&access_token) {
        let answer = api.call(method, path, body.as_ref()).await;
        assert_eq!((answer.status, answer.code()), (502, "upstream-unavailable"), "{method} {path}: {answer:?}");
    }
    assert_still_responds(&api).await;
}

/// Asserts that the API still responds to requests that need no pool.
async fn assert_still_responds(api: &Api) {
    assert_eq!(api.call("GET", "/v1/me", None).await.status, 200);
    assert_eq!(api.call("GET", "/v1/nothing", None).await.code(), "not-found");
}
