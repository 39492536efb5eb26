//! Runs an action within the time that the invocation has, and survives whatever happens in it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws::SystemClock;
use domain::error_chain::causes;
use domain::invitation::KeyError;
use domain::passable_roles::PassableRoles;
use domain::platform::Platform;
use domain::provision::{
    Deployment, GroupMembers, Observer, Outcome, Plan, ProvisionError, ProvisionFailure, Provisioner, Receipt,
    Renaming, StepReport,
};
use domain::retry::{Clock, Listener, Rights, Waiting};
use domain::spec::Spec;
use rand::rngs::SysError;
use thiserror::Error;

/// Reserved for deleting the throw-away user: waiting must end so long before the invocation does. That is what the domain asks for, the
/// last call under way (8 s at the most), and the answer.
const FOR_CLEANING_UP: Duration = Duration::from_secs(45);

/// Reserved for the answer: the work is cut off so long before the invocation ends. With this the last of the attempts to deliver
/// a reply, at 1.6 s each, is over five seconds before the end.
const FOR_THE_ANSWER: Duration = Duration::from_secs(10);

/// The longest that a Lambda invocation can last. Some local stand-ins announce bogus deadlines.
const LONGEST: Duration = Duration::from_mins(15);

/// Why there is no receipt.
#[derive(Debug, Error)]
pub(crate) enum RunError {
    /// A step failed.
    #[error("{}", summary(.0))]
    Failed(#[from] ProvisionFailure),
    /// There is no plan.
    #[error("{}. Nothing was touched.", .0.with_causes())]
    NoPlan(#[from] ProvisionError),
    /// The invitation key cannot be used, or cannot be deleted.
    #[error("{}", causes(.0))]
    NoKey(#[from] KeyError),
    /// Without it there is no new key.
    #[error("the system has no randomness: {0}. Nothing was touched.")]
    NoRandomness(#[from] SysError),
    /// The invocation is about to end.
    #[error("ran out of time after {} s; what was done stands, run it again to go on (a longer function timeout helps)", .0.as_secs())]
    OutOfTime(Duration),
    /// A fault of ours.
    #[error("the bootstrap itself failed; what was done stands, run it again to go on")]
    Panicked,
}

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    /// `apply` of whatever carries the spec's name.
    Apply,
    /// `apply`, after the spec's name was changed.
    ApplyRenamed(Renaming),
    /// `verify`.
    Verify,
    /// `destroy` of whatever carries the spec's name.
    Destroy,
    /// `destroy`, of the user pool with this id and no other.
    DestroyOnly(String),
}

/// What runs an action: AWS, and the rights of the function's role.
pub(crate) struct Bootstrap {
    pub(crate) platform: Arc<dyn Platform>,
    pub(crate) passable_roles: PassableRoles,
    pub(crate) rights: Rights,
    /// The stack of a custom resource.
    pub(crate) deployment: Option<Deployment>,
    /// The permissions boundary of specs that name none.
    pub(crate) boundary: Option<String>,
}

impl Bootstrap {
    /// Says what `apply` would do. `deadline` is when the invocation ends.
    pub(crate) async fn plan(self, spec: Spec, deadline: SystemTime) -> Result<Plan, RunError> {
        let spec = self.bounded(spec);
        let work = move |clock| async move { self.provisioner(clock).plan(&spec).await };
        Ok(in_time(work, deadline).await??)
    }

    /// Those of the groups that neither exist nor are created with the pool. `deadline` is when the invocation ends.
    pub(crate) async fn unknown_groups(
        self,
        spec: Spec,
        groups: BTreeSet<String>,
        deadline: SystemTime,
    ) -> Result<BTreeSet<String>, RunError> {
        let work = move |clock| async move {
            self.provisioner(clock).unknown_groups(&spec, groups.iter().map(String::as_str)).await
        };
        Ok(in_time(work, deadline).await??)
    }

    /// The members of those of the groups that have any. `deadline` is when the invocation ends.
    pub(crate) async fn members(
        self,
        user_pool_id: String,
        groups: Vec<String>,
        deadline: SystemTime,
    ) -> Result<Vec<GroupMembers>, RunError> {
        let work = move |clock| async move { self.provisioner(clock).members(&user_pool_id, &groups).await };
        Ok(in_time(work, deadline).await??)
    }

    /// Runs one job. `deadline` is when the invocation ends.
    pub(crate) async fn run(self, job: Job, spec: Spec, deadline: SystemTime) -> Result<Receipt, RunError> {
        let spec = self.bounded(spec);
        let work = move |clock| async move {
            let provisioner = self.provisioner(clock);
            match job {
                Job::Apply => provisioner.apply(&spec).await,
                Job::ApplyRenamed(renaming) => provisioner.apply_renamed(&spec, &renaming).await,
                Job::Verify => provisioner.verify(&spec).await,
                Job::Destroy => provisioner.destroy(&spec).await,
                Job::DestroyOnly(user_pool_id) => provisioner.destroy_only(&spec, &user_pool_id).await,
            }
        };
        Ok(in_time(work, deadline).await??)
    }

    fn bounded(&self, spec: Spec) -> Spec {
        let permissions_boundary = spec.permissions_boundary.clone().or_else(|| self.boundary.clone());
        Spec { permissions_boundary, ..spec }
    }

    fn provisioner(&self, clock: Arc<dyn Clock>) -> Provisioner<'_> {
        let (rights, passable_roles, deployment) = (self.rights, self.passable_roles.clone(), self.deployment.clone());
        Provisioner { rights, passable_roles, deployment, ..Provisioner::new(&*self.platform, clock, &Log) }
    }
}

/// Cuts the work off before the invocation ends. It gets a clock that ends earlier still, with enough time to clean up.
pub(crate) async fn in_time<T, Work>(
    work: impl FnOnce(Arc<dyn Clock>) -> Work,
    deadline: SystemTime,
) -> Result<T, RunError>
where
    T: Send + 'static,
    Work: Future<Output = T> + Send + 'static,
{
    let left = time_left(deadline);
    let allowed = left.saturating_sub(FOR_THE_ANSWER);
    if allowed.is_zero() {
        return Err(RunError::OutOfTime(allowed));
    }
    let clock = SystemClock::starting_now(left.saturating_sub(FOR_CLEANING_UP));
    // A task of its own, so that a panic in it is an answer and not the end of the function.
    let mut task = tokio::spawn(work(Arc::new(clock)));
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
    deadline.duration_since(SystemTime::now()).unwrap_or_default().min(LONGEST)
}

/// What failed, and what stands.
fn summary(failure: &ProvisionFailure) -> String {
    let steps = in_words(&failure.receipt);
    if steps.is_empty() {
        format!("{failure}. Nothing was touched.")
    } else {
        format!("{failure}. Steps: {steps}. Run it again to go on.")
    }
}

/// The steps of a receipt with their outcomes, in one line; with the reason for what stays and for what is not proved.
pub(crate) fn in_words(receipt: &Receipt) -> String {
    let words = |report: &StepReport| match &report.detail {
        Some(detail) if matches!(report.outcome, Outcome::Retained | Outcome::NotProved) => {
            format!("{} {} ({detail})", report.step, report.outcome)
        }
        _ => format!("{} {}", report.step, report.outcome),
    };
    receipt.steps.iter().map(words).collect::<Vec<_>>().join(", ")
}

/// Writes each step into the log, and each call that is made again.
pub(crate) struct Log;

impl Listener for Log {
    fn waiting(&self, waiting: &Waiting) {
        let Waiting { attempts, wait, because } = waiting;
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(attempts, wait_ms, because, "a call is made again");
    }
}

impl Observer for Log {
    fn waiting(&self, waiting: &Waiting) {
        Listener::waiting(self, waiting);
    }

    fn step_ended(&self, report: &StepReport) {
        let StepReport { step, outcome, attempts, elapsed_ms, detail } = report;
        if *outcome == Outcome::NotProved {
            tracing::warn!(%step, %outcome, attempts, elapsed_ms, detail, "step ended");
        } else {
            tracing::info!(%step, %outcome, attempts, elapsed_ms, detail, "step ended");
        }
    }
}
