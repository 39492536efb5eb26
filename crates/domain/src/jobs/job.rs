//! A job, and the steps in which the state machine runs it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::chunk::{Chunk, Split};
use super::id::JobId;
use crate::transfer::{Format, ImportOptions, JobRows};

/// An import of an uploaded file: the input of the state machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportJob {
    /// The id of the job and of its file.
    pub id: JobId,
    /// The format of the file.
    pub format: Format,
    /// What the import can change.
    pub options: JobOptions,
    /// The caller who started the job.
    pub requested_by: String,
    /// When the job was first started.
    #[serde(with = "time::serde::rfc3339")]
    pub requested_at: OffsetDateTime,
}

/// What an import can change. By default, it only creates users.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent options of the caller")]
pub struct JobOptions {
    /// Whether existing users that differ from their row are changed. Otherwise they are skipped.
    pub update: bool,
    /// Whether existing users are changed even if they share no verified e-mail address or phone number with their row.
    pub trust_user_names: bool,
    /// Whether missing groups are created.
    pub create_groups: bool,
    /// Whether only reads are made. The results then contain what would happen.
    pub dry_run: bool,
}

impl From<JobOptions> for ImportOptions {
    fn from(options: JobOptions) -> Self {
        let JobOptions { update, trust_user_names, create_groups, dry_run } = options;
        // Callers of the API receive no texts of AWS.
        Self {
            update_existing: update,
            trust_user_names,
            create_groups,
            dry_run,
            explain: false,
            job_rows: JobRows::None,
        }
    }
}

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum JobStatus {
    /// The job runs, or waits for a worker.
    Running,
    /// Each row has a result.
    Succeeded,
    /// The job ended early. A restart continues it.
    Failed,
    /// A caller stopped the job. A restart continues it.
    Stopped,
}

/// An invocation of the worker by the state machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// Divides the file into chunks. Returns a [`Split`].
    Split {
        /// The job.
        job: ImportJob,
        /// The name of the execution.
        attempt: String,
    },
    /// Imports a chunk and writes its results.
    Chunk {
        /// The job.
        job: ImportJob,
        /// The answer of [`Step::Split`].
        split: Split,
        /// The chunk.
        chunk: Chunk,
    },
    /// Adds up the results and deletes the file.
    Finish {
        /// The job.
        job: ImportJob,
        /// The answer of [`Step::Split`].
        split: Split,
    },
}
