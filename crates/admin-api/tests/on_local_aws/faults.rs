//! What callers hear when the user pool throttles, stalls or is gone: a typed error, while there is time for it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_http::Context;
use serde_json::{Value, json};
use testkit::fault_proxy::{Fault, FaultProxy};

use crate::harness::{Answer, Api, Harness};

/// Long enough for all that is not stalled, on a machine as busy as it likes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A call of each kind, and the operation that it is about: the last one, where there are several.
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
        ("POST", "/v1/users", Some(json!({"username": "new", "invitation": "suppress"})), "AdminCreateUser"),
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
async fn access_token(world: &Harness) -> Value {
    let sign_in = json!({"username": "root", "password": "Password-of-root-1"});
    let answer = world.api().await.call("POST", "/v1/auth/sign-in", Some(&sign_in)).await;
    answer.body["tokens"]["access_token"].clone()
}

async fn make_mia(world: &Harness) {
    let mia = json!({
        "username": "mia", "attributes": {"email": "mia@example.com", "email_verified": "true"}, "invitation": "suppress"
    });
    assert_eq!(world.api().await.call("POST", "/v1/users", Some(&mia)).await.status, 201);
}

/// The answer to each call when every attempt of its operation goes wrong.
async fn answers_to(fault: Fault, patience: Duration, context: fn() -> Context) -> Vec<(&'static str, Answer)> {
    let world = Harness::start().await;
    make_mia(&world).await;
    let proxy = FaultProxy::start(world.local_aws.endpoint_url()).await.unwrap();
    let mut answers = Vec::new();
    let access_token = access_token(&world).await;
    for (method, path, body, operation) in calls(&access_token) {
        proxy.reset();
        let api = world.api_behind(&proxy, patience).await;
        // The look at the caller goes well; what was asked for does not, however often the SDK asks.
        (1..=10).for_each(|attempt| proxy.plan(operation, attempt, fault));
        let answer = api.call_with(method, path, body.as_ref(), json!({}), context()).await;
        let seen = proxy.calls().iter().any(|call| call.operation == operation);
        assert!(seen, "{method} {path} does not call {operation}: {answer:?}");
        answers.push((operation, answer));
    }
    answers
}

#[tokio::test]
async fn a_throttling_pool_is_told_with_when_to_come_again() {
    for (operation, answer) in answers_to(Fault::Throttled, PATIENCE, Context::default).await {
        assert_eq!((answer.status, answer.code()), (429, "throttled"), "{operation}: {answer:?}");
        assert_eq!(answer.headers["retry-after"], "1", "{operation}: {answer:?}");
    }
}

#[tokio::test]
async fn a_pool_that_fails_is_told_as_unavailable() {
    for (operation, answer) in answers_to(Fault::Unavailable, PATIENCE, Context::default).await {
        assert_eq!((answer.status, answer.code()), (502, "upstream-unavailable"), "{operation}: {answer:?}");
    }
}

/// An invocation that ends in three seconds: the answer must be out before.
fn short_invocation() -> Context {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut context = Context::default();
    context.deadline = u64::try_from((now + Duration::from_secs(3)).as_millis()).unwrap();
    context
}

#[tokio::test]
async fn a_pool_that_does_not_answer_is_told_while_there_is_time() {
    // The SDK would wait for a minute: what ends the wait is the deadline of the invocation.
    for (operation, answer) in answers_to(Fault::Stalled, Duration::from_mins(1), short_invocation).await {
        assert_eq!((answer.status, answer.code()), (504, "deadline-exceeded"), "{operation}: {answer:?}");
    }
}

#[tokio::test]
async fn a_pool_that_is_gone_is_told_as_unavailable() {
    let world = Harness::start().await;
    let api = world.api().await;
    let access_token = access_token(&world).await;
    let Harness { local_aws, .. } = world;
    drop(local_aws);
    for (method, path, body, _) in calls(&access_token) {
        let answer = api.call(method, path, body.as_ref()).await;
        assert_eq!((answer.status, answer.code()), (502, "upstream-unavailable"), "{method} {path}: {answer:?}");
    }
    assert_is_still_there(&api).await;
}

/// The API itself goes on: what asks nobody is answered.
async fn assert_is_still_there(api: &Api) {
    assert_eq!(api.call("GET", "/v1/me", None).await.status, 200);
    assert_eq!(api.call("GET", "/v1/nothing", None).await.code(), "not-found");
}
