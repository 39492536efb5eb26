//! Tests of the proxy with a test service as upstream; one test uses the emulator.

mod counting;
mod faults;
mod forwarding;
mod hiding;
mod service;

use reqwest::{Client, RequestBuilder};

use super::*;
use service::Service;

/// The proxy with a client and a service.
struct Bench {
    service: Service,
    proxy: FaultProxy,
    client: Client,
}

impl Bench {
    async fn set_up() -> Self {
        let service = Service::start().await;
        let proxy = FaultProxy::start(&service.url).await.unwrap();
        Self { service, proxy, client: client() }
    }

    fn json(&self, operation: &str) -> RequestBuilder {
        let request = self.client.post(self.proxy.endpoint_url());
        request.header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}")).body("{}")
    }

    fn query(&self, operation: &str, parameters: &str) -> RequestBuilder {
        let request = self.client.post(self.proxy.endpoint_url());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(format!("Action={operation}&Version=2010-05-08{parameters}"))
    }

    fn outcomes(&self) -> Vec<(String, Outcome)> {
        self.proxy.calls().into_iter().map(|call| (call.operation, call.outcome)).collect()
    }
}

/// A client with keep-alive, like the SDK's. It has no timers, because tests pause time.
fn client() -> Client {
    Client::builder().no_proxy().pool_idle_timeout(None).build().unwrap()
}

/// Status and body of the response, or `None` without a response.
async fn send(request: RequestBuilder) -> Option<(u16, String)> {
    let answer = request.send().await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.unwrap()))
}

/// Waits for a condition that another task fulfills.
async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}
