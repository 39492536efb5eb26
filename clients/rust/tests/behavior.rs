//! Tests the hand-written parts of the client against a server with scripted responses.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures::TryStreamExt;
use futures::future::{join_all, try_join_all};
use poolkeeper_client::types::{ErrorCode, User};
use poolkeeper_client::{ApiError, Client, Error, Retries, Secret, Session, SignIn, TokenSource, items};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A received request.
#[derive(Debug, Clone)]
struct Received {
    line: String,
    token: Option<String>,
    key: Option<String>,
    body: Value,
}

/// A server that returns scripted responses in order, and 500 after the last one.
#[derive(Clone, Default)]
struct Server {
    responses: Arc<Mutex<VecDeque<Response>>>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    fn returning(responses: impl IntoIterator<Item = Response>) -> Self {
        Self { responses: Arc::new(Mutex::new(responses.into_iter().collect())), received: Arc::default() }
    }

    /// Starts the server, and returns its URL.
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(respond).with_state(self.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        url
    }

    /// Starts the server, and returns a client without delays between retries.
    async fn client(&self, tokens: impl TokenSource + 'static) -> Client {
        let url = self.start().await;
        let retries = Retries { limit: 2, max_delay: Duration::ZERO };
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Client::new_with_client(&url, http, Session::new(tokens, retries))
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    fn lines(&self) -> Vec<String> {
        self.received().into_iter().map(|request| request.line).collect()
    }
}

async fn respond(State(server): State<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let received = Received {
        line: format!("{} {}", parts.method, parts.uri),
        token: header("authorization"),
        key: header("idempotency-key"),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    server.received.lock().unwrap().push(received);
    server.responses.lock().unwrap().pop_front().unwrap_or_else(|| problem(500, "internal", &json!({})))
}

fn answer(status: u16, body: &Value) -> Response {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Body::from(body.to_string())).unwrap()
}

fn problem(status: u16, code: &str, more: &Value) -> Response {
    let mut body = json!({
        "type": format!("urn:poolkeeper:problem:{code}"), "title": "A title.", "status": status, "code": code,
        "detail": "A detail.", "request_id": "an-id",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut response = answer(status, &body);
    if status == 429 || status == 503 {
        response.headers_mut().insert("retry-after", "0".parse().unwrap());
    }
    response
}

fn unauthorized() -> Response {
    answer(401, &json!({"message": "Unauthorized"}))
}

fn user(name: &str) -> Value {
    json!({
        "username": name, "sub": null, "status": "CONFIRMED", "enabled": true, "attributes": {},
        "created_at": "2026-01-07T09:30:00.123Z", "modified_at": "2026-01-07T09:30:00.123Z",
        "life_cycle": {"state": "active", "can_sign_in": true, "temporary_password_expires_at": null, "next_actions": []},
    })
}

fn page(names: &[&str], next: Option<&str>) -> Response {
    let users: Vec<_> = names.iter().map(|name| user(name)).collect();
    answer(200, &json!({"users": users, "next_cursor": next, "ended_early": false}))
}

fn tokens(access: &str, refresh: Option<&str>, expires_in: u32) -> Response {
    let mut tokens = json!({
        "access_token": access, "id_token": "id", "expires_in_seconds": expires_in, "token_type": "Bearer", "username": "mia",
    });
    if let Some(refresh) = refresh {
        tokens["refresh_token"] = refresh.into();
    }
    answer(200, &json!({"tokens": tokens}))
}

fn token() -> Secret {
    Secret::from("access-1")
}

fn sign_in() -> SignIn {
    SignIn::new("Mia", "Correct-Horse-1")
}

#[tokio::test]
async fn taken_user_name_is_a_typed_error() {
    let server = Server::returning([problem(409, "user-exists", &json!({"differing": ["attributes.email"]}))]);
    let pool = server.client(token()).await;

    let error = pool.create_user().body_map(|body| body.username("mia")).send().await.unwrap_err();

    assert_eq!(error.code(), Some(ErrorCode::UserExists));
    assert_eq!(error.problem().unwrap().differing, ["attributes.email"]);
    assert_eq!(error.status(), Some(StatusCode::CONFLICT));
    assert_eq!(server.lines(), ["POST /v1/users"]);
    assert_eq!(server.received()[0].body, json!({"username": "mia", "permanent": false}));
}

#[tokio::test]
async fn error_code_of_a_later_version_is_unknown() {
    let server = Server::returning([problem(409, "quota-of-tomorrow", &json!({}))]);
    let error = server.client(token()).await.get_pool().send().await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::Unknown));
}

#[tokio::test]
async fn gateway_message_is_not_a_problem() {
    let html = Response::builder().status(404).body(Body::from("<html>")).unwrap();
    let server = Server::returning([answer(404, &json!({"message": "Not Found"})), html]);
    let pool = server.client(token()).await;
    let error = pool.get_pool().send().await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(StatusCode::NOT_FOUND), None));
    let error = pool.get_pool().send().await.unwrap_err();
    assert_eq!(error.code(), None);
}

#[tokio::test]
async fn retry_of_a_creation_has_the_same_idempotency_key() {
    let created = || answer(201, &user("mia"));
    let server = Server::returning([problem(429, "throttled", &json!({})), created(), created()]);
    let pool = server.client(token()).await;
    pool.create_user().body_map(|body| body.username("mia")).send().await.unwrap();
    pool.create_user().body_map(|body| body.username("mia")).idempotency_key("mine").send().await.unwrap();

    let keys: Vec<_> = server.received().into_iter().map(|request| request.key.unwrap()).collect();
    assert_eq!(keys[0], keys[1]);
    assert_eq!(keys[0].len(), 36);
    assert_eq!(keys[2], "mine");
}

#[tokio::test]
async fn does_not_retry_after_completed_steps() {
    let server = Server::returning([problem(429, "throttled", &json!({"completed": ["create-user"]}))]);
    let error =
        server.client(token()).await.create_user().body_map(|body| body.username("mia")).send().await.unwrap_err();
    assert_eq!(error.problem().unwrap().completed, ["create-user"]);
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn retries_a_bad_gateway_only_if_the_request_is_repeatable() {
    let bad_gateway = || problem(502, "upstream-unavailable", &json!({}));
    let server =
        Server::returning([bad_gateway(), page(&[], None), bad_gateway(), bad_gateway(), answer(201, &user("mia"))]);
    let pool = server.client(token()).await;
    pool.list_users().send().await.unwrap();
    let error = pool.create_group().body_map(|body| body.name("admins")).send().await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::UpstreamUnavailable));
    pool.create_user().body_map(|body| body.username("mia")).send().await.unwrap();
    let (users, groups) = ("GET /v1/users", "POST /v1/groups");
    assert_eq!(server.lines(), [users, users, groups, "POST /v1/users", "POST /v1/users"]);
}

#[tokio::test]
async fn gives_up_after_the_limit() {
    let throttled = || problem(429, "throttled", &json!({}));
    let server = Server::returning([throttled(), throttled(), throttled(), page(&[], None)]);
    let error = server.client(token()).await.list_users().send().await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::Throttled));
    assert_eq!(server.lines().len(), 3);
}

#[tokio::test]
async fn signs_in_once_and_sends_no_token_to_public_operations() {
    let empty = || page(&[], None);
    let server = Server::returning([tokens("access-1", Some("refresh-1"), 900), empty(), empty(), empty()]);
    let pool = server.client(sign_in()).await;

    try_join_all([pool.list_users().send(), pool.list_users().send(), pool.list_users().send()]).await.unwrap();

    let received = server.received();
    assert_eq!(received.iter().filter(|request| request.line == "POST /v1/auth/sign-in").count(), 1);
    assert_eq!(received[0].token, None);
    assert_eq!(received[0].body, json!({"username": "Mia", "password": "Correct-Horse-1"}));
    assert!(received[1..].iter().all(|request| request.token.as_deref() == Some("Bearer access-1")), "{received:?}");
}

#[tokio::test]
async fn refreshes_expired_tokens_with_the_rotated_refresh_token() {
    let server = Server::returning([
        tokens("access-1", Some("refresh-1"), 0),
        page(&[], None),
        tokens("access-2", Some("refresh-2"), 0),
        page(&[], None),
        tokens("access-3", None, 900),
        page(&[], None),
        page(&[], None),
    ]);
    let pool = server.client(sign_in()).await;
    for _ in 0..4 {
        pool.list_users().send().await.unwrap();
    }
    let received = server.received();
    assert_eq!(received[2].body, json!({"username": "mia", "refresh_token": "refresh-1"}));
    assert_eq!(received[4].body, json!({"username": "mia", "refresh_token": "refresh-2"}));
    assert_eq!(received[6].token.as_deref(), Some("Bearer access-3"));
}

#[tokio::test]
async fn signs_in_again_if_the_refresh_is_rejected() {
    let server = Server::returning([
        tokens("access-1", Some("refresh-1"), 0),
        page(&[], None),
        problem(401, "invalid-credentials", &json!({})),
        tokens("access-2", None, 900),
        page(&[], None),
    ]);
    let pool = server.client(sign_in()).await;
    pool.list_users().send().await.unwrap();
    pool.list_users().send().await.unwrap();
    let [sign_in, users, refresh] = ["POST /v1/auth/sign-in", "GET /v1/users", "POST /v1/auth/refresh"];
    assert_eq!(server.lines(), [sign_in, users, refresh, sign_in, users]);
    assert_eq!(server.received()[4].token.as_deref(), Some("Bearer access-2"));
}

#[tokio::test]
async fn signs_in_once_after_a_rejected_token() {
    let server = Server::returning([
        tokens("access-1", Some("refresh-1"), 900),
        unauthorized(),
        tokens("access-2", None, 900),
        unauthorized(),
    ]);
    let error = server.client(sign_in()).await.list_users().send().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    let [sign_in, users] = ["POST /v1/auth/sign-in", "GET /v1/users"];
    assert_eq!(server.lines(), [sign_in, users, sign_in, users]);
    assert_eq!(server.received()[3].token.as_deref(), Some("Bearer access-2"));
}

#[tokio::test]
async fn fixed_token_is_sent_once() {
    let server = Server::returning([unauthorized()]);
    server.client(token()).await.list_users().send().await.unwrap_err();
    assert_eq!(server.lines(), ["GET /v1/users"]);
}

#[tokio::test]
async fn challenge_and_wrong_password_are_errors_of_the_sign_in() {
    let challenge = json!({"challenge": {
        "name": "EMAIL_OTP", "session": "a-session", "username": "mia", "missing_attributes": [], "factors": [],
        "code_sent_to": null, "authenticator_secret": null,
    }});
    let server = Server::returning([answer(200, &challenge), problem(401, "invalid-credentials", &json!({}))]);
    let pool = server.client(sign_in()).await;
    let texts = ["the sign-in requires the challenge EMAIL_OTP", "the sign-in failed: 401 invalid-credentials"];
    for expected in texts {
        let error = pool.list_users().send().await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("a-session") && !text.contains("Correct-Horse"), "{text}");
    }
}

#[tokio::test]
async fn streams_the_items_of_all_pages() {
    let server = Server::returning([page(&["ann", "bea"], Some("c1")), page(&[], Some("c2")), page(&["cem"], None)]);
    let pool = server.client(token()).await;
    let users: Vec<User> = items(|cursor| {
        let list = pool.list_users().email_prefix("a");
        cursor.into_iter().fold(list, |list, cursor: String| list.cursor(cursor)).send()
    })
    .try_collect()
    .await
    .unwrap();
    assert_eq!(users.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["ann", "bea", "cem"]);
    let line = |cursor| format!("GET /v1/users?cursor={cursor}&email_prefix=a");
    assert_eq!(server.lines(), ["GET /v1/users?email_prefix=a".to_owned(), line("c1"), line("c2")]);
}

#[tokio::test]
async fn stream_ends_after_an_error() {
    let server =
        Server::returning([page(&["ann"], Some("c1")), problem(400, "invalid-request", &json!({"field": "cursor"}))]);
    let pool = server.client(token()).await;
    let mut users = std::pin::pin!(items(|cursor| {
        cursor.into_iter().fold(pool.list_users(), |list, cursor: String| list.cursor(cursor)).send()
    }));
    assert!(users.try_next().await.unwrap().is_some());
    let error = users.try_next().await.unwrap_err();
    assert_eq!(error.problem().unwrap().field.as_deref(), Some("cursor"));
    assert!(users.try_next().await.unwrap().is_none());
}

#[test]
fn debug_output_contains_no_secret() {
    let credentials =
        poolkeeper_client::types::SignIn { username: "mia".to_owned(), password: "Correct-Horse-1".into() };
    let text =
        format!("{:?} {credentials:?} {:?} {:?}", sign_in(), token(), Session::new(sign_in(), Retries::default()));
    assert!(!text.contains("Correct-Horse") && !text.contains("access-1"), "{text}");
    assert_eq!(credentials.password.expose(), "Correct-Horse-1");
}

#[tokio::test]
async fn wrong_current_password_is_not_sent_twice() {
    let server = Server::returning([
        tokens("access-1", None, 900),
        unauthorized(),
        tokens("access-2", None, 900),
        problem(401, "invalid-credentials", &json!({})),
    ]);
    let pool = server.client(sign_in()).await;
    let change = |body: poolkeeper_client::types::builder::ChangePassword| {
        body.current_password(Secret::from("Wrong-Horse-1")).new_password(Secret::from("Correct-Horse-2"))
    };
    let error = pool.change_own_password().body_map(change).send().await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::InvalidCredentials));
    let [sign_in, change] = ["POST /v1/auth/sign-in", "PUT /v1/auth/me/password"];
    assert_eq!(server.lines(), [sign_in, change, sign_in, change]);
}

#[tokio::test]
async fn rejects_names_that_change_the_path() {
    let server = Server::returning([]);
    let pool = server.client(token()).await;
    for name in ["..", ".", ""] {
        let error = pool.remove_user_from_group().username("mia").group(name).send().await.unwrap_err();
        assert!(matches!(error, Error::InvalidRequest(_)), "{name}: {error}");
        let error = pool.list_user_groups().username(name).send().await.unwrap_err();
        assert!(matches!(error, Error::InvalidRequest(_)), "{name}: {error}");
    }
    assert!(server.lines().is_empty());
    for (name, segment) in [("a/b?c#d%", "a%2Fb%3Fc%23d%25"), (r"x\..\mia", "x%5C..%5Cmia"), ("é@x", "%C3%A9%40x")] {
        pool.remove_user_from_group().username(name).group("...").send().await.unwrap_err();
        assert_eq!(server.lines().pop().unwrap(), format!("DELETE /v1/users/{segment}/groups/..."));
    }
}

#[tokio::test]
async fn concurrent_requests_share_a_failed_sign_in() {
    let server = Server::returning([problem(401, "invalid-credentials", &json!({}))]);
    let pool = server.client(sign_in()).await;
    let results = join_all((0..10).map(|_| pool.list_users().send())).await;
    assert!(results.iter().all(|result| matches!(result, Err(Error::Custom(_)))));
    assert_eq!(server.lines(), ["POST /v1/auth/sign-in"]);

    pool.list_users().send().await.unwrap_err();
    assert_eq!(server.lines().len(), 2, "a later request tries again");
}

#[tokio::test]
async fn failed_refresh_keeps_the_refresh_token() {
    let server = Server::returning([
        tokens("access-1", Some("refresh-1"), 0),
        page(&[], None),
        problem(502, "upstream-unavailable", &json!({})),
        tokens("access-2", None, 900),
        page(&[], None),
    ]);
    let pool = server.client(sign_in()).await;
    pool.list_users().send().await.unwrap();
    pool.list_users().send().await.unwrap_err();
    pool.list_users().send().await.unwrap();
    let refresh = "POST /v1/auth/refresh";
    assert_eq!(server.lines()[2..4], [refresh, refresh]);
}

#[tokio::test]
async fn error_of_an_unexpected_body_contains_no_token() {
    let body = || answer(200, &json!({"tokens": {"access_token": "access-secret"}}));
    let server = Server::returning([body(), body()]);
    let pool = server.client(sign_in()).await;
    let error = pool.sign_in().body_map(|body| body.username("mia").password(token())).send().await.unwrap_err();
    let nested = pool.list_users().send().await.unwrap_err();
    let text = format!("{error} {error:?} {nested} {nested:?}");
    assert_eq!(error.status(), Some(StatusCode::OK));
    assert!(!text.contains("access-secret"), "{text}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let other = Server::default();
    let other_url = other.start().await;
    let redirect = Response::builder().status(307).header("location", other_url).body(Body::empty()).unwrap();
    let url = Server::returning([redirect]).start().await;
    let pool = poolkeeper_client::connect(&url, token()).unwrap();
    pool.sign_in().body_map(|body| body.username("mia").password(token())).send().await.unwrap_err();
    assert!(other.lines().is_empty());
}
