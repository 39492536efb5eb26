//! A clock that only moves when somebody waits: minutes of waiting take no time, and tests can say exactly how long it was.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::retry::Clock;
use domain::secret::Secret;

/// The clock. Clones show the same time.
#[derive(Debug, Clone)]
pub struct VirtualClock {
    now: Arc<Mutex<Duration>>,
    nonces: Arc<AtomicU64>,
    end: Duration,
}

impl VirtualClock {
    /// At zero, with so much time until the work must be done.
    #[must_use]
    pub fn with_time(end: Duration) -> Self {
        Self { now: Arc::default(), nonces: Arc::default(), end }
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn time_left(&self) -> Duration {
        self.end.saturating_sub(self.now())
    }

    async fn sleep(&self, duration: Duration) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) += duration;
    }

    /// None: the longest waits are what tests must hold against.
    fn jitter(&self) -> f64 {
        0.0
    }

    fn nonce(&self) -> Secret {
        Secret::new(format!("{:032x}", self.nonces.fetch_add(1, Ordering::Relaxed)))
    }
}
