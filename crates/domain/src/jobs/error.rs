//! Why a step of a job failed.

use std::error::Error;

use thiserror::Error;

use crate::retry::{Classified as _, ErrorClass};
use crate::transfer::Stop;
use crate::user_pool::error::UserPoolError;

/// The storage or the state machine of jobs failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The call failed, and can be repeated.
    #[error("{operation} failed")]
    Unavailable {
        /// The operation of AWS.
        operation: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The role of the caller lacks a permission.
    #[error("{operation} was denied")]
    Forbidden {
        /// The operation of AWS.
        operation: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file was replaced after it was read.
    #[error("the file was replaced")]
    Changed,
    /// The position in a list is not valid any more.
    #[error("the position in the list has expired")]
    ExpiredPosition,
}

/// Why a step failed. [`Self::name`] decides whether the state machine repeats the step.
#[derive(Debug, Error)]
pub enum JobError {
    /// The job stopped between two calls.
    #[error("the job cannot continue")]
    Stop(#[from] Stop),
    /// The storage failed.
    #[error("the storage of jobs failed")]
    Store(#[source] StoreError),
    /// A caller stopped the job.
    #[error("the job was stopped")]
    Stopped,
    /// The file is absent, was replaced, or has an invalid header.
    #[error("the file cannot be used: {0}")]
    InvalidFile(String),
    /// Results or exported users are missing.
    #[error("{found} of {expected} {unit} are complete")]
    Incomplete {
        /// What is complete.
        found: u64,
        /// What is expected.
        expected: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// The export was interrupted for too long. Cognito does not accept its position any more.
    #[error("the position of the export has expired")]
    Expired(#[source] UserPoolError),
    /// The memberships do not fit into memory, or the archive does not fit into one object of the bucket.
    #[error("a job supports at most {limit} {unit}, and the pool has at least {found}")]
    TooLarge {
        /// What the pool has.
        found: u64,
        /// The maximum.
        limit: u64,
        /// What is counted.
        unit: &'static str,
    },
}

impl JobError {
    /// The name of the error for the state machine. The template repeats the steps that failed with `TimeUp` or
    /// `Unavailable`, and no others.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Stop(Stop::TimeUp) => "TimeUp",
            Self::Stop(Stop::MailQuota) => "MailQuota",
            Self::Stop(Stop::Call(error)) => match error.class() {
                ErrorClass::Forbidden => "Forbidden",
                ErrorClass::NotFound
                | ErrorClass::AlreadyExists
                | ErrorClass::QuotaExceeded
                | ErrorClass::Invalid
                | ErrorClass::SignUpRefused => "Rejected",
                ErrorClass::Throttled
                | ErrorClass::OutcomeUnknown
                | ErrorClass::ConcurrentModification
                | ErrorClass::PrincipalNotVisibleYet
                | ErrorClass::TriggerNotInvoked
                | ErrorClass::RoleNotAssumable
                | ErrorClass::ExternalService
                | ErrorClass::Conflict
                | ErrorClass::Unexpected => "Unavailable",
            },
            Self::Store(StoreError::Forbidden { .. }) => "Forbidden",
            Self::Stop(Stop::Job(_)) | Self::Store(_) => "Unavailable",
            Self::Stopped => "Stopped",
            Self::InvalidFile(_) => "InvalidFile",
            Self::Incomplete { .. } => "Incomplete",
            Self::Expired(_) => "Expired",
            Self::TooLarge { .. } => "TooLarge",
        }
    }

    /// Whether the import of each other chunk would fail as well.
    pub(super) fn concerns_all_chunks(&self) -> bool {
        matches!(self.name(), "Forbidden" | "MailQuota" | "Stopped" | "TimeUp")
    }
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Changed => Self::InvalidFile(error.to_string()),
            error => Self::Store(error),
        }
    }
}
