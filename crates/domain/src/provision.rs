//! Brings a user pool and all that belongs to it into the state that a [`Spec`] describes, proves that it works, takes it away.
//!
//! The actions share one [`Provisioner`]: the hands ([`Platform`]), the watch ([`Clock`]) and whoever looks on ([`Observer`]).
//! `look` reads everything that is there, `compare` says what is to be done about it: `plan` shows that, `apply` does it, in a list
//! of steps. Each action gives a [`Receipt`] of its steps, also when it fails.

mod apply;
mod create_once;
mod credentials;
mod deployment;
mod destroy;
mod diff;
mod discover;
mod error;
mod field_difference;
mod first_admin;
mod members;
mod plan;
mod receipt;
mod unknown_groups;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use crate::passable_roles::PassableRoles;
use crate::platform::{Platform, PlatformError, UserPool};
use crate::retry::{Attempted, Clock, GaveUp, Listener, Rights, Situation, Waiting, retry};
use crate::spec::{PoolName, Spec};
use crate::user_pool::error::UserPoolError;

pub use deployment::{Confirmed, Deployment, STACK_TAG, SignUpPolicy, Verified};
pub use error::{ProvisionError, ProvisionFailure, Resource};
pub use field_difference::Difference;
pub use members::GroupMembers;
pub use plan::{Plan, Planned, Verdict};
pub use receipt::{Action, Outcome, Receipt, Step, StepReport};

/// A spec's change of name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renaming {
    /// The name before.
    pub before: String,
    /// The id of the user pool that the spec stood for.
    pub user_pool_id: String,
}

/// Hears of what happens, as it happens.
pub trait Observer: Send + Sync {
    /// What is there is being read, before anything is touched.
    fn discovering(&self) {}

    /// A step begins.
    fn step_began(&self, _step: Step) {}

    /// A call did not work and will be made again.
    fn waiting(&self, _waiting: &Waiting) {}

    /// A step has ended.
    fn step_ended(&self, report: &StepReport);
}

/// Runs the actions.
#[derive(Clone)]
pub struct Provisioner<'a> {
    /// AWS.
    pub platform: &'a dyn Platform,
    /// Time and chance. Its end must leave about half a minute: 15 s to clean up, and what the last calls may take.
    pub clock: Arc<dyn Clock>,
    /// Who looks on.
    pub observer: &'a dyn Observer,
    /// How long the process has had its rights.
    pub rights: Rights,
    /// The roles that the process may pass.
    pub passable_roles: PassableRoles,
    /// The stack that the actions run for; none for an operator.
    pub deployment: Option<Deployment>,
}

impl<'a> Provisioner<'a> {
    /// Creates a provisioner for an operator, whose rights are settled and whose passable roles are unknown.
    pub fn new(platform: &'a dyn Platform, clock: Arc<dyn Clock>, observer: &'a dyn Observer) -> Self {
        Self {
            platform,
            clock,
            observer,
            rights: Rights::Settled,
            passable_roles: PassableRoles::Unknown,
            deployment: None,
        }
    }
}

impl Provisioner<'_> {
    /// What [`Provisioner::apply`] would do now. Changes nothing.
    ///
    /// # Errors
    ///
    /// What `apply` would refuse as well, and what cannot be read.
    pub async fn plan(&self, spec: &Spec) -> Result<Plan, ProvisionError> {
        spec.check()?;
        self.observer.discovering();
        let found = self.discover(spec).await?;
        let planned = diff::all(spec, &found)?;
        self.ensure_passable(spec, &found)?;
        Ok(Plan::new(planned))
    }

    /// Brings everything into the state that the spec describes. Safe to repeat, also after a crash: it goes on.
    ///
    /// # Errors
    ///
    /// Why it stopped, with the receipt of what was done until then. The remedy is to run it again.
    pub async fn apply(&self, spec: &Spec) -> Result<Receipt, ProvisionFailure> {
        let mut work = self.begin(Action::Apply);
        let result = work.apply(spec, None).await;
        work.end(result)
    }

    /// `apply` of a spec whose name has just been changed.
    ///
    /// # Errors
    ///
    /// [`ProvisionError::Renamed`] unless the new name is that of the renamed pool already; otherwise as [`Provisioner::apply`].
    pub async fn apply_renamed(&self, spec: &Spec, renaming: &Renaming) -> Result<Receipt, ProvisionFailure> {
        let mut work = self.begin(Action::Apply);
        let result = work.apply(spec, Some(renaming)).await;
        work.end(result)
    }

    /// Proves that it works: a throw-away user signs up, in, and gets AWS credentials. Leaves nobody behind.
    ///
    /// # Errors
    ///
    /// What does not work, with the receipt.
    pub async fn verify(&self, spec: &Spec) -> Result<Receipt, ProvisionFailure> {
        let mut work = self.begin(Action::Verify);
        let result = work.verify(spec).await;
        work.end(result)
    }

    /// Takes away what is ours. Safe to repeat.
    ///
    /// # Errors
    ///
    /// Why it stopped, with the receipt of what was done until then. The remedy is to run it again.
    pub async fn destroy(&self, spec: &Spec) -> Result<Receipt, ProvisionFailure> {
        let mut work = self.begin(Action::Destroy);
        let result = work.destroy(spec, None).await;
        work.end(result)
    }

    /// `destroy`, but only of the user pool with this id and of what belongs to it: nothing, when the spec's name belongs to another
    /// one by now; and when it is gone, no more than an identity pool that takes its people from it, with its role.
    ///
    /// # Errors
    ///
    /// As [`Provisioner::destroy`].
    pub async fn destroy_only(&self, spec: &Spec, user_pool_id: &str) -> Result<Receipt, ProvisionFailure> {
        let mut work = self.begin(Action::Destroy);
        let result = work.destroy(spec, Some(user_pool_id)).await;
        work.end(result)
    }

    fn begin(&self, action: Action) -> Work<'_> {
        Work { provisioner: self.clone(), receipt: Receipt::new(action) }
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
    provisioner: Provisioner<'a>,
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
        let began = self.provisioner.clock.now();
        self.provisioner.observer.step_began(step);
        let result = work.await;
        let elapsed_ms = milliseconds(self.provisioner.clock.now().saturating_sub(began));
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
        self.provisioner.observer.step_ended(&report);
        self.receipt.steps.push(report);
        result
    }
}

impl Provisioner<'_> {
    /// A call with the retry that its situation deserves.
    async fn call<T, Call, Answer>(&self, situation: Situation, call: Call) -> Result<Attempted<T>, ProvisionError>
    where
        T: Send,
        Call: FnMut() -> Answer + Send,
        Answer: Future<Output = Result<T, PlatformError>> + Send,
    {
        Ok(retry(&self.clock, situation.with(self.rights), call, self).await?)
    }

    /// A call for a user.
    async fn users<T, Call, Answer>(
        &self,
        situation: Situation,
        call: Call,
    ) -> Result<Attempted<T>, GaveUp<UserPoolError>>
    where
        T: Send,
        Call: FnMut() -> Answer + Send,
        Answer: Future<Output = Result<T, UserPoolError>> + Send,
    {
        retry(&self.clock, situation.with(self.rights), call, self).await
    }

    /// An update of a user pool that sends text messages passes the role for them to Cognito.
    ///
    /// # Errors
    ///
    /// [`ProvisionError::RoleNotPassable`] if the process may not.
    fn ensure_passable(&self, spec: &Spec, found: &discover::Found) -> Result<(), ProvisionError> {
        let Some(pool) = &found.user_pool else { return Ok(()) };
        let is_updated = !diff::user_pool(spec, pool)?.fields.is_empty();
        match &pool.sms_role_arn {
            Some(role) if is_updated && !self.passable_roles.allow(role) => {
                Err(ProvisionError::RoleNotPassable { user_pool_id: pool.id.clone(), role: role.clone() })
            }
            _ => Ok(()),
        }
    }
}

impl Provisioner<'_> {
    /// A stack adopts a pool of another stack, or of none, only with a sign-up policy that is not wider than the pool's last one.
    ///
    /// # Errors
    ///
    /// [`ProvisionError::WiderSignUp`] if the policy is wider and not confirmed.
    fn ensure_adoptable(&self, spec: &Spec, pool: Option<&UserPool>) -> Result<(), ProvisionError> {
        match (&self.deployment, pool) {
            (Some(deployment), Some(pool)) => deployment.check_adoption(spec, pool),
            _ => Ok(()),
        }
    }

    /// Records the stack and its sign-up policy in the tags of the pool. From then on the pool is the stack's to delete.
    async fn record_deployment(
        &self,
        spec: &Spec,
        pool: &UserPool,
        deployment: &Deployment,
    ) -> Result<Done<()>, ProvisionError> {
        let tags = deployment.tags();
        if tags.iter().all(|(key, value)| pool.tags.get(key) == Some(value)) {
            return Ok(Done::new((), Outcome::Unchanged));
        }
        let tag = || self.platform.tag_user_pool(&pool.arn, &spec.name, &tags);
        let attempts = self.call(Situation::Settled, tag).await?.attempts;
        Ok(Done::new((), Outcome::Updated).after(attempts))
    }
}

impl Listener for Provisioner<'_> {
    fn waiting(&self, waiting: &Waiting) {
        self.observer.waiting(waiting);
    }
}

/// The name of the IAM role and of the IAM policy. The region is in it because IAM knows no regions.
fn iam_name(pool: &PoolName, region: &str) -> String {
    format!("poolkeeper.{pool}.{region}")
}

/// The ARN that `policy` has, or will have.
fn policy_arn(account_id: &str, name: &str) -> String {
    format!("arn:aws:iam::{account_id}:policy/{name}")
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
