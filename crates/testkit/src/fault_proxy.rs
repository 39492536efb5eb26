//! A reverse proxy between the AWS SDK and a local AWS, on which calls go wrong as planned.
//!
//! Behind it everything is real: the SDK with its connections, timeouts and retries on one side, and on the other a service that has
//! done the work or has not. What it forwards it leaves as it is, the `Host` header and everything else that is signed included.
//!
//! Faults are planned by the operation's name or by the number of the call; [`Hidden`] stands for the time that IAM takes until
//! what was written can be seen everywhere. It counts attempts, as the service would: a call that the SDK repeats is two calls.
//!
//! It knows the two protocols of the services that we call, AWS JSON and AWS Query. Whatever else comes by is passed on, neither
//! named nor counted.

mod answers;
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

/// Why there is no proxy.
#[derive(Debug, Error)]
pub enum FaultProxyError {
    /// Not the address of a local AWS.
    #[error("{0} is not the address of a local AWS: http://HOST:PORT")]
    NotAnAddress(String),
    /// No port, or no tasks.
    #[error("the fault proxy cannot listen on 127.0.0.1")]
    CannotListen(#[from] io::Error),
}

/// A running proxy. Ends when it is dropped: nobody listens any more, and what is under way is broken off.
pub struct FaultProxy {
    endpoint_url: String,
    exchange: Arc<Exchange>,
    server: Arc<Server>,
}

impl FaultProxy {
    /// Starts one on a free port, in front of `upstream`, e.g. `http://127.0.0.1:40123`. It runs on the current runtime.
    ///
    /// # Errors
    /// Where `upstream` is something else than plain HTTP to a host and a port, or there is no port to be had.
    pub async fn start(upstream: &str) -> Result<Self, FaultProxyError> {
        let upstream = Upstream::parse(upstream).ok_or_else(|| FaultProxyError::NotAnAddress(upstream.to_owned()))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let endpoint_url = format!("http://{}", listener.local_addr()?);
        let exchange = Arc::new(Exchange::new(upstream));
        let server = Server::start(listener, Arc::clone(&exchange));
        Ok(Self { endpoint_url, exchange, server })
    }

    /// What to give the SDK as its endpoint.
    #[must_use]
    pub fn endpoint_url(&self) -> &str {
        &self.endpoint_url
    }

    /// Plans a fault for the `nth` call of an operation, from 1. Operations are named as AWS does: `CreateUserPool`.
    ///
    /// Several can be planned; where two meet in one call, the one that was planned first is done.
    pub fn plan(&self, operation: impl Into<String>, nth: usize, fault: Fault) {
        self.exchange.state().calls.plan(When::OfOperation(operation.into(), nth), fault);
    }

    /// Plans a fault for the `nth` call of all, from 1, whatever its operation.
    pub fn plan_at(&self, nth_of_all: usize, fault: Fault) {
        self.exchange.state().calls.plan(When::OfAll(nth_of_all), fault);
    }

    /// What the faults that kill do. It is called once for each of them, and before the proxy would answer; then the proxy never
    /// answers that call. It runs on a task of the proxy, so it must not block.
    ///
    /// The client is the test's: it holds the child process and kills it here (`start_kill`), or aborts the task that plays one.
    /// Where nothing is given, the call is just never answered. [`Self::reset`] leaves it as it is.
    pub fn on_kill(&self, kill: impl Fn() + Send + Sync + 'static) {
        self.exchange.on_kill(Arc::new(kill));
    }

    /// Hides new things for so long after the service has made them, from now on, and for those made before as well.
    pub fn hide(&self, what: Hidden, for_how_long: Duration) {
        self.exchange.state().visibility.hide(what, for_how_long);
    }

    /// How long everything that [`Self::hide`] hides has been visible: since the last of it became so. `None` while something is
    /// still hidden, and where nothing ever was.
    #[must_use]
    pub fn visible_since(&self, what: Hidden) -> Option<Duration> {
        self.exchange.state().visibility.visible_since(what)
    }

    /// All calls so far, in the order in which they came.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.exchange.state().calls.all().to_vec()
    }

    /// Forgets plans, hidden things and calls; counting starts anew. What is under way goes on, and leaves no trace.
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
