//! Runs an action within the time that the invocation has, and survives whatever happens in it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cognito_aws::SystemClock;
use domain::platform::Platform;
use domain::provision::{Action, Observer, ProvisionFailure, Provisioner, Receipt, Renaming, StepReport};
use domain::spec::Spec;
use thiserror::Error;

/// Kept back for deleting the throw-away user: waiting must end so long before the invocation does.
const FOR_CLEANING_UP: Duration = Duration::from_secs(30);

/// Kept back for the answer: the work is cut off so long before the invocation ends.
const FOR_THE_ANSWER: Duration = Duration::from_secs(6);

/// The longest that a Lambda invocation can last. Some local stand-ins announce bogus deadlines.
const LONGEST: Duration = Duration::from_mins(15);

/// Why there is no receipt.
#[derive(Debug, Error)]
pub(crate) enum RunError {
    /// A step failed.
    #[error("{}", summary(.0))]
    Failed(#[from] ProvisionFailure),
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
    /// An action on whatever carries the spec's name.
    Action(Action),
    /// `apply`, after the spec's name was changed.
    ApplyRenamed(Renaming),
    /// `destroy`, of the user pool with this id and no other.
    DestroyOnly(String),
}

/// Runs one job. `deadline` is when the invocation ends.
pub(crate) async fn run(
    platform: &Arc<dyn Platform>,
    job: Job,
    spec: Spec,
    deadline: SystemTime,
) -> Result<Receipt, RunError> {
    let left = time_left(deadline);
    let allowed = left.saturating_sub(FOR_THE_ANSWER);
    if allowed.is_zero() {
        return Err(RunError::OutOfTime(allowed));
    }
    let platform = Arc::clone(platform);
    // A task of its own, so that a panic in it is an answer and not the end of the function.
    let mut task = tokio::spawn(async move {
        let clock = SystemClock::starting_now(left.saturating_sub(FOR_CLEANING_UP));
        let provisioner = Provisioner { platform: &*platform, clock: &clock, observer: &Log };
        match job {
            Job::Action(action) => provisioner.run(action, &spec).await,
            Job::ApplyRenamed(renaming) => provisioner.apply_renamed(&spec, &renaming).await,
            Job::DestroyOnly(user_pool_id) => provisioner.destroy_only(&spec, &user_pool_id).await,
        }
    });
    match tokio::time::timeout(allowed, &mut task).await {
        Ok(Ok(result)) => Ok(result?),
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

/// The steps of a receipt with their outcomes, in one line.
pub(crate) fn in_words(receipt: &Receipt) -> String {
    let steps = receipt.steps.iter().map(|report| format!("{} {}", report.step, report.outcome));
    steps.collect::<Vec<_>>().join(", ")
}

/// Writes each step into the log.
struct Log;

impl Observer for Log {
    fn step_ended(&self, report: &StepReport) {
        let StepReport { step, outcome, attempts, elapsed_ms, detail } = report;
        tracing::info!(%step, %outcome, attempts, elapsed_ms, detail, "step ended");
    }
}
