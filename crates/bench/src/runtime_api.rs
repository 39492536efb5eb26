//! A Lambda Runtime API on loopback, which serves one process and records when its requests arrive.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use tokio::sync::{mpsc, oneshot};

use crate::error::BenchError;
use crate::server::{Handler, Server, response};

const REQUEST_ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

/// How long an invocation can take, as for `pool-bootstrap` in the template, because valgrind is slow.
pub(crate) const TIME_LIMIT: Duration = Duration::from_mins(5);

/// A request of the process.
pub(crate) enum Arrival {
    /// The process asks for an event.
    Next {
        /// When the request was complete.
        at: Instant,
        /// Delivers the event.
        event: oneshot::Sender<Bytes>,
    },
    /// The process has responded to an event.
    Response {
        /// The response.
        body: Bytes,
        /// The time from the delivery of the event to the receipt of the response.
        elapsed: Duration,
    },
    /// The process has reported an error.
    Error(Bytes),
}

/// A Runtime API for one process. Dropping it closes its connections.
pub(crate) struct RuntimeApi {
    server: Server,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
}

impl RuntimeApi {
    /// Starts the API on a free port.
    pub(crate) async fn start() -> Result<Self, BenchError> {
        let (sender, arrivals) = mpsc::unbounded_channel();
        let api = Arc::new(Api { arrivals: sender, delivered: Mutex::new(Instant::now()) });
        Ok(Self { server: Server::start(api, None).await?, arrivals })
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.server.port)
    }

    /// Waits for the next request of the process.
    pub(crate) async fn arrival(&mut self) -> Option<Arrival> {
        self.arrivals.recv().await
    }
}

struct Api {
    arrivals: mpsc::UnboundedSender<Arrival>,
    delivered: Mutex<Instant>,
}

impl Handler for Api {
    async fn answer(&self, head: Parts, body: Bytes) -> Response<Full<Bytes>> {
        let at = Instant::now();
        let accepted =
            || response(202, &[("content-type", "application/json")], Bytes::from_static(b"{\"status\":\"OK\"}\n"));
        // Sending fails if the sample has ended.
        let report = |arrival| drop(self.arrivals.send(arrival));
        match head.uri.path().rsplit('/').next() {
            Some("next") => {
                let (event, delivery) = oneshot::channel();
                report(Arrival::Next { at, event });
                let Ok(event) = delivery.await else { return response(410, &[], Bytes::new()) };
                let invocation = invocation(event);
                *self.delivered.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                invocation
            }
            Some("response") => {
                let delivered = *self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
                report(Arrival::Response { body, elapsed: at - delivered });
                accepted()
            }
            _ => {
                report(Arrival::Error(body));
                accepted()
            }
        }
    }
}

fn invocation(event: Bytes) -> Response<Full<Bytes>> {
    let deadline = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default() + TIME_LIMIT;
    let headers = [
        ("content-type", "application/json"),
        ("lambda-runtime-aws-request-id", REQUEST_ID),
        ("lambda-runtime-deadline-ms", &deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:123456789012:function:bench"),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0"),
    ];
    response(200, &headers, event)
}
