//! What a caller can change: upload a file, start, restart and stop a job.

use std::time::Duration;

use time::OffsetDateTime;

use super::error::StoreError;
use super::execution::{Execution, ExecutionStatus, Executions};
use super::files::{Files, keys};
use super::id::JobId;
use super::job::{Job, JobType};
use super::view::{JobView, overview};
use crate::retry::Clock;
use crate::secret::Secret;

/// How long a file can be uploaded. The credentials of a Lambda function, which sign the URL, are valid for longer.
const UPLOAD_VALIDITY: Duration = Duration::from_mins(15);

/// The maximum time until an execution is visible. Step Functions promises none, and usually takes seconds.
const VISIBLE_AFTER: Duration = Duration::from_hours(24);

/// The maximum number of attempts of a job.
const MAX_ATTEMPTS: u32 = 50;

/// Where a file is uploaded.
#[derive(Debug)]
pub struct Upload {
    /// The id of the file and of its job.
    pub id: JobId,
    /// A URL that anyone can upload one file to, with the method `PUT` and the header `If-None-Match: *`.
    pub url: Secret,
    /// When the URL expires.
    pub expires_at: OffsetDateTime,
}

/// The answer to a start.
#[derive(Debug)]
pub enum Start {
    /// The job was started or restarted.
    Started(JobView),
    /// The job runs or succeeded. Nothing was changed.
    Exists(JobView),
    /// The job was started earlier with other options.
    Differs,
    /// The file was not uploaded, or was deleted.
    NoFile,
    /// The job was restarted too often.
    TooManyAttempts,
}

/// Controls the jobs of one stack.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// The bucket.
    pub files: &'a dyn Files,
    /// The state machine.
    pub executions: &'a dyn Executions,
    /// Time and randomness.
    pub clock: &'a dyn Clock,
}

/// An attempt of a job.
pub(super) struct Attempt {
    pub(super) number: u32,
    /// The name of the execution. It can be used once in 90 days.
    pub(super) name: String,
    pub(super) execution: Execution,
}

impl Control<'_> {
    /// Prepares the upload of a file for an import or a restore.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL cannot be signed.
    pub async fn upload(&self, job_type: JobType) -> Result<Upload, StoreError> {
        let id = JobId::new(job_type, self.clock);
        let expires_at = self.clock.wall_time() + UPLOAD_VALIDITY;
        let url = self.files.upload_url(&keys::upload(&id), UPLOAD_VALIDITY).await?;
        Ok(Upload { id, url, expires_at })
    }

    /// Starts a job, or restarts an import or restore that failed or was stopped. Safe to repeat. `id` has the type of the job.
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails. A repeated request continues.
    pub async fn start(&self, id: JobId, job: Job) -> Result<Start, StoreError> {
        match job {
            Job::Import(ref import) | Job::Restore(ref import) => {
                let file = import.file();
                self.start_import(id, job, &file).await
            }
            Job::Export(_) | Job::Backup(_) => self.start_export(id, job).await,
        }
    }

    async fn start_import(&self, id: JobId, job: Job, file: &str) -> Result<Start, StoreError> {
        let (job, number) = match self.latest(&id).await? {
            Some(Attempt { number, name, execution }) => {
                let first: Option<Job> = serde_json::from_str(&execution.input).ok();
                let Some(first) = first.filter(|first| first.is_same(&job)) else { return Ok(Start::Differs) };
                if matches!(execution.status, ExecutionStatus::Running | ExecutionStatus::Succeeded) {
                    return Ok(Start::Exists(overview(id, first, Attempt { number, name, execution })));
                }
                if number == MAX_ATTEMPTS {
                    return Ok(Start::TooManyAttempts);
                }
                // The job keeps its first time, which its rows are compared with.
                (first, number + 1)
            }
            None if self.is_forgotten(&keys::plan(&id)).await? => return Ok(Start::Differs),
            None => (job, 1),
        };
        // Listed instead of read, so that the caller needs no permission to read uploaded files.
        if !self.files.list(file, None, 1).await?.entries.iter().any(|key| key == file) {
            return Ok(Start::NoFile);
        }
        self.execute(id, job, number).await
    }

    async fn start_export(&self, id: JobId, job: Job) -> Result<Start, StoreError> {
        let file = if id.job_type() == JobType::Backup { keys::archive(&id) } else { keys::export(&id) };
        let is_new = self.attempt(1, id.execution(1)).await?.is_none();
        if is_new && self.is_forgotten(&file).await? {
            return Ok(Start::Differs);
        }
        self.execute(id, job, 1).await
    }

    /// Whether a file belongs to a job without an execution. The name of an execution can be used again after 90 days,
    /// and then files can still exist. The execution of a new file exists, but is perhaps not visible yet.
    async fn is_forgotten(&self, file: &str) -> Result<bool, StoreError> {
        let file = self.files.version(file).await?;
        Ok(file.is_some_and(|file| self.clock.wall_time() - file.modified_at > VISIBLE_AFTER))
    }

    async fn execute(&self, id: JobId, job: Job, number: u32) -> Result<Start, StoreError> {
        let name = id.execution(number);
        let input = serde_json::to_string(&job).unwrap_or_default();
        if self.executions.start(&name, &input).await? {
            let started_at = self.clock.wall_time();
            let status = ExecutionStatus::Running;
            let execution = Execution { status, input, started_at, ended_at: None, error: None };
            return Ok(Start::Started(overview(id, job, Attempt { number, name, execution })));
        }
        // Another request started this attempt at the same time, or `find` did not return it yet, because executions
        // are eventually consistent.
        let execution = self.executions.find(&name).await?.ok_or_else(|| StoreError::Unavailable {
            operation: "DescribeExecution",
            source: "the execution is not visible yet".into(),
        })?;
        let first = serde_json::from_str(&execution.input).ok().filter(|first: &Job| first.is_same(&job));
        let Some(first) = first else { return Ok(Start::Differs) };
        Ok(Start::Exists(overview(id, first, Attempt { number, name, execution })))
    }

    /// Stops a job. Rows in progress end, and later rows have no result. Does nothing if the job ended. Returns `None`
    /// if it does not exist.
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails. The request is safe to repeat.
    pub async fn stop(&self, id: &JobId) -> Result<Option<()>, StoreError> {
        let Some(Attempt { number, name: current, execution }) = self.latest(id).await? else { return Ok(None) };
        let next = id.execution(number + 1);
        let stopped = match execution.status {
            ExecutionStatus::Running => self.executions.stop(&current).await?.then_some(current),
            ExecutionStatus::Succeeded => None,
            // `find` does not return the execution of a restart immediately.
            ExecutionStatus::Failed => self.executions.stop(&next).await?.then_some(next),
            // An earlier request can have failed before it wrote the file.
            ExecutionStatus::Aborted => Some(if self.executions.stop(&next).await? { next } else { current }),
        };
        if let Some(attempt) = stopped {
            // For workers, which the end of the execution does not interrupt. Later, because a worker that sees it fails.
            self.files.create(&keys::stopped(id, &attempt), Vec::new()).await?;
        }
        Ok(Some(()))
    }

    /// The latest attempt of a job.
    pub(super) async fn latest(&self, id: &JobId) -> Result<Option<Attempt>, StoreError> {
        let mut latest = None;
        for number in 1..=MAX_ATTEMPTS {
            match self.attempt(number, id.execution(number)).await? {
                Some(attempt) => latest = Some(attempt),
                None => break,
            }
        }
        match id.scheduled_execution() {
            Some(name) if latest.is_none() => self.attempt(1, name).await,
            _ => Ok(latest),
        }
    }

    pub(super) async fn attempt(&self, number: u32, name: String) -> Result<Option<Attempt>, StoreError> {
        let execution = self.executions.find(&name).await?;
        Ok(execution.map(|execution| Attempt { number, name, execution }))
    }
}
