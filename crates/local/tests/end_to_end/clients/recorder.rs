//! A reverse proxy that records which operations of the API were called.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::Value;
use tokio::net::TcpListener;

const DOCUMENT: &str = include_str!("../../../../../docs/openapi.json");

/// A running proxy.
pub(super) struct Recorder {
    url: String,
    upstream: Arc<Upstream>,
}

struct Upstream {
    http: reqwest::Client,
    url: String,
    /// Method and path of each request.
    called: Mutex<BTreeSet<(String, String)>>,
}

impl Recorder {
    pub(super) async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let upstream = Arc::new(Upstream { http, url: upstream.to_owned(), called: Mutex::default() });
        let router = Router::new().fallback(forward).with_state(Arc::clone(&upstream));
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, upstream }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Fails if an operation of docs/openapi.json was not called.
    pub(super) fn assert_complete(&self, client: &str) {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let called = self.upstream.called.lock().unwrap();
        for (template, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                let is_called =
                    called.iter().any(|(of, path)| of.eq_ignore_ascii_case(method) && matches(template, path));
                assert!(is_called, "{client} did not call {method} {template}");
            }
        }
    }
}

/// Whether a path matches a template. A placeholder matches one segment.
fn matches(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(path).all(|(expected, found)| expected.starts_with('{') || *expected == found)
}

async fn forward(State(upstream): State<Arc<Upstream>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    upstream.called.lock().unwrap().insert((parts.method.to_string(), parts.uri.path().to_owned()));
    // The client of the proxy sets its own.
    parts.headers.remove("host");
    let url = format!("{}{}", upstream.url, parts.uri);
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let sent = upstream.http.request(parts.method, url).headers(parts.headers).body(body).send().await.unwrap();
    let mut response = Response::builder().status(sent.status());
    let headers = sent.headers().iter().filter(|(name, _)| *name != "transfer-encoding" && *name != "connection");
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(sent.bytes().await.unwrap())).unwrap()
}
