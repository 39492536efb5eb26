//! Provisions a user pool and its related resources from a [`Spec`]: plans, applies, verifies and destroys them.
//!
//! `discover` reads the current state, and `diff` compares it with the spec. Each action returns a [`Receipt`] of its
//! steps, even if the action fails.

mod apply;
mod create_once;
mod credentials;
mod deployment;
#[cfg(feature = "backup")]
mod describe;
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

use std::collections::BTreeMap;
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
#[cfg(feature = "backup")]
pub(crate) use field_difference::differences as field_differences;
pub use members::GroupMembers;
pub use plan::{Plan, Planned, Verdict};
pub use receipt::{Action, Outcome, Receipt, Step, StepReport};

/// The tag key of a restored pool. The value is the id of the backup.
pub const RESTORE_TAG: &str = "poolkeeper:restore";

/// A changed name in a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The previous name.
    pub before: String,
    /// The id of the user pool with the previous name.
    pub user_pool_id: String,
}

/// Receives the progress of an action.
pub trait Observer: Send + Sync {
    /// The action starts to read the current state, before it changes anything.
    fn discovering(&self) {}

    /// A step starts.
    fn step_began(&self, _step: Step) {}

    /// A call failed and will be retried.
    fn waiting(&self, _waiting: &Waiting) {}

    /// A step ended.
    fn step_ended(&self, report: &StepReport);
}

/// Runs the actions.
#[derive(Clone)]
pub struct Provisioner<'a> {
    /// AWS.
    pub platform: &'a dyn Platform,
    /// Time and randomness. The deadline must leave about 30 s: 15 s for the clean-up, and the rest for the last calls.
    pub clock: Arc<dyn Clock>,
    /// Receives the progress.
    pub observer: &'a dyn Observer,
    /// Whether the permissions of the process may be new.
    pub rights: Rights,
    /// The roles that the process has permission to pass.
    pub passable_roles: PassableRoles,
    /// The stack of a custom resource. `None` for an operator.
    pub deployment: Option<Deployment>,
    /// The id of the backup that is restored. An existing pool without [`RESTORE_TAG`] for this backup is rejected.
    pub restore: Option<String>,
}

impl<'a> Provisioner<'a> {
    /// Creates a provisioner for an operator, with settled permissions and unknown passable roles.
    pub fn new(platform: &'a dyn Platform, clock: Arc<dyn Clock>, observer: &'a dyn Observer) -> Self {
        Self {
            platform,
            clock,
            observer,
            rights: Rights::Settled,
            passable_roles: PassableRoles::Unknown,
            deployment: None,
            restore: None,
        }
    }
}

impl Provisioner<'_> {
    /// Plans the changes that [`Provisioner::apply`] would make now. Changes nothing.
    ///
    /// # Errors
    ///
    /// Returns an error if `apply` would reject the spec, or if the current state cannot be read.
    pub async fn plan(&self, spec: &Spec) -> Result<Plan, ProvisionError> {
        spec.check()?;
        self.observer.discovering();
        let found = self.discover(spec).await?;
        self.ensure_own_restore(found.user_pool.as_ref())?;
        self.ensure_no_leftovers(&found)?;
        let planned = diff::all(spec, &found)?;
        self.ensure_passable(spec, &found)?;
        Ok(Plan::new(planned))
    }

    /// Brings all resources into the desired state. Safe to repeat, even after a crash.
    ///
    /// # Errors
    ///
    /// Returns the first error, with the receipt of the steps so far. A retry continues from there.
    pub async fn apply(&self, spec: &Spec) -> Result<Receipt, ProvisionFailure> {
        let mut run = self.begin(Action::Apply);
        let result = run.apply(spec, None).await;
        run.end(result)
    }

    /// Applies a spec whose name has changed.
    ///
    /// # Errors
    ///
    /// Returns [`ProvisionError::Renamed`] unless the pool already has the new name. Otherwise returns the errors of
    /// [`Provisioner::apply`].
    pub async fn apply_renamed(&self, spec: &Spec, rename: &Rename) -> Result<Receipt, ProvisionFailure> {
        let mut run = self.begin(Action::Apply);
        let result = run.apply(spec, Some(rename)).await;
        run.end(result)
    }

    /// Verifies the pool with a test user, who signs up, signs in and receives AWS credentials. Deletes the user
    /// afterwards.
    ///
    /// # Errors
    ///
    /// Returns the first failed step, with the receipt.
    pub async fn verify(&self, spec: &Spec) -> Result<Receipt, ProvisionFailure> {
        let mut run = self.begin(Action::Verify);
        let result = run.verify(spec).await;
        run.end(result)
    }

    /// Deletes the resources of the pool. Safe to repeat.
    ///
    /// # Errors
    ///
    /// Returns the first error, with the receipt of the steps so far. A retry continues from there.
    pub async fn destroy(&self, spec: &Spec) -> Result<Receipt, ProvisionFailure> {
        let mut run = self.begin(Action::Destroy);
        let result = run.destroy(spec, None).await;
        run.end(result)
    }

    /// Deletes only the user pool with this id and its related resources. Deletes nothing if another pool has the
    /// spec's name. If the user pool does not exist, deletes the identity pool, role and policy only if the identity
    /// pool uses this user pool.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Provisioner::destroy`].
    pub async fn destroy_only(&self, spec: &Spec, user_pool_id: &str) -> Result<Receipt, ProvisionFailure> {
        let mut run = self.begin(Action::Destroy);
        let result = run.destroy(spec, Some(user_pool_id)).await;
        run.end(result)
    }

    fn begin(&self, action: Action) -> Run<'_> {
        Run { provisioner: self.clone(), receipt: Receipt::new(action) }
    }
}

impl Run<'_> {
    fn end(self, result: Result<(), ProvisionError>) -> Result<Receipt, ProvisionFailure> {
        match result {
            Ok(()) => Ok(self.receipt),
            Err(error) => Err(ProvisionFailure { error, receipt: Box::new(self.receipt) }),
        }
    }
}

/// A running action and its receipt.
struct Run<'a> {
    provisioner: Provisioner<'a>,
    receipt: Receipt,
}

/// The result of a step that did not fail.
struct StepOutput<T> {
    value: T,
    outcome: Outcome,
    attempts: u32,
    detail: Option<String>,
}

impl<T> StepOutput<T> {
    fn new(value: T, outcome: Outcome) -> Self {
        Self { value, outcome, attempts: 1, detail: None }
    }

    fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl Run<'_> {
    /// Runs one step, and reports it to the receipt and the observer.
    async fn step<T>(
        &mut self,
        step: Step,
        action: impl Future<Output = Result<StepOutput<T>, ProvisionError>>,
    ) -> Result<T, ProvisionError> {
        let began = self.provisioner.clock.now();
        self.provisioner.observer.step_began(step);
        let result = action.await;
        let elapsed_ms = milliseconds(self.provisioner.clock.now().saturating_sub(began));
        let (report, result) = match result {
            Ok(output) => {
                let report = StepReport {
                    step,
                    outcome: output.outcome,
                    attempts: output.attempts,
                    elapsed_ms,
                    detail: output.detail,
                };
                (report, Ok(output.value))
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
    /// Makes a call with the retries of its situation.
    async fn call<T, Call, Answer>(&self, situation: Situation, call: Call) -> Result<Attempted<T>, ProvisionError>
    where
        T: Send,
        Call: FnMut() -> Answer + Send,
        Answer: Future<Output = Result<T, PlatformError>> + Send,
    {
        Ok(retry(&self.clock, situation.with(self.rights), call, self).await?)
    }

    /// Makes a call for a user of the pool, with the retries of its situation.
    async fn user_call<T, Call, Answer>(
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

    /// Checks the role that an update of a user pool passes to Cognito for text messages.
    ///
    /// # Errors
    ///
    /// Returns [`ProvisionError::RoleNotPassable`] if the process has no permission to pass the role.
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
    /// Rejects the adoption of a pool that this stack does not own if the sign-up policy is wider than the recorded
    /// one.
    ///
    /// # Errors
    ///
    /// Returns [`ProvisionError::WiderSignUp`] if the policy is wider and not confirmed.
    fn ensure_adoptable(&self, spec: &Spec, pool: Option<&UserPool>) -> Result<(), ProvisionError> {
        self.ensure_own_restore(pool)?;
        match (&self.deployment, pool) {
            (Some(deployment), Some(pool)) => deployment.check_adoption(spec, pool),
            _ => Ok(()),
        }
    }

    /// Rejects a pool that the restore of this backup did not create.
    ///
    /// # Errors
    ///
    /// Returns [`ProvisionError::NotRestored`] if the pool has no tag of this backup.
    fn ensure_own_restore(&self, pool: Option<&UserPool>) -> Result<(), ProvisionError> {
        match (&self.restore, pool) {
            (Some(id), Some(pool)) if pool.tags.get(RESTORE_TAG) != Some(id) => {
                Err(ProvisionError::NotRestored { user_pool_id: pool.id.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Rejects resources of an earlier pool of the same name, whose policies and role mappings a new pool would receive.
    ///
    /// # Errors
    ///
    /// Returns [`ProvisionError::Leftover`] if a restore would adopt such a resource.
    fn ensure_no_leftovers(&self, found: &discover::Found) -> Result<(), ProvisionError> {
        if self.restore.is_none() || found.user_pool.is_some() {
            return Ok(());
        }
        let leftovers = [
            (found.identity_pool.is_some(), Resource::IdentityPool),
            (found.role.is_some(), Resource::Role),
            (found.policy.is_some(), Resource::Policy),
        ];
        let leftover = leftovers.into_iter().find(|(exists, _)| *exists);
        leftover.map_or(Ok(()), |(_, resource)| Err(ProvisionError::Leftover { resource }))
    }

    /// The tags of a new pool, besides its name.
    fn new_pool_tags(&self) -> BTreeMap<String, String> {
        let mut tags = self.deployment.as_ref().map(Deployment::tags).unwrap_or_default();
        tags.extend(self.restore.iter().map(|id| (RESTORE_TAG.to_owned(), id.clone())));
        tags
    }

    /// Records the stack and its sign-up policy in the tags of the pool, which makes the stack its owner.
    async fn record_deployment(
        &self,
        spec: &Spec,
        pool: &UserPool,
        deployment: &Deployment,
    ) -> Result<StepOutput<()>, ProvisionError> {
        let tags = deployment.tags();
        if tags.iter().all(|(key, value)| pool.tags.get(key) == Some(value)) {
            return Ok(StepOutput::new((), Outcome::Unchanged));
        }
        let tag = || self.platform.tag_user_pool(&pool.arn, &spec.name, &tags);
        let attempts = self.call(Situation::Settled, tag).await?.attempts;
        Ok(StepOutput::new((), Outcome::Updated).with_attempts(attempts))
    }
}

impl Listener for Provisioner<'_> {
    fn waiting(&self, waiting: &Waiting) {
        self.observer.waiting(waiting);
    }
}

/// The name of the IAM role and of the IAM policy. It contains the Region because IAM is global.
fn iam_name(pool: &PoolName, region: &str) -> String {
    format!("poolkeeper.{pool}.{region}")
}

/// The ARN of the IAM policy, which need not exist yet.
fn policy_arn(account_id: &str, name: &str) -> String {
    format!("arn:aws:iam::{account_id}:policy/{name}")
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
