//! The bucket and the state machine of jobs, in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::jobs::{Execution, ExecutionStatus, Executions, FileVersion, Files, Progress, StoreError};
use domain::secret::Secret;
use domain::user_pool::page::{Page, PageRequest};
use time::OffsetDateTime;

/// Files and executions. Executions do not run. Clones share the state.
#[derive(Debug, Clone, Default)]
pub struct InMemoryJobs {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    executions: BTreeMap<String, (Execution, Option<Progress>)>,
    calls: usize,
    /// The call that fails, and whether it takes effect before.
    fault: Option<(usize, bool)>,
}

impl InMemoryJobs {
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
        state.executions.iter().map(|(name, (execution, _))| (name.clone(), execution.input.clone())).collect()
    }

    /// Ends an execution.
    pub fn end(&self, name: &str, status: ExecutionStatus, error: Option<&str>) {
        if let Some((execution, _)) = self.state().executions.get_mut(name) {
            execution.status = status;
            execution.error = error.map(str::to_owned);
            execution.ended_at = Some(OffsetDateTime::UNIX_EPOCH);
        }
    }

    /// Sets the progress of an execution.
    pub fn set_progress(&self, name: &str, progress: Progress) {
        if let Some((_, of)) = self.state().executions.get_mut(name) {
            *of = Some(progress);
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

/// Changes with the content.
fn etag(content: &[u8]) -> String {
    let sum = content.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    format!("\"{sum:x}-{}\"", content.len())
}

#[async_trait]
impl Files for InMemoryJobs {
    async fn version(&self, key: &str) -> Result<Option<FileVersion>, StoreError> {
        self.call("HeadObject", |state| {
            let content = state.files.get(key)?;
            Some(FileVersion { size: content.len() as u64, etag: etag(content) })
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
            let is_new = !state.executions.contains_key(name);
            let execution = Execution {
                status: ExecutionStatus::Running,
                input: input.to_owned(),
                started_at: OffsetDateTime::UNIX_EPOCH,
                ended_at: None,
                error: None,
            };
            state.executions.entry(name.to_owned()).or_insert((execution, None));
            is_new
        })
    }

    async fn find(&self, name: &str) -> Result<Option<Execution>, StoreError> {
        self.call("DescribeExecution", |state| state.executions.get(name).map(|(execution, _)| execution.clone()))
    }

    async fn progress(&self, name: &str) -> Result<Option<Progress>, StoreError> {
        self.call("DescribeMapRun", |state| state.executions.get(name).and_then(|(_, progress)| *progress))
    }

    async fn list(&self, page: &PageRequest) -> Result<Page<String>, StoreError> {
        self.call("ListExecutions", |state| {
            let after = page.after.as_deref().unwrap_or_default();
            let mut names = state.executions.keys().filter(|name| name.as_str() > after).cloned();
            let entries: Vec<_> = names.by_ref().take(page.limit.into()).collect();
            let next = names.next().and_then(|_| entries.last().cloned());
            Page { entries, next }
        })
    }

    async fn stop(&self, name: &str) -> Result<(), StoreError> {
        self.call("StopExecution", |_| ())?;
        self.end(name, ExecutionStatus::Aborted, None);
        Ok(())
    }
}
