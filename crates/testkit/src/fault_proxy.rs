//! A reverse proxy between the AWS SDK and the emulator that injects planned faults.

mod answers;
mod body;
mod calls;
mod exchange;
mod fault;
mod request;
mod server;
mod upstream;
mod visibility;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use thiserror::Error;
use tokio::net::TcpListener;

pub use calls::{Call, Outcome};
pub use fault::Fault;
pub use visibility::Hidden;

use calls::When;
use exchange::Exchange;
use server::Server;
use upstream::Upstream;

/// Why the proxy could not start.
#[derive(Debug, Error)]
pub enum FaultProxyError {
    /// The upstream URL is invalid.
    #[error("upstream must be http://HOST:PORT, found {0}")]
    InvalidAddress(String),
    /// No port is available.
    #[error("the fault proxy cannot listen on 127.0.0.1")]
    CannotListen(#[from] io::Error),
}

/// A running proxy. Dropping it closes the listener and all connections.
///
/// Requests are forwarded unchanged, including the `Host` header and all other signed headers. Faults are planned by
/// operation or by the number of the call. Retries of the SDK count as calls. Requests in other protocols than AWS JSON
/// and AWS Query are forwarded but not counted.
pub struct FaultProxy {
    endpoint_url: String,
    exchange: Arc<Exchange>,
    server: Arc<Server>,
}

impl FaultProxy {
    /// Starts a proxy for `upstream`, e.g. `http://127.0.0.1:40123`, on a free port and the current runtime.
    ///
    /// # Errors
    /// Returns an error if `upstream` is not plain HTTP to a host and a port, or no port is available.
    pub async fn start(upstream: &str) -> Result<Self, FaultProxyError> {
        let upstream = Upstream::parse(upstream).ok_or_else(|| FaultProxyError::InvalidAddress(upstream.to_owned()))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let endpoint_url = format!("http://{}", listener.local_addr()?);
        let exchange = Arc::new(Exchange::new(upstream));
        let server = Server::start(listener, Arc::clone(&exchange));
        Ok(Self { endpoint_url, exchange, server })
    }

    /// The endpoint URL for the SDK.
    #[must_use]
    pub fn endpoint_url(&self) -> &str {
        &self.endpoint_url
    }

    /// Plans a fault for the `nth` call, from 1, of an operation such as `CreateUserPool`.
    ///
    /// If several faults are planned for a call, the first one applies.
    pub fn plan(&self, operation: impl Into<String>, nth: usize, fault: Fault) {
        self.exchange.state().calls.plan(When::OfOperation(operation.into(), nth), fault);
    }

    /// Plans a fault for the `nth` call, from 1, of any operation.
    pub fn plan_at(&self, nth_of_all: usize, fault: Fault) {
        self.exchange.state().calls.plan(When::OfAll(nth_of_all), fault);
    }

    /// Decides on each call by its operation, instead of plans, until [`Self::reset`]. The proxy neither records these
    /// calls nor hides resources that they create.
    pub fn decide(&self, rule: impl FnMut(&str) -> Option<Fault> + Send + 'static) {
        self.exchange.state().calls.decide(Box::new(rule));
    }

    /// Sets the callback of faults that kill the client, for example by killing its process. The proxy never responds
    /// to such a call, even without a callback. The callback runs once per fault on a task of the proxy and must not
    /// block.
    ///
    /// [`Self::reset`] keeps the callback.
    pub fn on_kill(&self, kill: impl Fn() + Send + Sync + 'static) {
        self.exchange.on_kill(Arc::new(kill));
    }

    /// Hides each resource for this time after its creation. This includes resources that already exist.
    pub fn hide(&self, what: Hidden, for_how_long: Duration) {
        self.exchange.state().visibility.hide(what, for_how_long);
    }

    /// The time since the last resource of [`Self::hide`] became visible. `None` while a resource is hidden, or if none
    /// ever was.
    #[must_use]
    pub fn visible_since(&self, what: Hidden) -> Option<Duration> {
        self.exchange.state().visibility.visible_since(what)
    }

    /// All calls in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.exchange.state().calls.all().to_vec()
    }

    /// Clears plans, the rule, hidden resources and calls, and resets the count. Calls in progress continue without being
    /// recorded.
    pub fn reset(&self) {
        self.exchange.state().forget();
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.server.end();
    }
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FaultProxy").field("endpoint_url", &self.endpoint_url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
