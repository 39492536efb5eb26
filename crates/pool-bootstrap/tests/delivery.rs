//! Replies to CloudFormation over a real connection.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use pool_bootstrap::{Handler, HttpReplies};
use serde_json::{Value, json};
use testkit::in_memory_platform::InMemoryPlatform;
use testkit::virtual_clock::VirtualClock;

/// Responds to one connection per status, and records the lowercase header and the body of each request.
fn bucket(statuses: &'static [u16]) -> (String, thread::JoinHandle<Vec<(String, Value)>>) {
    bucket_at("/", statuses)
}

/// Like [`bucket`], with this `Location` header in each response.
fn bucket_at(location: &'static str, statuses: &'static [u16]) -> (String, thread::JoinHandle<Vec<(String, Value)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/stack?X-Amz-Signature=canary", listener.local_addr().unwrap());
    let requests = thread::spawn(move || {
        let mut requests = Vec::new();
        for status in statuses {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                reader.read_line(&mut head).unwrap();
            }
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            write!(
                stream,
                "HTTP/1.1 {status} Status\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            .unwrap();
            requests.push((head, serde_json::from_slice(&body).unwrap()));
        }
        requests
    });
    (url, requests)
}

fn request(url: &str) -> Value {
    json!({
        "RequestType": "Delete", "ResponseURL": url, "StackId": "stack", "RequestId": "request", "LogicalResourceId": "Proof",
        "ResourceType": "Custom::PoolkeeperVerification", "PhysicalResourceId": "verification-of-shop",
        "ResourceProperties": {"Spec": {"name": "shop"}},
    })
}

async fn invoke(url: &str) -> Result<Value, String> {
    invoke_with(url, Some("127.0.0.1")).await
}

async fn invoke_with(url: &str, local_host: Option<&str>) -> Result<Value, String> {
    invoke_on(&platform(), request(url), local_host).await
}

fn platform() -> InMemoryPlatform {
    InMemoryPlatform::new(&VirtualClock::with_time(Duration::ZERO), Duration::ZERO)
}

async fn invoke_on(platform: &InMemoryPlatform, event: Value, local_host: Option<&str>) -> Result<Value, String> {
    let handler = Handler::new(
        Arc::new(platform.clone()),
        Arc::new(platform.clone()),
        Arc::new(HttpReplies::new("eu-west-1", aws::HttpRequests::new("eu-west-1", |_| None), local_host)),
        domain::passable_roles::PassableRoles::default(),
    );
    let mut context = lambda_runtime::Context::default();
    let deadline = SystemTime::now() + Duration::from_mins(10);
    context.deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis().try_into().unwrap();
    handler.handle(lambda_runtime::LambdaEvent::new(event, context)).await.map_err(|error| format!("{error} {error:?}"))
}

#[tokio::test]
async fn sends_the_reply_with_the_signed_empty_content_type() {
    let (url, requests) = bucket(&[200]);
    invoke(&url).await.unwrap();
    let requests = requests.join().unwrap();
    let (head, body) = &requests[0];
    assert!(head.starts_with("put /stack?x-amz-signature=canary http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: \r\n"), "{head}");
    assert_eq!((&body["Status"], &body["PhysicalResourceId"]), (&json!("SUCCESS"), &json!("verification-of-shop")));
}

#[tokio::test]
async fn rejects_a_foreign_reply_url_without_reply() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/stack?canary", listener.local_addr().unwrap());
    let error = invoke_with(&url, None).await.unwrap_err();
    assert!(error.contains("ResponseURL") && !error.contains("canary"), "{error}");
    assert!(listener.accept().is_err(), "no connection");
}

#[tokio::test]
async fn a_request_with_a_foreign_reply_url_changes_nothing() {
    let all = testkit::events::all("pool-bootstrap");
    let (_, text) = all.iter().find(|(name, _)| name == "user-pool-create").unwrap();
    let mut event: Value = serde_json::from_str(text).unwrap();

    let account = platform();
    event["ResponseURL"] = json!("https://example.com/stack?canary");
    let error = invoke_on(&account, event.clone(), None).await.unwrap_err();
    assert!(error.contains("ResponseURL"), "{error}");
    assert_eq!(account.calls(), Vec::<&str>::new());

    let (url, requests) = bucket(&[200]);
    event["ResponseURL"] = json!(url);
    invoke_on(&account, event, Some("127.0.0.1")).await.unwrap();
    assert_eq!(requests.join().unwrap()[0].1["Status"], "SUCCESS");
    assert!(account.writes().contains(&"create_user_pool"), "with an accepted URL");
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    target.set_nonblocking(true).unwrap();
    let location: &'static str = Box::leak(format!("http://{}/", target.local_addr().unwrap()).into_boxed_str());
    let (url, requests) = bucket_at(location, &[307, 307, 307]);
    let error = invoke(&url).await.unwrap_err();
    let requests = requests.join().unwrap();
    assert!(error.contains("3 attempts") && error.contains("307"), "{error}");
    assert!(requests.iter().all(|(head, _)| !head.contains("referer")), "{requests:?}");
    assert!(target.accept().is_err(), "no connection");
}

#[tokio::test]
async fn retries_a_rejected_reply() {
    let (url, requests) = bucket(&[500, 503, 200]);
    invoke(&url).await.unwrap();
    let requests = requests.join().unwrap();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|(_, body)| *body == requests[0].1), "the same reply each time");
}

#[tokio::test]
async fn an_undelivered_reply_fails_the_invocation_without_the_url() {
    let (url, requests) = bucket(&[403, 403, 403]);
    let error = invoke(&url).await.unwrap_err();
    requests.join().unwrap();
    assert!(error.contains("3 attempts") && error.contains("403"), "{error}");
    assert!(!error.contains("canary"), "{error}");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}/?canary", listener.local_addr().unwrap());
    drop(listener);
    let error = invoke(&closed).await.unwrap_err();
    assert!(error.contains("cannot deliver the reply") && !error.contains("canary"), "{error}");
}
