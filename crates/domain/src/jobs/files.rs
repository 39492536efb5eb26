//! The storage of files and results, and the keys of its objects.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;

use super::error::{JobError, StoreError};
use super::id::JobId;
use crate::secret::Secret;
use crate::user_pool::page::Page;

/// The maximum number of keys that a request lists.
pub(super) const KEYS_PER_PAGE: u16 = 1000;

/// The size, version and age of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVersion {
    /// The number of bytes.
    pub size: u64,
    /// Changes with the content.
    pub etag: String,
    /// When the file was written.
    pub modified_at: OffsetDateTime,
}

/// The bucket of jobs. Each call is safe to repeat.
#[async_trait]
pub trait Files: Send + Sync {
    /// The version of a file; `None` if it is absent.
    async fn version(&self, key: &str) -> Result<Option<FileVersion>, StoreError>;

    /// Reads a whole small file; `None` if it is absent.
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Reads `length` bytes from `offset`, fewer at the end of the file. `length` is not 0.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Changed`] if the file has another `ETag` or is absent.
    async fn read_part(&self, key: &str, etag: &str, offset: u64, length: u64) -> Result<Vec<u8>, StoreError>;

    /// Writes a file. Does nothing if the file exists.
    async fn create(&self, key: &str, content: Vec<u8>) -> Result<(), StoreError>;

    /// Writes a file with the content of a local file. Does nothing if the file exists.
    async fn create_from(&self, key: &str, path: &Path) -> Result<(), StoreError>;

    /// Writes a file, and replaces an existing one.
    async fn replace(&self, key: &str, content: Vec<u8>) -> Result<(), StoreError>;

    /// Writes a file whose `ETag` is `expected`, or creates it if `expected` is `None`. Returns the new `ETag`.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Changed`] if the file has another `ETag`, also after a lost response of this call.
    async fn exchange(&self, key: &str, expected: Option<&str>, content: Vec<u8>) -> Result<String, StoreError>;

    /// Lists the keys with this prefix in alphabetical order. `after` is [`Page::next`] of the previous page.
    async fn list(&self, prefix: &str, after: Option<String>, limit: u16) -> Result<Page<String>, StoreError>;

    /// Deletes a file, if it exists.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// A URL with which anyone can create the file once, with the header `If-None-Match: *`.
    async fn upload_url(&self, key: &str, valid_for: Duration) -> Result<Secret, StoreError>;

    /// A URL with which anyone can read the file.
    async fn download_url(&self, key: &str, valid_for: Duration) -> Result<Secret, StoreError>;
}

/// Rejects a step of an attempt that a caller stopped. `attempt` is the name of the execution.
///
/// # Errors
///
/// Returns an error if the attempt was stopped or the call fails.
pub async fn ensure_not_stopped(files: &dyn Files, id: &JobId, attempt: &str) -> Result<(), JobError> {
    let is_stopped = files.version(&keys::stopped(id, attempt)).await?.is_some();
    if is_stopped { Err(JobError::Stopped) } else { Ok(()) }
}

/// The keys of the objects of a job.
pub mod keys {
    use super::JobId;

    /// The uploaded file.
    #[must_use]
    pub fn upload(id: &JobId) -> String {
        format!("uploads/{id}")
    }

    /// All other objects of the job.
    fn job(id: &JobId) -> String {
        format!("jobs/{id}")
    }

    /// The name of the list of the chunks of a file with this `ETag`.
    #[must_use]
    pub fn list_of(etag: &str) -> String {
        let digits: String = etag.chars().filter(char::is_ascii_alphanumeric).collect();
        format!("chunks-{digits}.json")
    }

    /// The chunks, as a JSON array for the state machine. `list` is the name of the list.
    #[must_use]
    pub fn chunks(id: &JobId, list: &str) -> String {
        format!("{}/{list}", job(id))
    }

    /// The beginning of the keys of results that interrupted invocations left for this chunk.
    #[must_use]
    pub fn partial(id: &JobId, first_line: u64) -> String {
        format!("{}/partial/{first_line:010}/", job(id))
    }

    /// How the file is divided. Written after the chunks.
    #[must_use]
    pub fn plan(id: &JobId) -> String {
        format!("{}/plan.json", job(id))
    }

    /// The beginning of the keys of results.
    #[must_use]
    pub fn results(id: &JobId) -> String {
        format!("{}/results/", job(id))
    }

    /// Exported users from this line. `nonce` differs in each invocation, so that none replaces the file of another.
    #[must_use]
    pub fn exported(id: &JobId, first_line: u64, nonce: &str) -> String {
        format!("{}{first_line:010}-{nonce}.jsonl", results(id))
    }

    /// The results of the chunk with this first line. Keys are in the order of the file.
    #[must_use]
    pub fn result(id: &JobId, first_line: u64) -> String {
        format!("{}{first_line:010}.jsonl", results(id))
    }

    /// The beginning of the keys of memberships.
    #[must_use]
    pub fn all_memberships(id: &JobId) -> String {
        format!("{}/memberships/", job(id))
    }

    /// Memberships that an export has read. `nonce` differs in each invocation.
    #[must_use]
    pub fn memberships(id: &JobId, number: usize, nonce: &str) -> String {
        format!("{}{number:06}-{nonce}.jsonl", all_memberships(id))
    }

    /// How far an export is.
    #[must_use]
    pub fn export(id: &JobId) -> String {
        format!("{}/export.json", job(id))
    }

    /// The archive of a backup, which is kept longer than the job.
    #[must_use]
    pub fn archive(id: &JobId) -> String {
        format!("backups/{id}.tar")
    }

    /// The summary of all results.
    #[must_use]
    pub fn summary(id: &JobId) -> String {
        format!("{}/summary.json", job(id))
    }

    /// The name of the latest error of a chunk in this attempt. `attempt` is the name of the execution.
    #[must_use]
    pub fn error(id: &JobId, attempt: &str) -> String {
        format!("{}/error/{attempt}", job(id))
    }

    /// Exists if a caller stopped this attempt. `attempt` is the name of the execution.
    #[must_use]
    pub fn stopped(id: &JobId, attempt: &str) -> String {
        format!("{}/stopped/{attempt}", job(id))
    }
}
