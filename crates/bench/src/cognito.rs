//! One loopback endpoint for all AWS services, over HTTP, over HTTPS, and with latency, with the same response to every
//! call of an operation.

pub(crate) mod answers;
pub(crate) mod certificates;
pub(crate) mod users;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use serde_json::Value;

use crate::cognito::answers::Answer;
use crate::cognito::certificates::Certificates;
use crate::cognito::users::Users;
use crate::error::BenchError;
use crate::server::{Handler, Server, response};

/// The latency of [`Endpoint::Remote`], about that of Cognito in the Region of the function.
const LATENCY: Duration = Duration::from_millis(10);

/// How a program reaches AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// Over HTTP without latency, which shows the work of the program.
    Http,
    /// Over HTTPS without latency.
    Https,
    /// Over HTTP with latency, which shows how many calls wait for each other.
    Remote,
}

/// The running endpoint.
pub(crate) struct Cognito {
    http: Server,
    https: Server,
    remote: Server,
    calls: Arc<AtomicUsize>,
}

impl Cognito {
    /// Starts the endpoint. `users` replaces the 60 users that `ListUsers` otherwise returns.
    pub(crate) async fn start(certificates: &Certificates, users: Option<Arc<Users>>) -> Result<Self, BenchError> {
        let mut answers = answers::all();
        answers.extend(users.map(|users| ("ListUsers", Answer::Users(users))));
        let (answers, calls) = (Arc::new(answers), Arc::default());
        let service = |latency| Arc::new(Service { answers: Arc::clone(&answers), calls: Arc::clone(&calls), latency });
        let http = Server::start(service(None), None).await?;
        let https = Server::start(service(None), Some(certificates.acceptor()?)).await?;
        let remote = Server::start(service(Some(LATENCY)), None).await?;
        Ok(Self { http, https, remote, calls })
    }

    /// The value of `AWS_ENDPOINT_URL`.
    pub(crate) fn url(&self, endpoint: Endpoint) -> String {
        match endpoint {
            Endpoint::Http => format!("http://127.0.0.1:{}", self.http.port),
            Endpoint::Https => format!("https://127.0.0.1:{}", self.https.port),
            Endpoint::Remote => format!("http://127.0.0.1:{}", self.remote.port),
        }
    }

    /// The number of calls so far.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// The number of connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.http.connections() + self.https.connections() + self.remote.connections()
    }
}

struct Service {
    answers: Arc<HashMap<&'static str, Answer>>,
    calls: Arc<AtomicUsize>,
    latency: Option<Duration>,
}

impl Handler for Service {
    async fn answer(&self, head: Parts, body: Bytes) -> Response<Full<Bytes>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if let Some(latency) = self.latency {
            tokio::time::sleep(latency).await;
        }
        let operation = operation(&head, &body);
        let answer = self.answers.get(operation);
        if let Some((answer, body)) = answer.and_then(|answer| Some((answer, answer.body(&body)?))) {
            let headers = [("content-type", answer.content_type()), ("x-amzn-requestid", "5d2c6f0e-6a39-4c1b-9d0f")];
            return response(200, &headers, body);
        }
        let message = format!("the endpoint of the benchmark has no answer to this {operation:?} request");
        let error = serde_json::json!({"__type": "UnknownOperationException", "message": message});
        response(400, &[("content-type", "application/x-amz-json-1.1")], error.to_string().into())
    }
}

/// The operation: the end of `X-Amz-Target` in the JSON protocol, or the parameter `Action` in the query protocol.
pub(crate) fn operation<'a>(head: &'a Parts, body: &'a Bytes) -> &'a str {
    if let Some(target) = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
        return target.rsplit('.').next().unwrap_or_default();
    }
    let form = str::from_utf8(body).unwrap_or_default();
    form.split('&').find_map(|field| field.strip_prefix("Action=")).unwrap_or_default()
}

/// A text field of a request in the JSON protocol.
pub(crate) fn field(body: &Bytes, name: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get(name)?.as_str().map(str::to_owned)
}
