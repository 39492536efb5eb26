//! Decides the events of `events/authorizer` with an in-memory table.

#![expect(clippy::unwrap_used, reason = "tests")]

#[expect(dead_code, reason = "shared with the tests of token-verifier")]
#[path = "../../token-verifier/tests/verification/pool.rs"]
mod pool;

use std::sync::Arc;
use std::time::Duration;

use authorizer::{Authorizer, Failure, TokenSource};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::revocation::{Revocation, Revocations, Scope};
use pool::{
    CLIENT, ISSUED_AT, OTHER_POOL, POOL, SESSION, SUB, access_claims, at, id_claims, machine_claims, policy, with,
};
use serde_json::{Value, json};
use testkit::in_memory_revocations::{Fault, InMemoryRevocations};
use token_verifier::{KeyCache, KeySet, KeySetError, KeySource};
use tokio::time::Instant;

/// A source whose requests fail.
struct Unreachable;

impl KeySource for Unreachable {
    type Error = KeySetError;

    async fn keys(&self) -> Result<KeySet, KeySetError> {
        Err(KeySetError::Malformed)
    }
}

struct Gate {
    authorizer: Authorizer<Unreachable>,
    revocations: Arc<InMemoryRevocations>,
}

impl Gate {
    fn new() -> Self {
        Self::with_tokens_in(TokenSource::Authorization)
    }

    fn with_tokens_in(source: TokenSource) -> Self {
        let revocations = Arc::new(InMemoryRevocations::default());
        let keys = KeyCache::new(Unreachable, POOL.keys());
        Self { authorizer: Authorizer::new(policy(), keys, revocations.clone(), source), revocations }
    }

    async fn handle(&self, event: Value) -> Result<Value, Failure> {
        self.authorizer.handle(event, at(ISSUED_AT)).await
    }

    /// Sends a token in the header of a request to an HTTP API.
    async fn accepts(&self, token: &str) -> bool {
        let answer = self.handle(event("http-api", token)).await.unwrap();
        answer["isAuthorized"].as_bool().unwrap()
    }

    async fn revoke(&self, scope: Scope, revocation: Revocation) {
        self.revocations.revoke(&scope, revocation, ISSUED_AT).await.unwrap();
    }
}

/// Returns the event of a file with this token.
fn event(name: &str, token: &str) -> Value {
    let events = testkit::events::all("authorizer");
    let (_, event) = events.iter().find(|(case, _)| case == name).unwrap();
    serde_json::from_str(&event.replace("ACCESS_TOKEN", token)).unwrap()
}

fn context() -> Value {
    json!({
        "sub": SUB, "username": "mia", "groups": r#"["staff","admins"]"#, "client_id": CLIENT, "session": SESSION,
        "token_use": "access", "scope": "aws.cognito.signin.user.admin shop/read",
    })
}

#[tokio::test]
async fn accepts_valid_token_in_every_format() {
    let gate = Gate::new();
    let token = POOL.token(&access_claims());
    let simple = json!({"isAuthorized": true, "context": context()});
    assert_eq!(gate.handle(event("http-api", &token)).await, Ok(simple));
    for (name, resource) in [
        ("http-api-payload-1", "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/$default/*"),
        ("rest-api-request", "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/prod/*"),
        ("rest-api-token", "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/prod/*"),
    ] {
        let statement = json!({"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": resource});
        let expected = json!({
            "principalId": SUB,
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": context(),
        });
        assert_eq!(gate.handle(event(name, &token)).await, Ok(expected), "{name}");
    }
}

#[tokio::test]
async fn denies_invalid_token_in_every_format() {
    let gate = Gate::new();
    let token = OTHER_POOL.token(&access_claims());
    assert_eq!(gate.handle(event("http-api", &token)).await, Ok(json!({"isAuthorized": false})));
    for name in ["http-api-payload-1", "rest-api-request", "rest-api-token"] {
        assert_eq!(gate.handle(event(name, &token)).await, Err(Failure::Unauthorized), "{name}");
    }
    assert_eq!(gate.revocations.reads(), 0);
}

#[tokio::test]
async fn reads_the_token_from_one_place_only() {
    let token = POOL.token(&access_claims());
    let cookie = TokenSource::Cookie("__Host-token".to_owned());
    let simple = |answer: Result<Value, Failure>| answer.unwrap()["isAuthorized"].as_bool().unwrap();
    for (source, name, expected) in [
        (TokenSource::Authorization, "http-api", true),
        (TokenSource::Authorization, "http-api-cookie", false),
        (cookie.clone(), "http-api-cookie", true),
        (cookie.clone(), "http-api", false),
    ] {
        let answer = Gate::with_tokens_in(source.clone()).handle(event(name, &token)).await;
        assert_eq!(simple(answer), expected, "{source:?} {name}");
    }
    let rest = |cookie: String| json!({"methodArn": "arn:aws:execute-api:r:1:a/p/GET/", "headers": {"Cookie": cookie}});
    let gate = Gate::with_tokens_in(cookie);
    for (cookies, expected) in [
        (format!("theme=dark; __Host-token={token}"), true),
        (format!("__Host-token={token};theme=dark"), true),
        (format!("__Host-token={token}; __Host-token={token}"), false),
        (format!("__host-token={token}"), false),
        (format!("x__Host-token={token}"), false),
    ] {
        assert_eq!(gate.handle(rest(cookies.clone())).await.is_ok(), expected, "{cookies}");
    }
}

#[tokio::test]
async fn accepts_one_header_in_any_case() {
    let token = POOL.token(&access_claims());
    let request = |headers: Value| json!({"version": "2.0", "routeArn": "arn", "headers": headers});
    for (headers, expected) in [
        (json!({"authorization": format!("Bearer {token}")}), true),
        (json!({"Authorization": format!("bearer {token}")}), true),
        (json!({"AUTHORIZATION": token}), true),
        (json!({"authorization": format!("Basic {token}")}), false),
        (json!({"authorization": format!("{token},{token}")}), false),
        (json!({"authorization": format!("Bearer {token}"), "Authorization": format!("Bearer {token}")}), false),
        (json!({"authorization": ""}), false),
        (json!({"authorization": null}), false),
        (json!({"x-authorization": token}), false),
        (json!({}), false),
        (Value::Null, false),
    ] {
        let answer = Gate::new().handle(request(headers.clone())).await.unwrap();
        assert_eq!(answer["isAuthorized"], json!(expected), "{headers}");
    }
    let mut several = event("rest-api-request", &token);
    several["multiValueHeaders"]["Authorization"] = json!([token, "Bearer other"]);
    assert_eq!(Gate::new().handle(several).await, Err(Failure::Unauthorized));
}

#[tokio::test]
async fn denies_revoked_tokens() {
    let (access, id, machine) = (access_claims(), id_claims(), machine_claims());
    let until = Revocation::of_sign_ins_until;
    for (scope, revocation, expected) in [
        (Scope::Session(SESSION.to_owned()), Revocation::ALL, [false, false, true]),
        (Scope::User(SUB.to_owned()), until(ISSUED_AT), [false, false, true]),
        // The access token is from an earlier sign-in than the ID token.
        (Scope::User(SUB.to_owned()), until(ISSUED_AT - 60), [false, true, true]),
        (Scope::User(SUB.to_owned()), Revocation::of_tokens_until(ISSUED_AT), [false, false, true]),
        (Scope::Client(CLIENT.to_owned()), until(ISSUED_AT), [false, false, false]),
        (Scope::Pool, until(ISSUED_AT), [false, false, false]),
        (Scope::Session("other".to_owned()), Revocation::ALL, [true, true, true]),
    ] {
        let gate = Gate::new();
        gate.revoke(scope.clone(), revocation).await;
        for (claims, expected) in [&access, &id, &machine].into_iter().zip(expected) {
            assert_eq!(gate.accepts(&POOL.token(claims)).await, expected, "{scope:?} {claims}");
        }
    }
}

#[tokio::test]
async fn denies_user_token_without_session() {
    let token = POOL.token(&with(access_claims(), "origin_jti", Value::Null));
    let gate = Gate::new();
    assert!(!gate.accepts(&token).await);
    assert_eq!(gate.revocations.reads(), 0);
}

/// On the paused clock, the test takes no time.
#[tokio::test(start_paused = true)]
async fn accepts_nothing_without_revocations() {
    let gate = Gate::new();
    let token = POOL.token(&access_claims());
    for fault in [Fault::Unavailable, Fault::Stalled] {
        gate.revocations.set_fault(Some(fault));
        for name in ["http-api", "rest-api-request"] {
            let started = Instant::now();
            assert_eq!(gate.handle(event(name, &token)).await, Err(Failure::Unavailable), "{fault:?} {name}");
            assert!(started.elapsed() <= Duration::from_secs(1), "{fault:?} {name}");
        }
    }
    gate.revocations.set_fault(None);
    assert!(gate.accepts(&token).await);
}

#[tokio::test]
async fn reports_unknown_key_without_key_service() {
    let header = json!({"kid": "new", "alg": "RS256"}).to_string();
    let token = POOL.sign(&header, &access_claims().to_string());
    let gate = Gate::new();
    assert_eq!(gate.handle(event("http-api", &token)).await, Err(Failure::Unavailable));
    assert!(gate.accepts(&POOL.token(&access_claims())).await, "known keys remain valid");
}

#[tokio::test]
async fn rejects_other_events() {
    for event in [
        json!(null),
        json!("text"),
        json!({}),
        json!({"version": "2.0", "headers": {}}),
        json!({"routeArn": "arn", "methodArn": "arn"}),
        json!({"routeArn": 1}),
        json!({"routeArn": "arn", "headers": {"authorization": ["token"]}}),
    ] {
        assert_eq!(Gate::new().handle(event.clone()).await, Err(Failure::UnreadableEvent), "{event}");
    }
}

/// Introspects a token as an AWS principal, and returns status and body. API Gateway encodes forms with base64.
async fn introspect(gate: &Gate, token: &str) -> (u64, Value) {
    let mut event = event("introspection", token);
    event["body"] = json!(STANDARD.encode(event["body"].as_str().unwrap()));
    event["isBase64Encoded"] = json!(true);
    let answer = gate.handle(event).await.unwrap();
    assert_eq!(answer["headers"]["cache-control"], "no-store");
    (answer["statusCode"].as_u64().unwrap(), serde_json::from_str(answer["body"].as_str().unwrap()).unwrap())
}

#[tokio::test]
async fn introspection_describes_active_tokens_only() {
    let gate = Gate::new();
    let (status, body) = introspect(&gate, &POOL.token(&access_claims())).await;
    assert_eq!(
        (status, &body["active"], &body["sub"], &body["session"]),
        (200, &json!(true), &json!(SUB), &json!(SESSION))
    );
    assert_eq!((&body["token_type"], &body["token_use"]), (&json!("Bearer"), &json!("access")));
    let (_, body) = introspect(&gate, &POOL.token(&id_claims())).await;
    assert_eq!((&body["active"], &body["token_use"], body.get("token_type")), (&json!(true), &json!("id"), None));

    let inactive = (200, json!({"active": false}));
    for token in [&OTHER_POOL.token(&access_claims()), "opaque", &POOL.token(&with(access_claims(), "exp", json!(1)))] {
        assert_eq!(introspect(&gate, token).await, inactive, "{token}");
    }
    gate.revoke(Scope::Session(SESSION.to_owned()), Revocation::ALL).await;
    assert_eq!(introspect(&gate, &POOL.token(&access_claims())).await, inactive);
    gate.revocations.set_fault(Some(Fault::Unavailable));
    let unavailable = introspect(&gate, &POOL.token(&access_claims())).await;
    assert_eq!(unavailable, (503, json!({"error": "temporarily_unavailable"})));
}

#[tokio::test]
async fn introspection_requires_caller_and_token() {
    let gate = Gate::new();
    let token = POOL.token(&access_claims());
    for (pointer, value, status) in [
        ("/requestContext/authorizer", Value::Null, 401),
        ("/requestContext/authorizer/iam/userArn", Value::Null, 401),
        ("/body", json!("token_type_hint=access_token"), 400),
        ("/body", Value::Null, 400),
    ] {
        let mut event = event("introspection", &token);
        *event.pointer_mut(pointer).unwrap() = value;
        let answer = gate.handle(event).await.unwrap();
        assert_eq!(answer["statusCode"], status, "{pointer}");
    }
    assert_eq!(gate.revocations.reads(), 0);
    // A request to the authorizer is no introspection.
    let mut event = event("introspection", &token);
    event["routeArn"] = json!("arn:aws:execute-api:eu-west-1:1:a/$default/POST/v1/auth/introspect");
    assert_eq!(gate.handle(event).await.unwrap(), json!({"isAuthorized": false}));
}
