//! The bucket and the state machine of jobs, in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::jobs::{
    Execution, ExecutionStatus, Executions, FileVersion, Files, ImportJob, Job, JobId, JobOptions, Plan, StoreError,
    keys,
};
use domain::secret::Secret;
use domain::transfer::Format;
use domain::user_pool::page::{Page, PageRequest};
use time::{OffsetDateTime, PrimitiveDateTime};

/// The id of a file of [`InMemoryJobs::with_examples`] that no job imports yet.
pub const UPLOADED_FILE: &str = "import-0123456789abcdef0123456789abcdef";

/// The id of a running job of [`InMemoryJobs::with_examples`].
pub const RUNNING_JOB: &str = "import-50d858e0985ecc7f60418aaf0cc5ab58";

/// The id of a succeeded job of [`InMemoryJobs::with_examples`].
pub const SUCCEEDED_JOB: &str = "import-a0d858e0985ecc7f60418aaf0cc5ab58";

/// Files and executions. Executions do not run. Clones share the state.
#[derive(Debug, Clone, Default)]
pub struct InMemoryJobs {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    /// When files were written, if not in the future.
    written: BTreeMap<String, OffsetDateTime>,
    executions: BTreeMap<String, Execution>,
    calls: usize,
    /// The executions that `find` does not return yet, with the number of calls until it does.
    delays: BTreeMap<String, usize>,
    have_positions_expired: bool,
    /// The call that fails, and whether it takes effect before.
    fault: Option<(usize, bool)>,
}

impl InMemoryJobs {
    /// An uploaded file, a running job with three files of results, and a succeeded job.
    ///
    /// # Panics
    ///
    /// Panics if an id of this file is not valid.
    #[must_use]
    pub fn with_examples() -> Self {
        let jobs = Self::default();
        let id = |text: &str| -> JobId { text.parse().unwrap_or_else(|error| unreachable!("{text}: {error}")) };
        jobs.put(&keys::upload(&id(UPLOADED_FILE)), "{}");
        for (text, rows, chunks) in [(RUNNING_JOB, 400, 4), (SUCCEEDED_JOB, 2, 1)] {
            jobs.add(id(text));
            let (format, options) = (Format::JsonLines, JobOptions::default());
            let (list, etag) = ("chunks.json".to_owned(), "etag".to_owned());
            let plan = Plan { format, options, list, etag, header: 0, rows, chunks };
            jobs.put(&keys::plan(&id(text)), serde_json::to_vec(&plan).unwrap_or_default());
        }
        let running = id(RUNNING_JOB);
        jobs.put(&keys::upload(&running), "{}");
        for first_line in [1, 101, 201] {
            jobs.put(&keys::result(&running, first_line), "{}");
        }
        jobs.end(SUCCEEDED_JOB, ExecutionStatus::Succeeded, None);
        let summary = r#"{"rows":2,"outcomes":{"created":1,"failed":1},"codes":{"user-exists":1},"not_moved":["sub"]}"#;
        jobs.put(&keys::summary(&id(SUCCEEDED_JOB)), summary);
        jobs
    }

    /// Adds the execution of an import with default options, which `root` started.
    pub fn add(&self, id: JobId) {
        let name = id.to_string();
        let (requested_by, requested_at) = ("root".to_owned(), OffsetDateTime::UNIX_EPOCH);
        let job = ImportJob {
            id,
            format: Format::JsonLines,
            backup: None,
            options: JobOptions::default(),
            requested_by,
            requested_at,
        };
        self.add_execution(&name, &serde_json::to_string(&Job::Import(job)).unwrap_or_default());
    }

    /// Adds the execution of a scheduled backup.
    pub fn add_scheduled_backup(&self, name: &str) {
        self.add_execution(name, r#"{"type": "backup", "requested_by": "schedule"}"#);
    }

    /// Deletes an execution, as Step Functions does after 90 days. All files were written at this time.
    pub fn forget(&self, name: &str, written_at: OffsetDateTime) {
        let mut state = self.state();
        state.executions.remove(name);
        state.written = state.files.keys().map(|key| (key.clone(), written_at)).collect();
    }

    /// Adds a running execution.
    pub fn add_execution(&self, name: &str, input: &str) {
        self.state().executions.insert(name.to_owned(), running(input.to_owned()));
    }

    /// Lets the next calls of `find` not return an execution.
    pub fn delay(&self, name: &str, calls: usize) {
        self.state().delays.insert(name.to_owned(), calls);
    }

    /// Lets `list` reject the positions of earlier pages.
    pub fn expire_positions(&self) {
        self.state().have_positions_expired = true;
    }

    /// Adds or replaces a file.
    pub fn put(&self, key: &str, content: impl Into<Vec<u8>>) {
        self.state().files.insert(key.to_owned(), content.into());
    }

    /// The content of a file.
    #[must_use]
    pub fn file(&self, key: &str) -> Option<Vec<u8>> {
        self.state().files.get(key).cloned()
    }

    /// The keys of all files.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.state().files.keys().cloned().collect()
    }

    /// The names and inputs of all executions.
    #[must_use]
    pub fn executions(&self) -> Vec<(String, String)> {
        let state = self.state();
        state.executions.iter().map(|(name, execution)| (name.clone(), execution.input.clone())).collect()
    }

    /// Ends an execution.
    pub fn end(&self, name: &str, status: ExecutionStatus, error: Option<&str>) {
        if let Some(execution) = self.state().executions.get_mut(name) {
            execution.status = status;
            execution.error = error.map(str::to_owned);
            execution.ended_at = Some(OffsetDateTime::UNIX_EPOCH);
        }
    }

    /// The number of calls so far.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.state().calls
    }

    /// Lets the call with this number fail, counted from now. With `after_effect`, only its response is lost.
    pub fn fail_call(&self, number: usize, after_effect: bool) {
        let mut state = self.state();
        state.fault = Some((state.calls + number, after_effect));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call<T>(&self, operation: &'static str, effect: impl FnOnce(&mut State) -> T) -> Result<T, StoreError> {
        let mut state = self.state();
        state.calls += 1;
        let fault = state.fault.filter(|(number, _)| *number == state.calls);
        let failed = || StoreError::Unavailable { operation, source: "no response".into() };
        match fault {
            Some((_, false)) => Err(failed()),
            Some((_, true)) => {
                effect(&mut state);
                Err(failed())
            }
            None => Ok(effect(&mut state)),
        }
    }
}

fn running(input: String) -> Execution {
    let (status, started_at) = (ExecutionStatus::Running, OffsetDateTime::UNIX_EPOCH);
    Execution { status, input, started_at, ended_at: None, error: None }
}

/// Changes with the content.
fn etag(content: &[u8]) -> String {
    let sum = content.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    format!("\"{sum:x}-{}\"", content.len())
}

#[async_trait]
impl Files for InMemoryJobs {
    async fn version(&self, key: &str) -> Result<Option<FileVersion>, StoreError> {
        // As on S3, other tasks run before the response.
        tokio::task::yield_now().await;
        self.call("HeadObject", |state| {
            let content = state.files.get(key)?;
            // The clock of the test is unknown here, so new files were written after each of its times.
            let modified_at = state.written.get(key).copied().unwrap_or(PrimitiveDateTime::MAX.assume_utc());
            Some(FileVersion { size: content.len() as u64, etag: etag(content), modified_at })
        })
    }

    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.call("GetObject", |state| state.files.get(key).cloned())
    }

    async fn read_part(&self, key: &str, expected: &str, offset: u64, length: u64) -> Result<Vec<u8>, StoreError> {
        let content = self.call("GetObject", |state| state.files.get(key).cloned())?;
        let content = content.filter(|content| etag(content) == expected).ok_or(StoreError::Changed)?;
        let bytes = content.into_iter().skip(usize::try_from(offset).unwrap_or(usize::MAX));
        Ok(bytes.take(usize::try_from(length).unwrap_or(usize::MAX)).collect())
    }

    async fn create(&self, key: &str, content: Vec<u8>) -> Result<(), StoreError> {
        self.call("PutObject", |state| {
            state.files.entry(key.to_owned()).or_insert(content);
        })
    }

    async fn create_from(&self, key: &str, path: &Path) -> Result<(), StoreError> {
        let content = std::fs::read(path)
            .map_err(|error| StoreError::Unavailable { operation: "PutObject", source: Box::new(error) })?;
        self.create(key, content).await
    }

    async fn replace(&self, key: &str, content: Vec<u8>) -> Result<(), StoreError> {
        self.call("PutObject", |state| {
            state.files.insert(key.to_owned(), content);
        })
    }

    async fn exchange(&self, key: &str, expected: Option<&str>, content: Vec<u8>) -> Result<String, StoreError> {
        self.call("PutObject", |state| {
            if state.files.get(key).map(|content| etag(content)).as_deref() != expected {
                return Err(StoreError::Changed);
            }
            let version = etag(&content);
            state.files.insert(key.to_owned(), content);
            Ok(version)
        })?
    }

    async fn list(&self, prefix: &str, after: Option<String>, limit: u16) -> Result<Page<String>, StoreError> {
        self.call("ListObjectsV2", |state| {
            let after = after.unwrap_or_default();
            let mut keys = state.files.keys().filter(|key| key.starts_with(prefix) && **key > after).cloned();
            let entries: Vec<_> = keys.by_ref().take(limit.into()).collect();
            let next = keys.next().and_then(|_| entries.last().cloned());
            Page { entries, next }
        })
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.call("DeleteObject", |state| {
            state.files.remove(key);
        })
    }

    async fn upload_url(&self, key: &str, _: Duration) -> Result<Secret, StoreError> {
        Ok(Secret::new(format!("https://jobs.example/{key}?upload")))
    }

    async fn download_url(&self, key: &str, _: Duration) -> Result<Secret, StoreError> {
        Ok(Secret::new(format!("https://jobs.example/{key}?download")))
    }
}

#[async_trait]
impl Executions for InMemoryJobs {
    async fn start(&self, name: &str, input: &str) -> Result<bool, StoreError> {
        self.call("StartExecution", |state| {
            let execution = state.executions.entry(name.to_owned()).or_insert_with(|| running(input.to_owned()));
            // As on AWS.
            execution.status == ExecutionStatus::Running && execution.input == input
        })
    }

    async fn find(&self, name: &str) -> Result<Option<Execution>, StoreError> {
        self.call("DescribeExecution", |state| {
            match state.delays.get_mut(name).filter(|calls| **calls > 0) {
                Some(calls) => *calls -= 1,
                None => return state.executions.get(name).cloned(),
            }
            None
        })
    }

    async fn list(&self, page: &PageRequest) -> Result<Page<String>, StoreError> {
        if page.after.is_some() && self.state().have_positions_expired {
            return Err(StoreError::ExpiredPosition);
        }
        self.call("ListExecutions", |state| {
            let after = page.after.as_deref().unwrap_or_default();
            let mut names = state.executions.keys().filter(|name| name.as_str() > after).cloned();
            let entries: Vec<_> = names.by_ref().take(page.limit.into()).collect();
            let next = names.next().and_then(|_| entries.last().cloned());
            Page { entries, next }
        })
    }

    async fn stop(&self, name: &str) -> Result<bool, StoreError> {
        self.call("StopExecution", |state| match state.executions.get_mut(name) {
            Some(execution) if execution.status == ExecutionStatus::Running => {
                execution.status = ExecutionStatus::Aborted;
                execution.ended_at = Some(OffsetDateTime::UNIX_EPOCH);
                true
            }
            _ => false,
        })
    }
}
