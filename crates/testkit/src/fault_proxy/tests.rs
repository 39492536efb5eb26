//! The proxy in front of a service of its own that answers at once. That the local AWS can stand behind it is the last test here.

mod counting;
mod faults;
mod forwarding;
mod hiding;
mod service;

use reqwest::{Client, RequestBuilder};

use super::*;
use service::Service;

/// Both ends of the proxy, and the proxy.
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

/// Without a timer, so that paused time stands still, and with connections that are kept, as the SDK keeps them.
fn client() -> Client {
    Client::builder().no_proxy().pool_idle_timeout(None).build().unwrap()
}

/// Status and body of the answer, or nothing where there was none.
async fn send(request: RequestBuilder) -> Option<(u16, String)> {
    let answer = request.send().await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.unwrap()))
}

/// Waits for what happens on another task.
async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}
