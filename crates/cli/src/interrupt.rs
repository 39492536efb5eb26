//! SIGINT, SIGTERM and SIGHUP.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for a signal to stop, or forever if signals cannot be received.
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
