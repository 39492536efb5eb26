//! Captures the logs of one thread.
//!
//! All tests share one subscriber with a buffer per thread, because `tracing` caches for each log statement whether a
//! subscriber is interested. With a subscriber per test, another thread's result could be cached.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use serde_json::Value;
use tracing::level_filters::LevelFilter;

thread_local! {
    static WRITTEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

static LISTENING: Once = Once::new();

/// The logs of this thread after [`Logs::capture`], at every level. A test and its runtime run on one thread.
#[derive(Debug)]
pub struct Logs(());

impl Logs {
    /// Starts capturing with an empty buffer.
    #[must_use]
    pub fn capture() -> Self {
        LISTENING.call_once(|| {
            let subscriber =
                tracing_subscriber::fmt().json().with_max_level(LevelFilter::TRACE).with_writer(|| Buffer).finish();
            // With another subscriber, the buffer would stay empty and every assertion on missing texts would pass.
            tracing::subscriber::set_global_default(subscriber).unwrap_or_else(|error| unreachable!("{error}"));
        });
        // Also captures log statements that were reached before.
        tracing::callsite::rebuild_interest_cache();
        WRITTEN.with_borrow_mut(Vec::clear);
        Self(())
    }

    /// All lines.
    #[must_use]
    pub fn text(&self) -> String {
        WRITTEN.with_borrow(|written| String::from_utf8_lossy(written).into_owned())
    }

    /// All lines as JSON.
    ///
    /// # Panics
    /// If a line is not JSON.
    #[must_use]
    pub fn lines(&self) -> Vec<Value> {
        let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| unreachable!("{line}: {error}"));
        self.text().lines().map(line).collect()
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
