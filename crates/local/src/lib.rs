//! `make demo`, `make dev` and `make invoke`: the whole of Poolkeeper on a local AWS, deployed from `template.yaml`.
//!
//! For development only; nothing of it is ever deployed.

pub mod api;
pub mod arguments;
pub mod demo;
pub mod dev;
pub mod failure;
pub mod flows;
pub mod invoke;
pub mod report;
pub mod scene;

use tokio::signal::unix::{SignalKind, signal};

/// Waits until somebody wants this program to end: Ctrl-C, or a polite kill. Where signals cannot be heard, forever.
pub async fn interrupted() {
    let listen = |kind| async move {
        match signal(kind) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = listen(SignalKind::interrupt()) => {}
        () = listen(SignalKind::terminate()) => {}
        () = listen(SignalKind::hangup()) => {}
    }
}
