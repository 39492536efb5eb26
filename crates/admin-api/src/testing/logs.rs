//! What one test logs.
//!
//! One subscriber serves all tests and writes into a buffer of the thread: `tracing` remembers per log statement whether anybody
//! listens, and with a subscriber per test it may remember the answer of a thread that has none.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use serde_json::Value;
use tracing::level_filters::LevelFilter;

thread_local! {
    static WRITTEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

static LISTENING: Once = Once::new();

/// The logs of this thread from `capture` on, at every level. A test runs on one thread, and so does its runtime.
pub(crate) struct Logs;

impl Logs {
    pub(crate) fn capture() -> Self {
        LISTENING.call_once(|| {
            let subscriber =
                tracing_subscriber::fmt().json().with_max_level(LevelFilter::TRACE).with_writer(|| Buffer).finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        // For the log statements that were reached before anybody listened.
        tracing::callsite::rebuild_interest_cache();
        WRITTEN.with_borrow_mut(Vec::clear);
        Self
    }

    #[expect(clippy::unused_self, reason = "whoever wants to see logs has begun to capture them")]
    pub(crate) fn text(&self) -> String {
        WRITTEN.with_borrow(|written| String::from_utf8(written.clone())).unwrap()
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

struct Buffer;

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITTEN.with_borrow_mut(|written| written.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
