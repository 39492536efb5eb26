//! Implements [`Clock`] with tokio and the system's random number generator.

use std::time::Duration;

use async_trait::async_trait;
use domain::retry::Clock;
use domain::secret::Secret;
use rand::RngExt;
use time::OffsetDateTime;
use tokio::time::Instant;

/// A clock with a time limit.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    began: Instant,
    allowed: Duration,
}

impl SystemClock {
    /// Starts the clock. [`Clock::time_left`] is zero after `allowed`.
    #[must_use]
    pub fn starting_now(allowed: Duration) -> Self {
        Self { began: Instant::now(), allowed }
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn time_left(&self) -> Duration {
        self.allowed.saturating_sub(self.began.elapsed())
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn wall_time(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn jitter(&self) -> f64 {
        rand::rng().random()
    }

    fn nonce(&self) -> Secret {
        Secret::new(format!("{:032x}", rand::rng().random::<u128>()))
    }
}
