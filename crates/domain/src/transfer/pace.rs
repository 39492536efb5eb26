//! Keeps calls within Cognito's request rate quotas.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::retry::Clock;
use crate::user_pool::error::UserPoolError;
use crate::user_pool::quota::{Category, RequestQuotas};

/// The maximum request rate per category, in requests per second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rates(BTreeMap<Category, f64>);

impl Default for Rates {
    /// Cognito's default quotas.
    fn default() -> Self {
        Self(Category::ALL.iter().map(|category| (*category, f64::from(category.default_quota()))).collect())
    }
}

impl Rates {
    /// Default quotas, with the account's quotas of these categories, and why default quotas are used instead.
    pub async fn of_account(
        quotas: &dyn RequestQuotas,
        clock: &dyn Clock,
        categories: impl IntoIterator<Item = Category>,
    ) -> (Self, Option<UserPoolError>) {
        let mut rates = Self::default();
        for (index, category) in categories.into_iter().enumerate() {
            if index > 0 {
                clock.sleep(QUOTA_READ_INTERVAL).await;
            }
            match quotas.provisioned(category).await {
                Ok(quota) => rates.set(category, quota),
                Err(error) => return (rates, Some(error)),
            }
        }
        (rates, None)
    }

    /// Replaces the quota of a category, for accounts with a raised quota.
    pub fn set(&mut self, category: Category, quota: u32) {
        self.0.insert(category, f64::from(quota.max(1)));
    }

    /// A share of the rates, from 0 to 1: the part of the quota that an import can use, or the share of one of several
    /// concurrent workers.
    #[must_use]
    pub fn share(&self, share: f64) -> Self {
        Self(self.0.iter().map(|(category, rate)| (*category, rate * share)).collect())
    }

    /// The rate of a category.
    #[must_use]
    pub fn of(&self, category: Category) -> f64 {
        self.0.get(&category).copied().unwrap_or(1.0).max(0.01)
    }
}

/// Cognito answers one request for a quota per second and account.
const QUOTA_READ_INTERVAL: Duration = Duration::from_millis(1100);

/// The factor of a rate after a throttled call.
const DECREASE: f64 = 0.9;

/// How long no further call of a category is scheduled after a throttled one.
const PAUSE: Duration = Duration::from_millis(250);

/// The time in which a rate increases from zero to its maximum.
const RECOVERY: Duration = Duration::from_secs(30);

/// Throttled calls in this time count as one. They were sent before the first of them was answered.
const ONE_EVENT: Duration = Duration::from_secs(1);

/// Spaces calls evenly. A throttled call slows its category down, because other callers of the account use part of the
/// quota, such as users who sign up.
pub struct Pace {
    clock: Arc<dyn Clock>,
    schedules: Mutex<BTreeMap<Category, Schedule>>,
}

struct Schedule {
    max_rate: f64,
    rate: f64,
    /// When the next call can start.
    next: Duration,
    /// When `rate` was last changed.
    adjusted_at: Duration,
    slowed_at: Option<Duration>,
    throttled: u64,
}

impl Schedule {
    /// Reserves the next start.
    fn reserve(&mut self, now: Duration) -> Duration {
        self.recover(now);
        let start = self.next.max(now);
        self.next = start + Duration::from_secs_f64(1.0 / self.rate);
        start
    }

    fn recover(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.adjusted_at);
        let gain = self.max_rate * elapsed.as_secs_f64() / RECOVERY.as_secs_f64();
        self.rate = (self.rate + gain).min(self.max_rate);
        self.adjusted_at = now;
    }

    fn slow_down(&mut self, now: Duration) {
        self.throttled += 1;
        self.next = self.next.max(now + PAUSE);
        if self.slowed_at.is_none_or(|at| now >= at + ONE_EVENT) {
            self.recover(now);
            self.rate *= DECREASE;
            self.slowed_at = Some(now);
        }
    }
}

impl Pace {
    /// Creates a pace with these maximum rates.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, rates: &Rates) -> Self {
        let now = clock.now();
        let schedule = |category: &Category| {
            let rate = rates.of(*category);
            let schedule =
                Schedule { max_rate: rate, rate, next: now, adjusted_at: now, slowed_at: None, throttled: 0 };
            (*category, schedule)
        };
        Self { clock, schedules: Mutex::new(Category::ALL.iter().map(schedule).collect()) }
    }

    /// Waits until a call of this category can start. Returns false immediately if that is not within `limit`.
    pub(super) async fn wait(&self, category: Category, limit: Duration) -> bool {
        let now = self.clock.now();
        let start = self.with(category, |schedule| schedule.reserve(now)).unwrap_or(now);
        let wait = start.saturating_sub(now);
        if wait >= limit {
            return false;
        }
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
        true
    }

    /// Slows a category down after a throttled call.
    pub(super) fn slow_down(&self, category: Category) {
        let now = self.clock.now();
        self.with(category, |schedule| schedule.slow_down(now));
    }

    /// The number of throttled calls so far.
    #[must_use]
    pub fn throttled(&self) -> u64 {
        let schedules = self.schedules.lock().unwrap_or_else(PoisonError::into_inner);
        schedules.values().map(|schedule| schedule.throttled).sum()
    }

    fn with<T>(&self, category: Category, change: impl FnOnce(&mut Schedule) -> T) -> Option<T> {
        let mut schedules = self.schedules.lock().unwrap_or_else(PoisonError::into_inner);
        schedules.get_mut(&category).map(change)
    }
}
