//! What a caller can read: jobs, their progress and their results.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use time::OffsetDateTime;

use super::chunk::Plan;
use super::control::{Attempt, Control};
use super::error::StoreError;
use super::execution::{Execution, ExecutionStatus};
use super::exporter::ExportState;
use super::files::{KEYS_PER_PAGE, keys};
use super::id::JobId;
use super::job::{Job, JobStatus, JobType};
use crate::secret::Secret;
use crate::user_pool::page::{Page, PageRequest};

/// How long results can be downloaded.
const DOWNLOAD_VALIDITY: Duration = Duration::from_mins(5);

/// How many jobs of a list are read at the same time.
const CONCURRENT_READS: usize = 8;

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

impl Control<'_> {
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
pub(super) fn overview(id: JobId, job: Job, attempt: Attempt) -> JobView {
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
