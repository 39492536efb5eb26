//! Ctrl-C, a polite kill, a terminal that closes.

use tokio::signal::unix::{SignalKind, signal};

/// Waits until somebody wants this program to end. Where signals cannot be heard, forever.
pub(crate) async fn interrupted() {
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
