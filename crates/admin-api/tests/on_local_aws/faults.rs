//! Every route returns a typed error in time if the user pool is unreachable, fails, throttles, stalls or returns an
//! invalid response.

mod creation;
mod rows;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::join_all;
use lambda_http::Context;
use serde_json::{Value, json};
use testkit::fault_proxy::{Fault, FaultProxy, Outcome};
use tokio::net::TcpSocket;
use tokio::time::{self, Instant};

use self::rows::{PASSWORD, Row, rows};
use crate::harness::{Answer, Api, Harness};

/// The timeout of the SDK. It is longer than the test, so that only the deadline of a request ends a stall.
const ENDLESS: Duration = Duration::from_hours(1);

/// The timeout of an invocation. It ends a stalled response before the SDK does, which takes more than 20 s.
const INVOCATION: Duration = Duration::from_secs(20);

/// The maximum number of requests that the SDK sends for a call.
const ATTEMPTS: usize = 3;

/// Faults that are errors for every operation, and the status and code of the API's response.
const FAILURES: [(Fault, u64, &str); 7] = [
    (Fault::NotSent, 502, "upstream-unavailable"),
    (Fault::Failed, 502, "upstream-unavailable"),
    (Fault::Unavailable, 502, "upstream-unavailable"),
    (Fault::Throttled, 429, "throttled"),
    (Fault::Malformed, 500, "internal"),
    (Fault::Stalled, 504, "deadline-exceeded"),
    (Fault::StalledBody, 504, "deadline-exceeded"),
];

/// The number of rows that run at the same time. Each request has a real deadline, and all share one emulator.
const CONCURRENT: usize = 8;

/// A row with its own API and proxy, so that several rows can run at the same time.
struct RowTest {
    row: Row,
    proxy: FaultProxy,
    api: Api,
    access_token: String,
}

impl RowTest {
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

async fn set_up(harness: &Harness) -> Vec<RowTest> {
    let token_of_tim = create_users(harness).await;
    let mut row_tests = Vec::new();
    for row in rows() {
        let proxy = FaultProxy::start(harness.local_aws.endpoint_url()).await.unwrap();
        let api = harness.api_behind(&proxy, ENDLESS).await;
        let access_token = if row.user == "tim" { token_of_tim.clone() } else { harness.root_token().to_owned() };
        row_tests.push(RowTest { row, proxy, api, access_token });
    }
    row_tests
}

/// Waits for requests whose calls stall. Pauses time as soon as `are_stalled` is true, so that the test does not wait
/// for the deadlines. Requests that finish before are returned as they are.
async fn run_until_deadline<T>(requests: impl Future<Output = T>, are_stalled: impl Fn() -> bool) -> T {
    let stalls = async {
        while !are_stalled() {
            tokio::task::yield_now().await;
        }
    };
    let mut requests = Box::pin(requests);
    tokio::select! {
        // The requests first remove the faults of earlier requests.
        biased;
        answers = &mut requests => return answers,
        () = stalls => {}
    }
    time::pause();
    let began = Instant::now();
    let answers = requests.await;
    assert!(began.elapsed() < INVOCATION, "{:?}", began.elapsed());
    time::resume();
    answers
}

/// Sends the request of each row while its operation has this fault.
async fn answers(row_tests: &[RowTest], fault: Fault) -> Vec<Answer> {
    let mut answers = Vec::new();
    for concurrent in row_tests.chunks(CONCURRENT) {
        let requests = join_all(concurrent.iter().map(|row_test| row_test.answer(fault)));
        answers.extend(match fault {
            Fault::Stalled | Fault::StalledBody => {
                let is_stalled = |row_test: &RowTest| is_hit(&row_test.proxy) || row_test.row.operation.is_none();
                run_until_deadline(requests, || concurrent.iter().all(is_stalled)).await
            }
            _ => requests.await,
        });
    }
    answers
}

#[tokio::test]
async fn every_route_reports_every_fault_with_its_code() {
    let harness = Harness::start().await;
    let row_tests = set_up(&harness).await;
    let mut wrong = Vec::new();
    for (fault, status, code) in FAILURES {
        let answers = answers(&row_tests, fault).await;
        wrong.extend(
            row_tests.iter().zip(&answers).filter_map(|(row_test, answer)| row_test.mismatch(answer, status, code)),
        );
    }
    let answers = answers(&row_tests, Fault::NoFields).await;
    wrong.extend(row_tests.iter().zip(&answers).filter_map(|(row_test, answer)| match row_test.row.without_fields {
        500 => row_test.mismatch(answer, 500, "internal"),
        status => (answer.status != status).then(|| format!("{}, not {status}", row_test.describe(answer))),
    }));
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
    // A port without a listener refuses connections. The socket reserves the port.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let endpoint_url = format!("http://{}", socket.local_addr().unwrap());
    let (api, access_token) = Harness::api_without_pool(&endpoint_url, "us-east-1").await;
    let rows = rows();
    let answers = join_all(rows.iter().map(|row| request(row, &api, &access_token))).await;
    for (row, answer) in rows.iter().zip(answers) {
        let expected = if row.operation.is_some() { (502, "upstream-unavailable") } else { (200, "") };
        assert_eq!((answer.status, answer.code()), expected, "{}: {answer:?}", row.route);
    }
    assert_eq!(api.call("GET", "/v1/nothing", None).await.code(), "not-found");
}
