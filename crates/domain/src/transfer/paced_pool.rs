//! A user pool whose calls wait for their turn, and are repeated until they succeed or cannot succeed.

use std::time::Duration;

use thiserror::Error;

use super::jobs::ImportJobError;
use super::pace::Pace;
use super::pool_facts::PoolFacts;
use crate::retry::{Classified as _, Clock, ErrorClass};
use crate::user_pool::UserPool;
use crate::user_pool::error::{Reason, UserPoolError};
use crate::user_pool::quota::Category;

/// Why an import or export stopped before the end. Completed rows are kept, and the next run continues.
#[derive(Debug, Error)]
pub enum Stop {
    /// The caller lacks a permission, or the pool was unavailable for too long.
    #[error("{0}")]
    Call(#[source] UserPoolError),
    /// The time is up.
    #[error("the time is up")]
    TimeUp,
    /// Cognito sends no further invitations today.
    #[error("the daily e-mail quota of the user pool is used up")]
    MailQuota,
    /// Import jobs cannot continue.
    #[error(transparent)]
    Job(#[from] ImportJobError),
}

/// How a call failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No further row can be imported.
    Stop(Stop),
    /// Only this row cannot be imported.
    Row(UserPoolError),
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<Failure> for Stop {
    /// For calls that concern no row.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Stop(stop) => stop,
            Failure::Row(error) => Self::Call(error),
        }
    }
}

/// The delay after the first failed attempt, and the longest delay.
const DELAYS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(8));

/// A user pool with the pace of calls to it.
#[derive(Clone, Copy)]
pub struct PacedPool<'a> {
    /// The pool.
    pub pool: &'a dyn UserPool,
    /// The pace.
    pub pace: &'a Pace,
    /// Time and randomness.
    pub clock: &'a dyn Clock,
    /// How long a call is repeated while the pool is unavailable.
    pub patience: Duration,
}

impl PacedPool<'_> {
    /// Reads the settings of the pool.
    pub(crate) async fn facts(&self) -> Result<PoolFacts, Stop> {
        Ok(self.call(Category::UserPoolRead, || self.pool.describe()).await?.into())
    }

    /// Makes a call that is safe to repeat. A throttled call is repeated until the time is up.
    pub(crate) async fn call<T, Call, Answer>(&self, category: Category, mut call: Call) -> Result<T, Failure>
    where
        Call: FnMut() -> Answer,
        Answer: Future<Output = Result<T, UserPoolError>>,
    {
        let mut attempts = 0;
        let mut unavailable_since = None;
        loop {
            if !self.pace.wait(category, self.clock.time_left()).await {
                return Err(Stop::TimeUp.into());
            }
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match error.class() {
                ErrorClass::Throttled => self.pace.slow_down(category),
                ErrorClass::OutcomeUnknown | ErrorClass::TriggerNotInvoked => {
                    let now = self.clock.now();
                    let since = *unavailable_since.get_or_insert(now);
                    if now.saturating_sub(since) >= self.patience {
                        return Err(Stop::Call(error).into());
                    }
                    self.clock.sleep(delay(attempts).mul_f64(1.0 - 0.5 * self.clock.jitter())).await;
                    attempts += 1;
                }
                ErrorClass::Forbidden => return Err(Stop::Call(error).into()),
                _ => return Err(Failure::Row(error)),
            }
        }
    }
}

fn delay(attempts: u32) -> Duration {
    let (first, longest) = DELAYS;
    first.saturating_mul(2_u32.saturating_pow(attempts)).min(longest)
}

/// Whether a failure concerns only the row, for this reason.
pub(crate) fn is(failure: &Failure, reason: Reason) -> bool {
    matches!(failure, Failure::Row(error) if error.reason == reason)
}
