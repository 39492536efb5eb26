//! Tests that requests are forwarded unchanged, and that the proxy starts and stops.

use std::net;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::local_aws::LocalAws;

/// A signed request with uppercase header names, which a signature could depend on.
const REQUEST: &str = "POST /path?b=2&a=%20 HTTP/1.1\r\nHost: cognito-idp.eu-west-1.amazonaws.com\r\n\
    X-Amz-Target: AWSCognitoIdentityProviderService.ListUserPools\r\nauthorization: AWS4-HMAC-SHA256 Signature=0a\r\n\
    X-Twice: one\r\nX-Twice: two\r\ncontent-length: 19\r\n\r\n{ \"MaxResults\" : 1}";

async fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(proxy.endpoint_url().strip_prefix("http://").unwrap()).await.unwrap()
}

#[tokio::test]
async fn forwards_request_and_response_byte_for_byte() {
    let bench = Bench::set_up().await;
    let mut client = connect(&bench.proxy).await;
    for _ in 0..2 {
        client.write_all(REQUEST.as_bytes()).await.unwrap();
        let answer = service::read(&mut client).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("\r\nX-Kept: As-Is\r\n"), "{head}");
        assert_eq!(body, "done");
    }
    assert_eq!(bench.service.seen(), [REQUEST, REQUEST], "over one connection, which was kept");
}

#[tokio::test]
async fn forwards_errors_of_the_service() {
    let bench = Bench::set_up().await;
    assert_eq!(send(bench.json("Refused")).await, Some((400, "no".to_owned())));
    let call = Call { operation: "Refused".to_owned(), outcome: Outcome::Forwarded, status: Some(400) };
    assert_eq!(bench.proxy.calls(), [call]);
}

#[tokio::test]
async fn forwards_other_protocols_without_counting() {
    let bench = Bench::set_up().await;
    bench.proxy.plan_at(1, Fault::NotSent);
    let url = format!("{}/_health?Action=CreateRole", bench.proxy.endpoint_url());
    assert_eq!(send(bench.client.get(&url)).await, Some((200, "done".to_owned())));
    assert_eq!(send(bench.client.post(&url).body("Action=CreateRole")).await, Some((200, "done".to_owned())));
    assert_eq!(bench.proxy.calls(), []);
    assert_eq!(send(bench.query("CreateRole", "")).await, None, "the first that counts");
}

#[tokio::test]
async fn distinguishes_unreachable_service_from_planned_faults() {
    let Bench { service, proxy, client } = Bench::set_up().await;
    drop(service);
    proxy.plan_at(1, Fault::AnswerLost);
    for _ in 0..2 {
        let request = client.post(proxy.endpoint_url()).header("x-amz-target", "Service.ListUserPools");
        assert_eq!(send(request).await, None);
    }
    for call in proxy.calls() {
        assert!(matches!(&call.outcome, Outcome::Unreachable(_)) && call.status.is_none(), "{call:?}");
    }
    assert_eq!(proxy.calls().len(), 2);
}

#[tokio::test]
async fn rejects_upstreams_other_than_http_host_port() {
    for url in ["https://127.0.0.1:4566", "http://127.0.0.1", "127.0.0.1:4566", "http://127.0.0.1:4566/path", ""] {
        let refused = FaultProxy::start(url).await.unwrap_err();
        assert!(matches!(&refused, FaultProxyError::InvalidAddress(named) if named == url), "{url}: {refused}");
    }
    assert!(FaultProxy::start("http://localhost:4566/").await.is_ok());
}

#[tokio::test]
async fn dropping_the_proxy_closes_everything() {
    let bench = Bench::set_up().await;
    let address = bench.proxy.endpoint_url().strip_prefix("http://").unwrap().to_owned();
    bench.proxy.plan_at(1, Fault::Stalled);
    let stalled = tokio::spawn(send(bench.json("CreateUserPool")));
    let mut kept = connect(&bench.proxy).await;
    until(|| bench.outcomes() == [("CreateUserPool".to_owned(), Outcome::Fault(Fault::Stalled))]).await;

    drop(bench.proxy);

    assert!(net::TcpStream::connect(&address).is_err(), "{address} is closed");
    assert_eq!(stalled.await.unwrap(), None);
    assert_eq!(kept.read(&mut [0]).await.unwrap_or_default(), 0, "closed");
}

#[tokio::test]
async fn works_with_the_emulator() {
    let aws = LocalAws::start(None).await.unwrap();
    let proxy = FaultProxy::start(aws.endpoint_url()).await.unwrap();
    let list = |url: &str| {
        let request = client().post(url).header("content-type", "application/x-amz-json-1.1");
        send(
            request
                .header("x-amz-target", "AWSCognitoIdentityProviderService.ListUserPools")
                .body("{\"MaxResults\":1}"),
        )
    };

    let direct = list(aws.endpoint_url()).await.unwrap();
    let by_proxy = list(proxy.endpoint_url()).await.unwrap();

    // The emulator rejects an unsigned request with the same response, with and without the proxy.
    let parse = |body: &str| serde_json::from_str::<Value>(body).unwrap();
    assert_eq!((by_proxy.0, parse(&by_proxy.1)), (direct.0, parse(&direct.1)));
    let call = Call { operation: "ListUserPools".to_owned(), outcome: Outcome::Forwarded, status: Some(direct.0) };
    assert_eq!(proxy.calls(), [call]);
}
