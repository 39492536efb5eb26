//! What a caller can do with jobs: upload a file, start, restart, stop and read.

use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _};
use time::OffsetDateTime;

use super::chunk::Plan;
use super::error::StoreError;
use super::files::{Files, KEYS_PER_PAGE, keys};
use super::id::JobId;
use super::job::{ImportJob, JobStatus};
use crate::retry::Clock;
use crate::secret::Secret;
use crate::user_pool::page::{Page, PageRequest};

/// How long a file can be uploaded. The credentials of a Lambda function, which sign the URL, are valid for longer.
const UPLOAD_VALIDITY: Duration = Duration::from_mins(15);

/// How long results can be downloaded.
const DOWNLOAD_VALIDITY: Duration = Duration::from_mins(5);

/// The maximum number of attempts of a job.
const MAX_ATTEMPTS: u32 = 50;

/// How many jobs of a list are read at the same time.
const CONCURRENT_READS: usize = 8;

/// The state machine of jobs. Each call is safe to repeat.
#[async_trait]
pub trait Executions: Send + Sync {
    /// Starts an execution. Returns true if the execution was started, or runs with the same input; false if the name
    /// is used otherwise.
    async fn start(&self, name: &str, input: &str) -> Result<bool, StoreError>;

    /// The execution with this name; `None` if it does not exist.
    async fn find(&self, name: &str) -> Result<Option<Execution>, StoreError>;

    /// Lists the names of executions: running ones by start, then ended ones by end, the latest first.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::ExpiredPosition`] for a position that is older than a day.
    async fn list(&self, page: &PageRequest) -> Result<Page<String>, StoreError>;

    /// Stops an execution. Returns false if it does not exist. The answer for one that ended can be either.
    async fn stop(&self, name: &str) -> Result<bool, StoreError>;
}

/// One attempt of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// The state.
    pub status: ExecutionStatus,
    /// The job, as JSON.
    pub input: String,
    /// When the attempt started.
    pub started_at: OffsetDateTime,
    /// When the attempt ended.
    pub ended_at: Option<OffsetDateTime>,
    /// The name of the error of a failed attempt.
    pub error: Option<String>,
}

/// The state of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionStatus {
    /// The attempt runs.
    Running,
    /// The attempt ended successfully.
    Succeeded,
    /// The attempt failed, or took longer than a year.
    Failed,
    /// The attempt was stopped.
    Aborted,
}

/// How much of a file is imported, by all attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The rows of the file.
    pub rows: u64,
    /// The chunks of the file.
    pub chunks: u64,
    /// The chunks with results.
    pub done: u64,
}

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

/// A job with its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobView {
    /// The job.
    pub job: ImportJob,
    /// The state of the latest attempt.
    pub status: JobStatus,
    /// The number of attempts.
    pub attempts: u32,
    /// When the latest attempt started.
    pub started_at: OffsetDateTime,
    /// When the latest attempt ended.
    pub ended_at: Option<OffsetDateTime>,
    /// Why the latest attempt failed, such as `InvalidFile` or `MailQuota`.
    pub error: Option<String>,
    /// The progress; `None` before the file is divided. Only [`Control::find`] reads it.
    pub progress: Option<Progress>,
    /// The summary of a completed job, as JSON. Only [`Control::find`] reads it.
    pub summary: Option<serde_json::Value>,
}

/// A page of jobs.
pub type JobPage = Page<JobView>;

/// Results of a part of the file.
#[derive(Debug)]
pub struct ResultFile {
    /// The number of the first line.
    pub first_line: u64,
    /// A URL from which anyone can read the results.
    pub url: Secret,
}

/// A page of results.
#[derive(Debug)]
pub struct ResultPage {
    /// The files, in the order of the uploaded file.
    pub files: Page<ResultFile>,
    /// When the URLs expire.
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

/// The name of an attempt. An execution's name can be used once in 90 days.
fn name(id: &JobId, attempt: u32) -> String {
    if attempt == 1 { id.to_string() } else { format!("{id}-{attempt}") }
}

/// The job and the attempt of an execution; `None` for an execution with another name.
fn attempt_of(name: &str) -> Option<(JobId, u32)> {
    let (id, suffix) = name.split_at_checked(JobId::LENGTH)?;
    let attempt = if suffix.is_empty() { 1 } else { suffix.strip_prefix('-')?.parse().ok()? };
    Some((id.parse().ok()?, attempt))
}

impl Control<'_> {
    /// Prepares the upload of a file for an import.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL cannot be signed.
    pub async fn upload(&self) -> Result<Upload, StoreError> {
        let id = JobId::new(self.clock);
        let expires_at = self.clock.wall_time() + UPLOAD_VALIDITY;
        let url = self.files.upload_url(&keys::upload(&id), UPLOAD_VALIDITY).await?;
        Ok(Upload { id, url, expires_at })
    }

    /// Starts a job, or restarts one that failed or was stopped. Safe to repeat.
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails. A repeated request continues.
    pub async fn start(&self, job: ImportJob) -> Result<Start, StoreError> {
        let attempt = match self.latest(&job.id).await? {
            Some((attempt, execution)) => {
                let first: Option<ImportJob> = serde_json::from_str(&execution.input).ok();
                let Some(first) = first.filter(|first| is_same(first, &job)) else { return Ok(Start::Differs) };
                if matches!(execution.status, ExecutionStatus::Running | ExecutionStatus::Succeeded) {
                    return Ok(Start::Exists(overview(first, attempt, execution)));
                }
                if attempt == MAX_ATTEMPTS {
                    return Ok(Start::TooManyAttempts);
                }
                // The job keeps its first time, which its rows are compared with.
                return self.start_attempt(first, attempt + 1).await;
            }
            None => 1,
        };
        self.start_attempt(job, attempt).await
    }

    async fn start_attempt(&self, job: ImportJob, attempt: u32) -> Result<Start, StoreError> {
        // Listed instead of read, so that the caller needs no permission to read uploaded files.
        let key = keys::upload(&job.id);
        if !self.files.list(&key, None, 1).await?.entries.contains(&key) {
            return Ok(Start::NoFile);
        }
        let name = name(&job.id, attempt);
        let input = serde_json::to_string(&job).unwrap_or_default();
        if self.executions.start(&name, &input).await? {
            let started_at = self.clock.wall_time();
            let status = ExecutionStatus::Running;
            let execution = Execution { status, input, started_at, ended_at: None, error: None };
            return Ok(Start::Started(overview(job, attempt, execution)));
        }
        // Another request started this attempt at the same time, or `find` did not return it yet, because executions
        // are eventually consistent.
        let other = self.executions.find(&name).await?.ok_or_else(|| StoreError::Unavailable {
            operation: "DescribeExecution",
            source: "the execution is not visible yet".into(),
        })?;
        Ok(match serde_json::from_str(&other.input) {
            Ok(first) if is_same(&first, &job) => Start::Exists(overview(first, attempt, other)),
            _ => Start::Differs,
        })
    }

    /// The latest attempt of a job.
    async fn latest(&self, id: &JobId) -> Result<Option<(u32, Execution)>, StoreError> {
        let mut latest = None;
        for attempt in 1..=MAX_ATTEMPTS {
            match self.executions.find(&name(id, attempt)).await? {
                Some(execution) => latest = Some((attempt, execution)),
                None => break,
            }
        }
        Ok(latest)
    }

    /// Adds why an attempt failed.
    async fn explained(&self, id: &JobId, attempt: u32, mut execution: Execution) -> Result<Execution, StoreError> {
        if execution.status != ExecutionStatus::Failed {
            return Ok(execution);
        }
        let name = name(id, attempt);
        if self.files.version(&keys::stopped(id, &name)).await?.is_some() {
            // A worker saw the request before the execution ended.
            execution.status = ExecutionStatus::Aborted;
        } else if execution.error.as_deref().is_some_and(|name| name.starts_with("States."))
            && let Some(error) = self.files.read(&keys::error(id, &name)).await?
        {
            execution.error = String::from_utf8(error).ok();
        }
        Ok(execution)
    }

    /// A job; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails.
    pub async fn find(&self, id: &JobId) -> Result<Option<JobView>, StoreError> {
        let Some((attempt, execution)) = self.latest(id).await? else { return Ok(None) };
        let execution = self.explained(id, attempt, execution).await?;
        let Ok(job) = serde_json::from_str(&execution.input) else { return Ok(None) };
        let view = overview(job, attempt, execution);
        let progress = self.progress(id, view.status).await?;
        let summary = match view.status {
            JobStatus::Succeeded => self.files.read(&keys::summary(id)).await?,
            _ => None,
        };
        let summary = summary.and_then(|summary| serde_json::from_slice(&summary).ok());
        Ok(Some(JobView { progress, summary, ..view }))
    }

    async fn progress(&self, id: &JobId, status: JobStatus) -> Result<Option<Progress>, StoreError> {
        let plan = self.files.read(&keys::plan(id)).await?;
        let Some(Plan { rows, chunks, .. }) = plan.and_then(|plan| serde_json::from_slice(&plan).ok()) else {
            return Ok(None);
        };
        if status == JobStatus::Succeeded {
            return Ok(Some(Progress { rows, chunks, done: chunks }));
        }
        let (mut done, mut after) = (0, None);
        loop {
            let page = self.files.list(&keys::results(id), after, KEYS_PER_PAGE).await?;
            done += page.entries.len() as u64;
            after = page.next;
            if after.is_none() {
                return Ok(Some(Progress { rows, chunks, done }));
            }
        }
    }

    /// Whether a job was started.
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn exists(&self, id: &JobId) -> Result<bool, StoreError> {
        Ok(self.executions.find(&name(id, 1)).await?.is_some())
    }

    /// Lists jobs: running ones by start, then ended ones by end, the latest first. Earlier attempts are left out, so a
    /// page can contain fewer jobs than the limit.
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails.
    pub async fn list(&self, page: &PageRequest) -> Result<JobPage, StoreError> {
        let Page { entries, next } = self.executions.list(page).await?;
        let attempts = entries.iter().filter_map(|name| attempt_of(name));
        let views: Vec<_> = attempts.map(|(id, attempt)| self.overview(id, attempt)).collect();
        let views: Vec<_> = futures::stream::iter(views).buffered(CONCURRENT_READS).try_collect().await?;
        Ok(Page { entries: views.into_iter().flatten().collect(), next })
    }

    /// A job by its attempt; `None` for an earlier attempt.
    async fn overview(&self, id: JobId, attempt: u32) -> Result<Option<JobView>, StoreError> {
        let Some(execution) = self.executions.find(&name(&id, attempt)).await? else { return Ok(None) };
        let can_restart = matches!(execution.status, ExecutionStatus::Failed | ExecutionStatus::Aborted);
        if can_restart && self.executions.find(&name(&id, attempt + 1)).await?.is_some() {
            return Ok(None);
        }
        let execution = self.explained(&id, attempt, execution).await?;
        Ok(serde_json::from_str(&execution.input).ok().map(|job| overview(job, attempt, execution)))
    }

    /// Stops a job. Rows in progress end, and later rows have no result. Does nothing if the job ended. Returns `None`
    /// if it does not exist.
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails. The request is safe to repeat.
    pub async fn stop(&self, id: &JobId) -> Result<Option<()>, StoreError> {
        let Some((attempt, execution)) = self.latest(id).await? else { return Ok(None) };
        let (current, next) = (name(id, attempt), name(id, attempt + 1));
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

    /// The results of a job so far, in files of JSON Lines.
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails.
    pub async fn results(&self, id: &JobId, page: PageRequest) -> Result<ResultPage, StoreError> {
        let prefix = keys::results(id);
        let Page { entries, next } = self.files.list(&prefix, page.after, page.limit.into()).await?;
        let expires_at = self.clock.wall_time() + DOWNLOAD_VALIDITY;
        let mut files = Vec::new();
        for key in entries {
            let line = key.strip_prefix(&prefix).and_then(|name| name.strip_suffix(".jsonl"));
            let Some(first_line) = line.and_then(|line| line.parse().ok()) else { continue };
            files.push(ResultFile { first_line, url: self.files.download_url(&key, DOWNLOAD_VALIDITY).await? });
        }
        Ok(ResultPage { files: Page { entries: files, next }, expires_at })
    }
}

/// A job without its progress and summary, which require further calls.
fn overview(job: ImportJob, attempts: u32, execution: Execution) -> JobView {
    let Execution { status, started_at, ended_at, error, .. } = execution;
    let status = match status {
        ExecutionStatus::Running => JobStatus::Running,
        ExecutionStatus::Succeeded => JobStatus::Succeeded,
        ExecutionStatus::Failed => JobStatus::Failed,
        ExecutionStatus::Aborted => JobStatus::Stopped,
    };
    let error = error.filter(|_| status == JobStatus::Failed);
    JobView { job, status, attempts, started_at, ended_at, error, progress: None, summary: None }
}

/// Whether a repeated request is about the same job.
fn is_same(first: &ImportJob, repeated: &ImportJob) -> bool {
    (&first.id, first.format, first.options) == (&repeated.id, repeated.format, repeated.options)
}
