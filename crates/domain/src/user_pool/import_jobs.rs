//! The port for Cognito's user import jobs, which create users with password hashes from a CSV file.

use async_trait::async_trait;

use crate::secret::Secret;
use crate::user_pool::error::UserPoolError;
use crate::user_pool::page::Page;

/// How a password hash was computed: `PasswordHashingAlgorithm` of `CreateUserImportJob`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum HashAlgorithm {
    /// `BCRYPT`
    Bcrypt,
    /// `SCRYPT`
    Scrypt,
    /// `ARGON2ID`
    Argon2id,
    /// `PBKDF2_SHA256`
    #[strum(serialize = "PBKDF2_SHA256")]
    Pbkdf2Sha256,
}

/// A job to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImportJob {
    /// The name, which is also in the name of the log stream.
    pub name: String,
    /// The ARN of the role with which Cognito writes the log.
    pub role_arn: String,
    /// The algorithm of the hashes. `None` if the file has no hashes.
    pub algorithm: Option<HashAlgorithm>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportJob {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The status.
    pub status: ImportJobStatus,
    /// The number of created users.
    pub imported: u64,
    /// The number of skipped users, which existed.
    pub skipped: u64,
    /// The number of users that could not be created.
    pub failed: u64,
    /// Cognito's message about the end of the job.
    pub message: Option<String>,
}

/// The status of a job, as Cognito spells it.
#[derive(Debug, Clone, PartialEq, Eq, strum::EnumString, strum::Display)]
pub enum ImportJobStatus {
    /// The job is not started.
    Created,
    /// The job is started and imports no users yet.
    Pending,
    /// The job imports users.
    InProgress,
    /// The job was stopped and still imports users.
    Stopping,
    /// The job was stopped.
    Stopped,
    /// The job is complete. Some users may have been skipped or have failed.
    Succeeded,
    /// The job ended because of an error, or because too many users failed. Created users remain.
    Failed,
    /// The job was not started within 24 to 48 hours.
    Expired,
    /// A status that this version does not know.
    #[strum(default, to_string = "{0}")]
    Other(String),
}

impl ImportJobStatus {
    /// Whether Cognito is going to change the status itself.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Pending | Self::InProgress | Self::Stopping | Self::Other(_))
    }
}

/// The import jobs of one user pool, and their logs.
#[async_trait]
pub trait ImportJobs: Send + Sync {
    /// Returns the columns of the file.
    async fn csv_header(&self) -> Result<Vec<String>, UserPoolError>;

    /// Creates a job, and returns it with the URL for its file. The URL is valid for 15 minutes and is a credential.
    ///
    /// If the outcome is unknown, repeating the call is safe: a job without a file expires and imports nothing.
    async fn create_job(&self, job: &NewImportJob) -> Result<(ImportJob, Secret), UserPoolError>;

    /// Uploads the file of a job. Safe to repeat before the start of the job.
    async fn upload(&self, url: &Secret, csv: &Secret) -> Result<(), UserPoolError>;

    /// Starts a job. MUST return `LimitReached` or `WrongState` if another job of the account is active, or if Cognito
    /// does not find the file.
    async fn start_job(&self, id: &str) -> Result<(), UserPoolError>;

    /// Returns a job.
    async fn job(&self, id: &str) -> Result<ImportJob, UserPoolError>;

    /// Returns a page of all jobs, newest first.
    async fn jobs(&self, after: Option<&str>) -> Result<Page<ImportJob>, UserPoolError>;

    /// Returns a page of the messages in a log stream, oldest first.
    async fn log(&self, group: &str, stream: &str, after: Option<&str>) -> Result<Page<String>, UserPoolError>;
}
