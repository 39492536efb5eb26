//! Invariants for any event of the admin API, asserted by a fuzz target and by tests with the events in `events/`.
//!
//! The caller and the request are parsed from the event independently of the API's code.

pub(crate) mod cursors;
mod request;
mod subject;

use lambda_http::request::LambdaRequest;
use lambda_http::{Context, LambdaEvent};
use serde_json::Value;
use testkit::in_memory::{CURSOR_KEY, InMemoryPool};
use testkit::in_memory_jobs::InMemoryJobs;
use testkit::logs::Logs;
use tower::ServiceExt;

use request::{CANARY, Request};
use subject::{ACCESS_TOKEN, AUD_ACCESS_TOKEN, AUD_SUB, ROOT_SUB};

/// A user attribute that no event contains.
const HIDDEN_ATTRIBUTE: &str = "Hidden-nickname-7";

/// Passwords of the pool and the key of cursors. No response and no log line contains them.
const SECRETS: [&str; 6] = [
    "Password-of-root-1",
    "Password-of-mia-1",
    "Password-of-una-1",
    "Password-of-gus-1",
    "Password-of-aud-1",
    CURSOR_KEY,
];

/// Sends an event to the API and checks the response, the log and the changes.
///
/// # Panics
/// If an invariant does not hold.
pub(crate) fn assert_hold(body: &[u8]) {
    let Some(request) = Request::read(body) else { return };
    let pool = subject::pool();
    let before = pool.contents();
    let jobs = InMemoryJobs::with_examples();
    let jobs_before = (jobs.executions(), jobs.keys());
    let Some(exchange) = exchange(&request, &pool, &jobs) else { return };
    let has_started = jobs.executions() != jobs_before.0;
    let has_changed = pool.contents() != before || (jobs.executions(), jobs.keys()) != jobs_before;
    let Exchange { status, answer, .. } = &exchange;

    assert!((200..500).contains(status), "{request:?} got {status} {answer}");
    if *status >= 400 {
        let code = answer["code"].as_str().unwrap_or_default();
        assert!(
            !code.is_empty() && answer["status"] == *status,
            "{request:?} got {status} without a problem: {answer}"
        );
        let is_partial = answer["completed"].as_array().is_some_and(|completed| !completed.is_empty());
        assert!(!has_changed || is_partial, "{request:?} got {status} {answer}, and changed the pool");
    }
    if !request.is_open() {
        assert!(!has_changed || request.is_by_writer(), "{request:?} got {status}, and changed the pool");
        assert!(!has_started || request.is_by_root(), "{request:?} got {status}, and started a job");
        let shows_attributes = exchange.text.contains(HIDDEN_ATTRIBUTE) || shows(answer, "attributes");
        assert!(!shows_attributes || request.may_read_users(), "{request:?} got {status} {answer}");
    }
    for secret in SECRETS.into_iter().filter(|secret| !request.contains(secret)) {
        exchange.assert_without(secret, &request);
    }
    if let Some(marked) = request.with_canaries()
        && let Some(exchange) = self::exchange(&marked, &subject::pool(), &InMemoryJobs::with_examples())
    {
        exchange.assert_without(CANARY, &marked);
    }
}

/// Changes the caller of an event from `root` to `aud`, whose group has every permission except `users:read`.
pub(crate) fn by_aud(event: &str) -> String {
    let changes = [
        (r#""[admins]""#, r#""[auditors]""#),
        (r#""admins""#, r#""auditors""#),
        (r#""root""#, r#""aud""#),
        (ROOT_SUB, AUD_SUB),
        (ACCESS_TOKEN, AUD_ACCESS_TOKEN),
    ];
    changes.into_iter().fold(event.to_owned(), |event, (from, to)| event.replace(from, to))
}

/// Whether the response contains users, with or without their attributes.
pub(crate) fn shows_users(event: &str) -> bool {
    let jobs = InMemoryJobs::with_examples();
    let exchange = Request::read(event.as_bytes()).and_then(|request| exchange(&request, &subject::pool(), &jobs));
    exchange.is_some_and(|exchange| shows(&exchange.answer, "life_cycle"))
}

/// Whether a user in the response has this field, and it is not empty.
fn shows(answer: &Value, field: &str) -> bool {
    match answer {
        Value::Array(elements) => elements.iter().any(|element| shows(element, field)),
        Value::Object(fields) => {
            let is_user = fields.contains_key("life_cycle");
            let shown = fields.get(field).and_then(Value::as_object).filter(|_| is_user);
            let is_shown = shown.is_some_and(|shown| !shown.is_empty());
            is_shown || fields.values().any(|value| shows(value, field))
        }
        _ => false,
    }
}

/// A response and the log of its request.
struct Exchange {
    status: u64,
    answer: Value,
    text: String,
    logs: String,
}

impl Exchange {
    fn assert_without(&self, secret: &str, request: &Request) {
        let Self { status, text, logs, .. } = self;
        assert!(!text.contains(secret), "{request:?} got {status} {text}, which contains {secret}");
        assert!(!logs.contains(secret), "{request:?} was logged with {secret}: {logs}");
    }
}

/// Sends the event to the API on this pool and these jobs. Returns none if it is not an event of API Gateway.
fn exchange(request: &Request, pool: &InMemoryPool, jobs: &InMemoryJobs) -> Option<Exchange> {
    let event: LambdaRequest = serde_json::from_value(request.event().clone()).ok()?;
    let logs = Logs::capture();
    let answer = subject::block_on(subject::lambda_on(pool, jobs).oneshot(LambdaEvent::new(event, Context::default())));
    let answer = answer.unwrap_or_else(|error| unreachable!("no response to {request:?}: {error}"));
    let answer = serde_json::to_value(answer).ok()?;
    let body = answer["body"].as_str().unwrap_or_default();
    Some(Exchange {
        status: answer["statusCode"].as_u64().unwrap_or_default(),
        answer: serde_json::from_str(body).unwrap_or_default(),
        text: answer.to_string(),
        logs: logs.text(),
    })
}
