//! An HTTP server on the loopback interface that emulates API Gateway and calls the function.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use admin_api::lambda;
use http::Response;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lambda_http::request::LambdaRequest;
use lambda_http::{Context, LambdaEvent};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::Service as _;

use crate::{api, event};

/// Changes the function's response to an event before the server returns it.
pub(crate) type Tamper = fn(event: &Value, answer: &mut Value);

/// A server that runs until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    served: Arc<AtomicU64>,
    _accepting: JoinSet<()>,
}

impl Server {
    /// Serves the API unchanged.
    pub(crate) async fn start() -> Self {
        Self::start_tampered(|_, _| {}).await
    }

    /// Serves the API with changed responses.
    pub(crate) async fn start_tampered(tamper: Tamper) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = Arc::new(AtomicU64::new(0));
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::clone(&served), tamper));
        Self { address, served, _accepting: accepting }
    }

    /// The number of served requests.
    pub(crate) fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, served: Arc<AtomicU64>, tamper: Tamper) {
    let mut connections = JoinSet::new();
    loop {
        // Without free file descriptors, the next connection is accepted after others are closed.
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(serve(stream, Arc::clone(&served), tamper));
        } else {
            connections.join_next().await;
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, served: Arc<AtomicU64>, tamper: Tamper) {
    stream.set_nodelay(true).unwrap();
    let service = service_fn(|request| {
        let number = served.fetch_add(1, Ordering::Relaxed) + 1;
        answer(request, format!("request-{number}"), tamper)
    });
    // An error means that the client disconnected or does not speak HTTP.
    let _: hyper::Result<()> = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: hyper::Request<Incoming>,
    id: String,
    tamper: Tamper,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Ok(event::function_failed()) };
    let event = event::of(&head, &body.to_bytes(), &id);
    // Runs in its own task, so that a panic does not end the connection. Lambda would report the panic to API Gateway.
    let answer = tokio::spawn(invoke(event.clone())).await;
    Ok(answer.map_or_else(
        |_| event::function_failed(),
        |mut answer| {
            tamper(&event, &mut answer);
            event::response(&answer)
        },
    ))
}

/// Handles an event as Lambda does, with the conversions of `lambda_http`.
async fn invoke(event: Value) -> Value {
    let request: LambdaRequest = serde_json::from_value(event).unwrap();
    let mut context = Context::default();
    // In milliseconds. The clock of the API begins at zero.
    context.deadline = 30_000;
    let answer = lambda(api::new()).call(LambdaEvent::new(request, context));
    serde_json::to_value(answer.await.unwrap()).unwrap()
}
