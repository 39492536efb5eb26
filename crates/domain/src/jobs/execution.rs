//! The state machine of jobs and its executions.

use async_trait::async_trait;
use time::OffsetDateTime;

use super::error::StoreError;
use crate::user_pool::page::{Page, PageRequest};

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
