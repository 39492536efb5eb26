//! A clock that advances only by waiting, so that tests wait for minutes instantly and know the exact duration.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::retry::Clock;
use domain::secret::Secret;
use fastrand::Rng;
use time::OffsetDateTime;

/// The clock. Clones share the time.
#[derive(Debug, Clone)]
pub struct VirtualClock {
    now: Arc<Mutex<Duration>>,
    nonces: Arc<AtomicU64>,
    chance: Option<Arc<Mutex<Rng>>>,
    end: Duration,
}

impl VirtualClock {
    /// A clock at zero with this deadline.
    #[must_use]
    pub fn with_time(end: Duration) -> Self {
        Self { now: Arc::default(), nonces: Arc::default(), chance: None, end }
    }

    /// Adds jitter from this seed.
    #[must_use]
    pub fn with_jitter(mut self, seed: u64) -> Self {
        self.chance = Some(Arc::new(Mutex::new(Rng::with_seed(seed))));
        self
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
        // Yields, so that other tasks make their calls before the time advances.
        for _ in 0..=(duration.as_millis() / 50).min(100) {
            tokio::task::yield_now().await;
        }
    }

    /// Zero is the Unix epoch.
    fn wall_time(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + self.now()
    }

    /// There is no jitter by default, so that tests cover the longest waits.
    fn jitter(&self) -> f64 {
        self.chance.as_ref().map_or(0.0, |chance| chance.lock().unwrap_or_else(PoisonError::into_inner).f64())
    }

    fn nonce(&self) -> Secret {
        Secret::new(format!("{:032x}", self.nonces.fetch_add(1, Ordering::Relaxed)))
    }
}
