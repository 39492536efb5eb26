//! `make demo`, `make dev`, `make invoke` and `make soak` deploy `template.yaml` to an emulator, `make prove` to an AWS
//! account.
//!
//! For development only; not part of the deployed functions.

pub mod api;
pub mod arguments;
pub mod code_emulator;
pub mod demo;
pub mod deployment;
pub mod dev;
pub mod failure;
pub mod flows;
pub mod invoke;
pub mod prove;
pub mod report;
pub mod soak;

use std::future::poll_fn;
use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT, SIGTERM and SIGHUP.
#[derive(Debug)]
pub struct Interruptions {
    signals: Vec<Signal>,
}

impl Interruptions {
    /// Starts listening for signals. A signal whose handler cannot be installed never arrives.
    #[must_use]
    pub fn listen() -> Self {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Self { signals: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
    }

    /// Waits for the next signal since the last call.
    pub async fn next(&mut self) {
        poll_fn(|context| {
            let arrived = self.signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if arrived { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
