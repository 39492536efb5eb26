//! Brings a user pool and all that belongs to it into the state that a [`Spec`] describes, proves that it works, takes it away.
//!
//! The three actions share one [`Provisioner`]: the hands ([`Platform`]), the watch ([`Clock`]) and whoever looks on
//! ([`Observer`]). Each action is a list of steps in a file of its own, and gives a [`Receipt`], also when it fails.

mod apply;
mod destroy;
mod difference;
mod error;
mod receipt;
mod verify;

use std::time::Duration;

use crate::platform::{Platform, PlatformError};
use crate::retry::{Attempted, Clock, GaveUp, Situation, patiently};
use crate::spec::{PoolName, Spec};
use crate::user_pool_error::UserPoolError;

pub use difference::Difference;
pub use error::{ProvisionError, ProvisionFailure, Resource};
pub use receipt::{Action, Outcome, Receipt, Step, StepReport};

/// A spec's change of name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renaming {
    /// The name before.
    pub before: String,
    /// The id of the user pool that the spec stood for.
    pub user_pool_id: String,
}

/// Hears of every step when it ends.
pub trait Observer: Send + Sync {
    /// A step has ended.
    fn step_ended(&self, report: &StepReport);
}

/// Runs the actions.
#[derive(Clone, Copy)]
pub struct Provisioner<'a> {
    /// AWS.
    pub platform: &'a dyn Platform,
    /// Time and chance. Its end must leave enough time to clean up and to answer.
    pub clock: &'a dyn Clock,
    /// Who looks on.
    pub observer: &'a dyn Observer,
}

impl Provisioner<'_> {
    /// Runs one action.
    ///
    /// # Errors
    ///
    /// Why it stopped, with the receipt of what was done until then. After `apply` and `destroy` the remedy is to run them again.
    pub async fn run(&self, action: Action, spec: &Spec) -> Result<Receipt, ProvisionFailure> {
        let mut work = Work { hands: *self, receipt: Receipt::new(action) };
        let result = match action {
            Action::Apply => work.apply(spec, None).await,
            Action::Verify => work.verify(spec).await,
            Action::Destroy => work.destroy(spec, None).await,
        };
        work.end(result)
    }

    /// `apply` of a spec whose name has just been changed.
    ///
    /// # Errors
    ///
    /// [`ProvisionError::Renamed`] unless the new name is that of the renamed pool already; otherwise as [`Provisioner::run`].
    pub async fn apply_renamed(&self, spec: &Spec, renaming: &Renaming) -> Result<Receipt, ProvisionFailure> {
        let mut work = Work { hands: *self, receipt: Receipt::new(Action::Apply) };
        let result = work.apply(spec, Some(renaming)).await;
        work.end(result)
    }

    /// `destroy`, but only while the spec's name belongs to the user pool with this id.
    ///
    /// # Errors
    ///
    /// As [`Provisioner::run`].
    pub async fn destroy_only(&self, spec: &Spec, user_pool_id: &str) -> Result<Receipt, ProvisionFailure> {
        let mut work = Work { hands: *self, receipt: Receipt::new(Action::Destroy) };
        let result = work.destroy(spec, Some(user_pool_id)).await;
        work.end(result)
    }
}

impl Work<'_> {
    fn end(self, result: Result<(), ProvisionError>) -> Result<Receipt, ProvisionFailure> {
        match result {
            Ok(()) => Ok(self.receipt),
            Err(error) => Err(ProvisionFailure { error, receipt: Box::new(self.receipt) }),
        }
    }
}

/// An action under way.
struct Work<'a> {
    hands: Provisioner<'a>,
    receipt: Receipt,
}

/// How a step ended well.
struct Done<T> {
    value: T,
    outcome: Outcome,
    attempts: u32,
    detail: Option<String>,
}

impl<T> Done<T> {
    fn new(value: T, outcome: Outcome) -> Self {
        Self { value, outcome, attempts: 1, detail: None }
    }

    fn after(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl Work<'_> {
    /// Runs one step, writes it down and tells the observer.
    async fn step<T>(
        &mut self,
        step: Step,
        work: impl Future<Output = Result<Done<T>, ProvisionError>>,
    ) -> Result<T, ProvisionError> {
        let began = self.hands.clock.now();
        let result = work.await;
        let elapsed_ms = milliseconds(self.hands.clock.now().saturating_sub(began));
        let (report, result) = match result {
            Ok(done) => {
                let report = StepReport {
                    step,
                    outcome: done.outcome,
                    attempts: done.attempts,
                    elapsed_ms,
                    detail: done.detail,
                };
                (report, Ok(done.value))
            }
            Err(error) => {
                let (attempts, detail) = (error.attempts(), Some(error.with_causes()));
                (StepReport { step, outcome: Outcome::Failed, attempts, elapsed_ms, detail }, Err(error))
            }
        };
        self.hands.observer.step_ended(&report);
        self.receipt.steps.push(report);
        result
    }
}

impl Provisioner<'_> {
    /// A call with the retry that its situation deserves.
    async fn call<T, Call, Answer>(&self, situation: Situation, call: Call) -> Result<Attempted<T>, ProvisionError>
    where
        Call: FnMut() -> Answer + Send,
        Answer: Future<Output = Result<T, PlatformError>> + Send,
    {
        Ok(patiently(self.clock, situation, call).await?)
    }

    /// A call for a user.
    async fn users<T, Call, Answer>(&self, call: Call) -> Result<Attempted<T>, GaveUp<UserPoolError>>
    where
        Call: FnMut() -> Answer + Send,
        Answer: Future<Output = Result<T, UserPoolError>> + Send,
    {
        patiently(self.clock, Situation::Settled, call).await
    }
}

/// The one thing of this kind that is ours, or none.
fn only<T>(resource: Resource, found: Vec<T>, id: impl Fn(&T) -> &str) -> Result<Option<T>, ProvisionError> {
    if found.len() > 1 {
        let ids = found.iter().map(|one| id(one).to_owned()).collect();
        return Err(ProvisionError::Several { resource, ids });
    }
    Ok(found.into_iter().next())
}

/// The name of the IAM role and of the IAM policy. The region is in it because IAM knows no regions.
fn iam_name(pool: &PoolName, region: &str) -> String {
    format!("poolkeeper-{pool}-{region}")
}

/// The ARN that `policy` has, or will have.
fn policy_arn(account_id: &str, name: &str) -> String {
    format!("arn:aws:iam::{account_id}:policy/{name}")
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
