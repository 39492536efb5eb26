//! Handles invocations: one step of a job each.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use domain::backup::{Backup, BackupError, PoolSource};
use domain::jobs::{
    ExportJob, ExportState, ExportStep, Exporter, Files, Job, JobError, JobId, ensure_not_stopped, keys,
};
use domain::provision::{Observer, ProvisionError, StepReport};
use domain::retry::{Classified as _, Clock, ErrorClass, Waiting};
use domain::transfer::{Pace, PacedPool, Rates};
use domain::user_pool::UserPool;
use domain::user_pool::quota::RequestQuotas;
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::{Value, json};
use startup::{causes, metrics};
use thiserror::Error;

use crate::archive::archive;
use crate::settings::Settings;

/// How long before Lambda's timeout an export ends. It then writes the last file.
const MARGIN: Duration = Duration::from_mins(1);

/// The name of the file with the archive.
const ARCHIVE: &str = "backup.tar";

/// How long calls to the user pool are repeated while it is unavailable. Then the state machine repeats the step.
const PATIENCE: Duration = Duration::from_mins(1);

/// The worker with its adapters.
pub struct Handler {
    /// The bucket.
    pub files: Arc<dyn Files>,
    /// The user pool. Its calls are sent once.
    pub pool: Arc<dyn UserPool>,
    /// The quotas of the account.
    pub quotas: Arc<dyn RequestQuotas>,
    /// The settings of the pool.
    pub source: Arc<dyn PoolSource>,
    /// The settings of the function.
    pub settings: Settings,
    /// Where archives are written before they are uploaded.
    pub folder: PathBuf,
}

/// Why a step failed. The state machine decides by its name whether it repeats the step.
#[derive(Debug, Error)]
pub enum StepError {
    /// The export failed.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The settings of the pool cannot be read, or the archive cannot be written.
    #[error("the backup failed")]
    Settings(#[source] BackupError),
    /// The state machine sent an event that is no step.
    #[error("the event is not a step of an export or backup")]
    UnreadableEvent,
}

impl StepError {
    fn name(&self) -> &'static str {
        match self {
            Self::Job(error) => error.name(),
            Self::Settings(error) => match error {
                BackupError::Settings(ProvisionError::Call(gave_up)) => match gave_up.last.class() {
                    ErrorClass::Forbidden => "Forbidden",
                    _ => "Unavailable",
                },
                BackupError::Stopped(_) => "Unavailable",
                // The pool does not exist, has no valid settings, or Lambda's disk is full.
                BackupError::NoUserPool(_) | BackupError::Settings(_) | BackupError::File(_) => "BackupFailed",
            },
            Self::UnreadableEvent => "UnreadableEvent",
        }
    }
}

impl From<BackupError> for StepError {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Stopped(stop) => Self::Job(stop.into()),
            error => Self::Settings(error),
        }
    }
}

impl From<StepError> for Diagnostic {
    /// The text is stored in the execution. It contains no values of users.
    fn from(error: StepError) -> Self {
        Self { error_type: error.name().to_owned(), error_message: error.to_string() }
    }
}

impl Handler {
    /// Runs a step. `clock` ends before Lambda's timeout.
    ///
    /// # Errors
    /// Returns an error if the step is incomplete. It is safe to repeat.
    pub async fn handle(&self, event: Value, clock: Arc<dyn Clock>) -> Result<Value, StepError> {
        // The error of serde would quote the event.
        let step: ExportStep = serde_json::from_value(event).map_err(|_| StepError::UnreadableEvent)?;
        let exporter = Exporter {
            files: &*self.files,
            pool: &*self.pool,
            quotas: &*self.quotas,
            clock: Arc::clone(&clock),
            quota_share: self.quota_share(),
        };
        match step {
            ExportStep::Export { job, attempt } => {
                let (id, ExportJob { mfa, .. }) = export_of(&job, &attempt)?;
                let state = exporter.export(&id, &attempt, *mfa).await?;
                tracing::info!(job = %id, rows = state.rows, "users exported");
            }
            ExportStep::Complete { job, attempt } => {
                let (id, ExportJob { mfa, .. }) = export_of(&job, &attempt)?;
                let (state, is_backup) = (exporter.state(&id).await?, matches!(job, Job::Backup(_)));
                let write = async {
                    ensure_not_stopped(&*self.files, &id, &attempt).await?;
                    exporter.ensure_complete(&id, &state).await?;
                    if is_backup {
                        let path = self.archive(&state, *mfa, clock).await?;
                        ensure_not_stopped(&*self.files, &id, &attempt).await?;
                        self.files.create_from(&keys::archive(&id), &path).await.map_err(JobError::from)?;
                    }
                    Ok::<_, StepError>(())
                };
                // After the summary, an invocation of this step may have deleted files, also at the same time.
                if !exporter.is_summarized(&id).await?
                    && let Err(error) = write.await
                    && !exporter.is_summarized(&id).await?
                {
                    return Err(error);
                }
                let summary = exporter.complete(&id, &state, is_backup).await?;
                tracing::info!(job = %id, rows = summary.rows, "job completed");
            }
        }
        Ok(json!({}))
    }

    /// Writes the archive of a backup to a local file, and returns its path.
    async fn archive(&self, state: &ExportState, with_mfa: bool, clock: Arc<dyn Clock>) -> Result<PathBuf, StepError> {
        let pace = Pace::new(Arc::clone(&clock), &Rates::default().share(self.quota_share()));
        let paced = PacedPool { pool: &*self.pool, pace: &pace, clock: &*clock, patience: PATIENCE };
        let backup = Backup { source: &*self.source, paced, clock: Arc::clone(&clock), observer: &Retries };
        let path = self.folder.join(ARCHIVE);
        archive(&*self.files, &backup, &self.settings.user_pool_id, state, with_mfa, &path).await?;
        Ok(path)
    }

    /// The share of the quotas, from 0 to 1.
    fn quota_share(&self) -> f64 {
        f64::from(self.settings.quota_share) / 100.0
    }
}

/// The export with its id, which the name of the execution contains.
fn export_of<'j>(job: &'j Job, attempt: &str) -> Result<(JobId, &'j ExportJob), StepError> {
    let (id, _) = JobId::of_execution(attempt).ok_or(StepError::UnreadableEvent)?;
    match job {
        Job::Export(export) | Job::Backup(export) if id.job_type() == job.job_type() => Ok((id, export)),
        _ => Err(StepError::UnreadableEvent),
    }
}

/// Counts the retries of the calls that read settings.
struct Retries;

impl Observer for Retries {
    fn waiting(&self, _: &Waiting) {
        metrics::retry();
    }

    fn step_ended(&self, _: &StepReport) {}
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
