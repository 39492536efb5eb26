//! Runs an action within the deadline of the invocation, and survives panics.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws::SystemClock;
use domain::error_chain::causes;
use domain::invitation::KeyError;
use domain::passable_roles::PassableRoles;
use domain::platform::Platform;
use domain::provision::{
    Deployment, GroupMembers, Observer, Outcome, Plan, ProvisionError, ProvisionFailure, Provisioner, Receipt, Rename,
    Step, StepReport,
};
use domain::retry::{Clock, Listener, Rights, Waiting};
use domain::spec::Spec;
use rand::rngs::SysError;
use startup::metrics;
use thiserror::Error;
use tracing::Instrument as _;

/// The time that is reserved for deleting the test user: the clean-up time of the domain, the last call (at most 8 s),
/// and the reply.
const CLEAN_UP_TIME: Duration = Duration::from_secs(45);

/// The time that is reserved for the reply. Its three attempts, at 1.6 s each, end five seconds before the invocation.
const REPLY_TIME: Duration = Duration::from_secs(10);

/// The maximum duration of a Lambda invocation. It limits the deadline, because some emulators send wrong deadlines.
const MAX_INVOCATION_TIME: Duration = Duration::from_mins(15);

/// Why an action returned no result.
#[derive(Debug, Error)]
pub(crate) enum RunError {
    /// A step failed.
    #[error("{}", summary(.0))]
    Failed(#[from] ProvisionFailure),
    /// The plan or another read failed.
    #[error("{}. Nothing was changed.", .0.with_causes())]
    NoPlan(#[from] ProvisionError),
    /// The invitation signing key cannot be ensured or deleted.
    #[error("{}", causes(.0))]
    NoKey(#[from] KeyError),
    /// A new key cannot be generated.
    #[error("cannot read random bytes from the system: {0}. Nothing was changed.")]
    NoRandomness(#[from] SysError),
    /// The deadline is too close.
    #[error(
        "timed out after {} s; completed steps are kept; retry to continue, with a longer function timeout if needed",
        .0.as_secs()
    )]
    OutOfTime(Duration),
    /// The action panicked.
    #[error("internal error in the bootstrap; completed steps are kept; retry to continue")]
    Panicked,
}

/// The job to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    /// `apply` by name.
    Apply,
    /// `apply` after a change of the name.
    ApplyRenamed(Rename),
    /// `verify`.
    Verify,
    /// `destroy` by name.
    Destroy,
    /// `destroy` of only the user pool with this id.
    DestroyOnly(String),
}

/// The context of an action.
pub(crate) struct Bootstrap {
    pub(crate) platform: Arc<dyn Platform>,
    pub(crate) passable_roles: PassableRoles,
    pub(crate) rights: Rights,
    /// The stack of a custom resource. `None` for a direct invocation.
    pub(crate) deployment: Option<Deployment>,
    /// The permissions boundary for specs without one.
    pub(crate) boundary: Option<String>,
}

impl Bootstrap {
    /// Plans the changes that `apply` would make. `deadline` is the end of the invocation.
    pub(crate) async fn plan(self, spec: Spec, deadline: SystemTime) -> Result<Plan, RunError> {
        let spec = self.with_boundary(spec);
        let work = move |clock| async move { self.provisioner(clock).plan(&spec).await };
        Ok(within_deadline(work, deadline).await??)
    }

    /// Returns the groups that neither exist nor are created with the pool. `deadline` is the end of the invocation.
    pub(crate) async fn unknown_groups(
        self,
        spec: Spec,
        groups: BTreeSet<String>,
        deadline: SystemTime,
    ) -> Result<BTreeSet<String>, RunError> {
        let work = move |clock| async move {
            self.provisioner(clock).unknown_groups(&spec, groups.iter().map(String::as_str)).await
        };
        Ok(within_deadline(work, deadline).await??)
    }

    /// Lists the members of the non-empty groups. `deadline` is the end of the invocation.
    pub(crate) async fn members(
        self,
        user_pool_id: String,
        groups: Vec<String>,
        deadline: SystemTime,
    ) -> Result<Vec<GroupMembers>, RunError> {
        let work = move |clock| async move { self.provisioner(clock).members(&user_pool_id, &groups).await };
        Ok(within_deadline(work, deadline).await??)
    }

    /// Runs one job. `deadline` is the end of the invocation.
    pub(crate) async fn run(self, job: Job, spec: Spec, deadline: SystemTime) -> Result<Receipt, RunError> {
        let spec = self.with_boundary(spec);
        let verifies = job == Job::Verify;
        let work = move |clock| async move {
            let provisioner = self.provisioner(clock);
            match job {
                Job::Apply => provisioner.apply(&spec).await,
                Job::ApplyRenamed(rename) => provisioner.apply_renamed(&spec, &rename).await,
                Job::Verify => provisioner.verify(&spec).await,
                Job::Destroy => provisioner.destroy(&spec).await,
                Job::DestroyOnly(user_pool_id) => provisioner.destroy_only(&spec, &user_pool_id).await,
            }
        };
        let result = within_deadline(work, deadline).await;
        if verifies {
            metrics::verification(if matches!(result, Ok(Ok(_))) { "success" } else { "failure" });
        }
        Ok(result??)
    }

    fn with_boundary(&self, spec: Spec) -> Spec {
        let permissions_boundary = spec.permissions_boundary.clone().or_else(|| self.boundary.clone());
        Spec { permissions_boundary, ..spec }
    }

    fn provisioner(&self, clock: Arc<dyn Clock>) -> Provisioner<'_> {
        let (rights, passable_roles, deployment) = (self.rights, self.passable_roles.clone(), self.deployment.clone());
        Provisioner { rights, passable_roles, deployment, ..Provisioner::new(&*self.platform, clock, &Log) }
    }
}

/// Aborts the work before the invocation ends. The clock of the work ends earlier, which leaves time for the clean-up.
pub(crate) async fn within_deadline<T, Work>(
    work: impl FnOnce(Arc<dyn Clock>) -> Work,
    deadline: SystemTime,
) -> Result<T, RunError>
where
    T: Send + 'static,
    Work: Future<Output = T> + Send + 'static,
{
    let left = time_left(deadline);
    let allowed = left.saturating_sub(REPLY_TIME);
    if allowed.is_zero() {
        return Err(RunError::OutOfTime(allowed));
    }
    let clock = SystemClock::starting_now(left.saturating_sub(CLEAN_UP_TIME));
    // Run the work in a separate task, so that a panic becomes a reply and does not end the function.
    let mut task = tokio::spawn(work(Arc::new(clock)).in_current_span());
    match tokio::time::timeout(allowed, &mut task).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(_)) => Err(RunError::Panicked),
        Err(_) => {
            task.abort();
            Err(RunError::OutOfTime(allowed))
        }
    }
}

fn time_left(deadline: SystemTime) -> Duration {
    deadline.duration_since(SystemTime::now()).unwrap_or_default().min(MAX_INVOCATION_TIME)
}

/// The error and the completed steps.
fn summary(failure: &ProvisionFailure) -> String {
    let steps = step_summary(&failure.receipt);
    if steps.is_empty() {
        format!("{failure}. Nothing was changed.")
    } else {
        format!("{failure}. Steps: {steps}. Retry to continue.")
    }
}

/// The steps of a receipt with their outcomes in one line, with the details of retained and unproved steps.
pub(crate) fn step_summary(receipt: &Receipt) -> String {
    let summary = |report: &StepReport| match &report.detail {
        Some(detail) if matches!(report.outcome, Outcome::Retained | Outcome::NotProved) => {
            format!("{} {} ({detail})", report.step, report.outcome)
        }
        _ => format!("{} {}", report.step, report.outcome),
    };
    receipt.steps.iter().map(summary).collect::<Vec<_>>().join(", ")
}

/// Logs each step and each retry.
pub(crate) struct Log;

impl Listener for Log {
    fn waiting(&self, waiting: &Waiting) {
        let Waiting { attempts, wait, because } = waiting;
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(attempts, wait_ms, because, "retrying a call");
        metrics::retry();
    }
}

impl Observer for Log {
    fn waiting(&self, waiting: &Waiting) {
        Listener::waiting(self, waiting);
    }

    fn step_ended(&self, report: &StepReport) {
        let StepReport { step, outcome, attempts, elapsed_ms, detail } = report;
        match (step, outcome) {
            (Step::Credentials, Outcome::Succeeded) => metrics::propagation_wait(*elapsed_ms),
            // The only reason is the quota of mails.
            (Step::SignUp, Outcome::NotProved) => metrics::mail_quota_exceeded(),
            _ => {}
        }
        if *outcome == Outcome::NotProved {
            tracing::warn!(%step, %outcome, attempts, elapsed_ms, detail, "step ended");
        } else {
            tracing::info!(%step, %outcome, attempts, elapsed_ms, detail, "step ended");
        }
    }
}
