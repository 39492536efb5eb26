//! What a caller can do with jobs: upload a file, start, restart, stop and read.

use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _};
use time::OffsetDateTime;

use super::chunk::Plan;
use super::error::StoreError;
use super::exporter::ExportState;
use super::files::{Files, KEYS_PER_PAGE, keys};
use super::id::JobId;
use super::job::{Job, JobStatus, JobType};
use crate::retry::Clock;
use crate::secret::Secret;
use crate::user_pool::page::{Page, PageRequest};

/// How long a file can be uploaded. The credentials of a Lambda function, which sign the URL, are valid for longer.
const UPLOAD_VALIDITY: Duration = Duration::from_mins(15);

/// How long results can be downloaded.
const DOWNLOAD_VALIDITY: Duration = Duration::from_mins(5);

/// The maximum time until an execution is visible. Step Functions promises none, and usually takes seconds.
const VISIBLE_AFTER: Duration = Duration::from_hours(24);

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

/// How far a job is, with all its attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// How much of a file is imported.
    Import {
        /// The rows of the file.
        rows: u64,
        /// The chunks of the file.
        chunks: u64,
        /// The chunks with results.
        done: u64,
    },
    /// How many users are exported.
    Export {
        /// The users so far.
        rows: u64,
        /// The estimated number of all users.
        estimated_rows: u64,
    },
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
    /// The id.
    pub id: JobId,
    /// The job.
    pub job: Job,
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
    /// The progress; `None` before the file is divided or the first users are exported. Only [`Control::find`] reads it.
    pub progress: Option<Progress>,
    /// The summary of a completed job, as JSON. Only [`Control::find`] reads it.
    pub summary: Option<serde_json::Value>,
}

/// A page of jobs.
pub type JobPage = Page<JobView>;

/// Results of a part of the file, a part of the exported users, or the archive of a backup.
#[derive(Debug)]
pub struct ResultFile {
    /// The number of the first line; `None` for an archive.
    pub first_line: Option<u64>,
    /// A URL from which anyone can read the file.
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

/// An attempt of a job.
struct Attempt {
    number: u32,
    /// The name of the execution. It can be used once in 90 days.
    name: String,
    execution: Execution,
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

    /// The latest attempt of a job.
    async fn latest(&self, id: &JobId) -> Result<Option<Attempt>, StoreError> {
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

    async fn attempt(&self, number: u32, name: String) -> Result<Option<Attempt>, StoreError> {
        let execution = self.executions.find(&name).await?;
        Ok(execution.map(|execution| Attempt { number, name, execution }))
    }

    /// Adds why an attempt failed.
    async fn explained(&self, id: &JobId, mut attempt: Attempt) -> Result<Attempt, StoreError> {
        let Attempt { name, execution, .. } = &mut attempt;
        if execution.status != ExecutionStatus::Failed {
            return Ok(attempt);
        }
        if self.files.version(&keys::stopped(id, name)).await?.is_some() {
            // A worker saw the request before the execution ended.
            execution.status = ExecutionStatus::Aborted;
        } else if execution.error.as_deref().is_some_and(|name| name.starts_with("States."))
            && let Some(error) = self.files.read(&keys::error(id, name)).await?
        {
            execution.error = String::from_utf8(error).ok();
        }
        Ok(attempt)
    }

    /// A job; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails.
    pub async fn find(&self, id: &JobId) -> Result<Option<JobView>, StoreError> {
        let Some(attempt) = self.latest(id).await? else { return Ok(None) };
        let attempt = self.explained(id, attempt).await?;
        let Some(job) = job_of(id, &attempt) else { return Ok(None) };
        let view = overview(id.clone(), job, attempt);
        let progress = self.progress(id, view.status).await?;
        let summary = match view.status {
            JobStatus::Succeeded => self.files.read(&keys::summary(id)).await?,
            _ => None,
        };
        let summary = summary.and_then(|summary| serde_json::from_slice(&summary).ok());
        Ok(Some(JobView { progress, summary, ..view }))
    }

    async fn progress(&self, id: &JobId, status: JobStatus) -> Result<Option<Progress>, StoreError> {
        if matches!(id.job_type(), JobType::Export | JobType::Backup) {
            let state = self.files.read(&keys::export(id)).await?;
            let state: Option<ExportState> = state.and_then(|state| serde_json::from_slice(&state).ok());
            return Ok(state.map(|state| Progress::Export {
                rows: state.rows,
                estimated_rows: u64::from(state.estimated_rows).max(state.rows),
            }));
        }
        let plan = self.files.read(&keys::plan(id)).await?;
        let Some(Plan { rows, chunks, .. }) = plan.and_then(|plan| serde_json::from_slice(&plan).ok()) else {
            return Ok(None);
        };
        if status == JobStatus::Succeeded {
            return Ok(Some(Progress::Import { rows, chunks, done: chunks }));
        }
        let (mut done, mut after) = (0, None);
        loop {
            let page = self.files.list(&keys::results(id), after, KEYS_PER_PAGE).await?;
            done += page.entries.len() as u64;
            after = page.next;
            if after.is_none() {
                return Ok(Some(Progress::Import { rows, chunks, done }));
            }
        }
    }

    /// Whether a job was started.
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn exists(&self, id: &JobId) -> Result<bool, StoreError> {
        let is_started = self.executions.find(&id.execution(1)).await?.is_some();
        match id.scheduled_execution() {
            Some(name) if !is_started => Ok(self.executions.find(&name).await?.is_some()),
            _ => Ok(is_started),
        }
    }

    /// Lists jobs: running ones by start, then ended ones by end, the latest first. Earlier attempts are left out, so a
    /// page can contain fewer jobs than the limit.
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails.
    pub async fn list(&self, page: &PageRequest) -> Result<JobPage, StoreError> {
        let Page { entries, next } = self.executions.list(page).await?;
        let views: Vec<_> = entries.into_iter().map(|name| self.overview(name)).collect();
        let views: Vec<_> = futures::stream::iter(views).buffered(CONCURRENT_READS).try_collect().await?;
        Ok(Page { entries: views.into_iter().flatten().collect(), next })
    }

    /// A job by an execution; `None` for an earlier attempt, and for an execution that is no job.
    async fn overview(&self, name: String) -> Result<Option<JobView>, StoreError> {
        let Some((id, number)) = JobId::of_execution(&name) else { return Ok(None) };
        let Some(attempt) = self.attempt(number, name).await? else { return Ok(None) };
        let can_restart = matches!(id.job_type(), JobType::Import | JobType::Restore)
            && matches!(attempt.execution.status, ExecutionStatus::Failed | ExecutionStatus::Aborted);
        if can_restart && self.executions.find(&id.execution(number + 1)).await?.is_some() {
            return Ok(None);
        }
        let attempt = self.explained(&id, attempt).await?;
        Ok(job_of(&id, &attempt).map(|job| overview(id, job, attempt)))
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

    /// The results of a job so far: files of JSON Lines, or the archive of a backup.
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails.
    pub async fn results(&self, id: &JobId, page: PageRequest) -> Result<ResultPage, StoreError> {
        let expires_at = self.clock.wall_time() + DOWNLOAD_VALIDITY;
        if id.job_type() == JobType::Backup {
            // The files with users are results only after they are in the archive.
            let key = keys::archive(id);
            let mut entries = Vec::new();
            if self.files.version(&key).await?.is_some() {
                entries.push(ResultFile {
                    first_line: None,
                    url: self.files.download_url(&key, DOWNLOAD_VALIDITY).await?,
                });
            }
            return Ok(ResultPage { files: Page { entries, next: None }, expires_at });
        }
        if id.job_type() == JobType::Export {
            return self.exported(id, page, expires_at).await;
        }
        let prefix = keys::results(id);
        let Page { entries, next } = self.files.list(&prefix, page.after, page.limit.into()).await?;
        let mut files = Vec::new();
        for key in entries {
            let line = key.strip_prefix(&prefix).and_then(|name| name.strip_suffix(".jsonl"));
            let Some(first_line) = line.and_then(|line| line.parse().ok()) else { continue };
            files.push(ResultFile {
                first_line: Some(first_line),
                url: self.files.download_url(&key, DOWNLOAD_VALIDITY).await?,
            });
        }
        Ok(ResultPage { files: Page { entries: files, next }, expires_at })
    }

    /// The files of an export so far. Other files in the bucket do not belong to it.
    async fn exported(
        &self,
        id: &JobId,
        page: PageRequest,
        expires_at: OffsetDateTime,
    ) -> Result<ResultPage, StoreError> {
        let state = self.files.read(&keys::export(id)).await?;
        let state: Option<ExportState> = state.and_then(|state| serde_json::from_slice(&state).ok());
        let after: u64 = page.after.and_then(|after| after.parse().ok()).unwrap_or_default();
        let mut files = state.into_iter().flat_map(|state| state.files).filter(|file| file.first_line > after);
        let mut entries = Vec::new();
        for file in files.by_ref().take(page.limit.into()) {
            let url = self.files.download_url(&file.key, DOWNLOAD_VALIDITY).await?;
            entries.push(ResultFile { first_line: Some(file.first_line), url });
        }
        let last = entries.last().and_then(|file| file.first_line);
        let next = files.next().and(last).map(|line| line.to_string());
        Ok(ResultPage { files: Page { entries, next }, expires_at })
    }
}

/// The job of an attempt; `None` if the execution is another one with the name of a job.
fn job_of(id: &JobId, attempt: &Attempt) -> Option<Job> {
    let job: Job = serde_json::from_str(&attempt.execution.input).ok()?;
    let is_same = match &job {
        Job::Import(job) | Job::Restore(job) => job.id == *id,
        Job::Export(_) | Job::Backup(_) => true,
    };
    (is_same && job.job_type() == id.job_type()).then_some(job)
}

/// A job without its progress and summary, which require further calls.
fn overview(id: JobId, job: Job, attempt: Attempt) -> JobView {
    let Attempt { number: attempts, execution, .. } = attempt;
    let Execution { status, started_at, ended_at, error, .. } = execution;
    let status = match status {
        ExecutionStatus::Running => JobStatus::Running,
        ExecutionStatus::Succeeded => JobStatus::Succeeded,
        ExecutionStatus::Failed => JobStatus::Failed,
        ExecutionStatus::Aborted => JobStatus::Stopped,
    };
    let error = error.filter(|_| status == JobStatus::Failed);
    JobView { id, job, status, attempts, started_at, ended_at, error, progress: None, summary: None }
}
