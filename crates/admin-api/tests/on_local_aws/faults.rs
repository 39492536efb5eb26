//! Every route returns a typed error in time if the user pool is unreachable, fails, throttles, stalls or returns an
//! invalid response.

mod creation;
mod rows;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::join_all;
use lambda_http::Context;
use serde_json::{Value, json};
use testkit::fault_proxy::{Fault, FaultProxy, Outcome};
use tokio::time::{self, Instant};

use self::rows::{PASSWORD, Row, rows};
use crate::harness::{Answer, Api, Harness};

/// The timeout of the SDK. It is longer than the test, so that only the deadline of a request ends a stall.
const ENDLESS: Duration = Duration::from_hours(1);

/// The timeout of an invocation. It ends a stalled response before the SDK does, which takes more than 20 s.
const INVOCATION: Duration = Duration::from_secs(20);

/// The maximum number of requests that the SDK sends for a call.
const ATTEMPTS: usize = 3;

/// Faults with an immediate response, and the status and code of the API's response.
const FAILURES: [(Fault, u64, &str); 5] = [
    (Fault::NotSent, 502, "upstream-unavailable"),
    (Fault::Failed, 502, "upstream-unavailable"),
    (Fault::Unavailable, 502, "upstream-unavailable"),
    (Fault::Throttled, 429, "throttled"),
    (Fault::Malformed, 500, "internal"),
];

/// A row with its own API and proxy, so that all rows can run at the same time.
struct Bench {
    row: Row,
    proxy: FaultProxy,
    api: Api,
    access_token: String,
}

impl Bench {
    /// Sends the request while each call of the row's operation has this fault.
    async fn answer(&self, fault: Fault) -> Answer {
        self.proxy.reset();
        (1..=ATTEMPTS).for_each(|nth| match self.row.operation {
            Some(operation) => self.proxy.plan(operation, nth, fault),
            None => self.proxy.plan_at(nth, fault),
        });
        request(&self.row, &self.api, &self.access_token).await
    }

    /// Describes a response that is not this error. A row without an operation must succeed without a call.
    fn mismatch(&self, answer: &Answer, status: u64, code: &str) -> Option<String> {
        let is_expected = if self.row.operation.is_some() {
            is_hit(&self.proxy) && is_problem(answer, status, code)
        } else {
            answer.status == 200 && self.proxy.calls().is_empty()
        };
        (!is_expected).then(|| format!("{}, not {status} {code}", self.describe(answer)))
    }

    fn describe(&self, answer: &Answer) -> String {
        let calls: Vec<String> = self.proxy.calls().into_iter().map(|call| call.operation).collect();
        format!("{} after {calls:?}: {answer:?}", self.row.route)
    }
}

/// Whether the response is this error, contains no text of AWS, and does not conceal an unknown outcome.
fn is_problem(answer: &Answer, status: u64, code: &str) -> bool {
    let detail = answer.body["detail"].as_str().unwrap_or_default();
    let body = answer.body.to_string();
    let texts_of_aws = ["The service", "Rate exceeded", "Exception", "JSON", "fault-proxy"];
    (answer.status, answer.code()) == (status, code)
        && answer.headers["content-type"] == "application/problem+json"
        && (answer.headers["retry-after"] == "1") == (status == 429)
        && detail.contains("may have taken effect") == (status >= 500)
        && !texts_of_aws.iter().any(|text| body.contains(text))
}

/// Whether a fault was injected.
fn is_hit(proxy: &FaultProxy) -> bool {
    proxy.calls().iter().any(|call| matches!(call.outcome, Outcome::Fault(_)))
}

async fn request(row: &Row, api: &Api, access_token: &str) -> Answer {
    let headers = if row.is_of_own_account() { json!({"x-access-token": access_token}) } else { json!({}) };
    let body = Some(&row.body).filter(|body| body.is_object());
    api.call_with(row.method(), &row.path(), body, headers, invocation()).await
}

/// The context of an invocation that starts now.
fn invocation() -> Context {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut context = Context::default();
    context.deadline = u64::try_from((now + INVOCATION).as_millis()).unwrap();
    context
}

/// Creates the users of the table. Returns the access token of `tim`.
async fn create_users(harness: &Harness) -> String {
    let api = harness.api().await;
    let call = async |method: &str, path: &str, body: Value| {
        let answer = api.call(method, path, Some(&body).filter(|body| body.is_object())).await;
        assert!(answer.status < 300, "{method} {path}: {answer:?}");
        answer.body
    };
    for name in ["mia", "dan", "gus"] {
        let attributes = json!({"email": format!("{name}@example.com"), "email_verified": "true"});
        let user = json!({"username": name, "attributes": attributes, "welcome_message": "suppress"});
        call("POST", "/v1/users", user).await;
    }
    call("POST", "/v1/users/dan/disable", Value::Null).await;
    call("PUT", "/v1/users/gus/identities/Google", json!({"user_id": "1"})).await;
    call("POST", "/v1/users", json!({"username": "tim", "password": PASSWORD, "permanent": true})).await;
    let signed_in = call("POST", "/v1/auth/sign-in", json!({"username": "tim", "password": PASSWORD})).await;
    call("PUT", "/v1/users/tim/mfa", json!({"enabled": ["SOFTWARE_TOKEN_MFA"]})).await;
    signed_in["tokens"]["access_token"].as_str().unwrap().to_owned()
}

async fn set_up(harness: &Harness) -> Vec<Bench> {
    let token_of_tim = create_users(harness).await;
    let mut benches = Vec::new();
    for row in rows() {
        let proxy = FaultProxy::start(harness.local_aws.endpoint_url()).await.unwrap();
        let api = harness.api_behind(&proxy, ENDLESS).await;
        let access_token = if row.user == "tim" { token_of_tim.clone() } else { harness.root_token().to_owned() };
        benches.push(Bench { row, proxy, api, access_token });
    }
    benches
}

/// Waits for requests whose calls stall. Pauses time as soon as `are_stalled` is true, so that the test does not wait
/// for the deadlines.
async fn outlast<T>(requests: impl Future<Output = T>, are_stalled: impl Fn() -> bool) -> T {
    let stalls = async {
        while !are_stalled() {
            tokio::task::yield_now().await;
        }
    };
    let mut requests = Box::pin(requests);
    tokio::select! {
        _ = &mut requests => unreachable!("a request does not stall"),
        () = stalls => {}
    }
    time::pause();
    let began = Instant::now();
    let answers = requests.await;
    assert!(began.elapsed() < INVOCATION, "{:?}", began.elapsed());
    time::resume();
    answers
}

#[tokio::test]
async fn every_route_reports_every_fault_with_its_code() {
    let harness = Harness::start().await;
    let benches = set_up(&harness).await;
    let mut wrong = Vec::new();
    for (fault, status, code) in FAILURES {
        let answers = join_all(benches.iter().map(|bench| bench.answer(fault))).await;
        wrong.extend(benches.iter().zip(&answers).filter_map(|(bench, answer)| bench.mismatch(answer, status, code)));
    }
    let answers = join_all(benches.iter().map(|bench| bench.answer(Fault::NoFields))).await;
    wrong.extend(benches.iter().zip(&answers).filter_map(|(bench, answer)| match bench.row.without_fields {
        500 => bench.mismatch(answer, 500, "internal"),
        status => (answer.status != status).then(|| format!("{}, not {status}", bench.describe(answer))),
    }));
    assert!(wrong.is_empty(), "{wrong:#?}");

    for fault in [Fault::Stalled, Fault::StalledBody] {
        let requests = join_all(benches.iter().map(|bench| bench.answer(fault)));
        let are_stalled = || benches.iter().all(|bench| is_hit(&bench.proxy) || bench.row.operation.is_none());
        let answers = outlast(requests, are_stalled).await;
        wrong.extend(
            benches.iter().zip(&answers).filter_map(|(bench, answer)| bench.mismatch(answer, 504, "deadline-exceeded")),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_route_of_the_openapi_document_has_a_row() {
    let document: Value = serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap();
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let methods = ["get", "post", "put", "patch", "delete"].into_iter().filter(|method| item.get(method).is_some());
        documented.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
    }
    let tested = rows().iter().map(|row| row.route.split('?').next().unwrap().to_owned()).collect();
    assert_eq!(documented, tested);
}

#[tokio::test]
async fn unreachable_pool_is_reported_as_unavailable() {
    // No server listens on the port of a dropped proxy.
    let proxy = FaultProxy::start("http://127.0.0.1:1").await.unwrap();
    let (api, access_token) = Harness::api_without_pool(proxy.endpoint_url(), "us-east-1").await;
    drop(proxy);
    let rows = rows();
    let answers = join_all(rows.iter().map(|row| request(row, &api, &access_token))).await;
    for (row, answer) in rows.iter().zip(answers) {
        let expected = if row.operation.is_some() { (502, "upstream-unavailable") } else { (200, "") };
        assert_eq!((answer.status, answer.code()), expected, "{}: {answer:?}", row.route);
    }
    assert_eq!(api.call("GET", "/v1/nothing", None).await.code(), "not-found");
}
