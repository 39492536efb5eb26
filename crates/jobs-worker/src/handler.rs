//! Handles invocations: one step of a job each.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use domain::jobs::{Files, Job, JobError, Step, Worker};
use domain::retry::Clock;
use domain::user_pool::UserPool;
use domain::user_pool::error::UserPoolError;
use domain::user_pool::quota::{Category, RequestQuotas};
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::{Value, json};
use startup::{causes, metrics};
use thiserror::Error;

use crate::settings::Settings;

/// How long before Lambda's timeout an import ends. A row in progress takes a few seconds.
const MARGIN: Duration = Duration::from_secs(30);

/// The worker with its adapters.
pub struct Handler {
    files: Arc<dyn Files>,
    pool: Arc<dyn UserPool>,
    quotas: Arc<dyn RequestQuotas>,
    workers: NonZeroU16,
    quota_share: f64,
}

/// Why a step failed. The state machine decides by its name whether it repeats the step.
#[derive(Debug, Error)]
pub enum StepError {
    /// The step failed.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The state machine sent an event that is no step.
    #[error("the event is not a step of a job")]
    UnreadableEvent,
}

impl StepError {
    fn name(&self) -> &'static str {
        match self {
            Self::Job(error) => error.name(),
            Self::UnreadableEvent => "UnreadableEvent",
        }
    }
}

impl From<StepError> for Diagnostic {
    /// The text is stored in the execution. It contains no values of rows.
    fn from(error: StepError) -> Self {
        Self { error_type: error.name().to_owned(), error_message: error.to_string() }
    }
}

impl Handler {
    /// Creates a worker.
    #[must_use]
    pub fn new(
        files: Arc<dyn Files>,
        pool: Arc<dyn UserPool>,
        quotas: Arc<dyn RequestQuotas>,
        settings: &Settings,
    ) -> Self {
        let quota_share = f64::from(settings.quota_share) / 100.0;
        Self { files, pool, quotas, workers: settings.workers, quota_share }
    }

    /// Runs a step. `clock` ends before Lambda's timeout.
    ///
    /// # Errors
    /// Returns an error if the step is incomplete. It is safe to repeat.
    pub async fn handle(&self, event: Value, clock: Arc<dyn Clock>) -> Result<Value, StepError> {
        // The error of serde would quote the event.
        let step: Step = serde_json::from_value(event).map_err(|_| StepError::UnreadableEvent)?;
        let worker = Worker {
            files: &*self.files,
            pool: &*self.pool,
            quotas: &LoggedQuotas(&*self.quotas),
            clock,
            workers: self.workers,
            quota_share: self.quota_share,
        };
        Ok(match step {
            Step::Split { job: Job::Import(job) | Job::Restore(job), attempt } => {
                let split = worker.split(&job, &attempt).await?;
                tracing::info!(job = %job.id, rows = split.plan.rows, chunks = split.plan.chunks, "file divided");
                // The input of the next state.
                json!({"job": job, "split": split})
            }
            Step::Split { job: Job::Export(_) | Job::Backup(_), .. } => return Err(StepError::UnreadableEvent),
            Step::Chunk { job, split, chunk } => {
                worker.import(&job, &split, &chunk).await?;
                tracing::info!(job = %job.id, first_line = chunk.first_line, "chunk imported");
                // The answers of all chunks together must stay below 256 KiB.
                json!({})
            }
            Step::Finish { job, split } => {
                let summary = worker.finish(&job, &split).await?;
                tracing::info!(job = %job.id, rows = summary.rows, "job completed");
                json!({})
            }
        })
    }
}

/// Logs that default quotas are used instead of those of the account.
struct LoggedQuotas<'a>(&'a dyn RequestQuotas);

#[async_trait]
impl RequestQuotas for LoggedQuotas<'_> {
    async fn provisioned(&self, category: Category) -> Result<u32, UserPoolError> {
        let quota = self.0.provisioned(category).await;
        if let Err(error) = &quota {
            tracing::warn!(error = causes(error), "quotas of the account not read; default quotas are used");
        }
        quota
    }
}

/// Serves Lambda invocations until Lambda ends the process.
///
/// # Errors
/// Returns an error if the runtime API cannot be reached.
pub async fn serve(handler: &Handler) -> Result<(), lambda_runtime::Error> {
    let service = service_fn(async |event: LambdaEvent<Value>| {
        let clock = Arc::new(aws::SystemClock::starting_now(time_left(event.context.deadline())));
        let answer = handler.handle(event.payload, clock).await;
        if let Err(error) = &answer {
            tracing::warn!(code = error.name(), error = causes(error), "step failed");
            if matches!(error, StepError::UnreadableEvent) {
                metrics::failure();
            }
        }
        answer
    });
    Runtime::new(service).layer(TracingLayer::new()).run().await
}

/// The time of an invocation. An emulator can send a deadline that has passed.
fn time_left(deadline: SystemTime) -> Duration {
    let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
    left.checked_sub(MARGIN).filter(|left| !left.is_zero()).unwrap_or(MARGIN)
}
