//! A job, and the steps in which the state machine runs it.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};
use time::OffsetDateTime;

use super::chunk::{Chunk, Split};
use super::files::keys;
use super::id::JobId;
use crate::transfer::{Format, ImportOptions, JobRows};

/// What a job does.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum JobType {
    /// Creates users from a file.
    Import,
    /// Writes the users to files.
    Export,
    /// Writes the settings, app clients, groups and users to an archive.
    Backup,
    /// Creates groups and users from an archive.
    Restore,
}

impl JobType {
    /// The name in ids and requests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The input of the state machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Job {
    /// An import of an uploaded file.
    Import(ImportJob),
    /// An export of the users.
    Export(ExportJob),
    /// A backup of the pool.
    Backup(ExportJob),
    /// A restore of groups and users from an uploaded archive or a backup.
    Restore(ImportJob),
}

impl Job {
    /// What the job does.
    #[must_use]
    pub fn job_type(&self) -> JobType {
        match self {
            Self::Import(_) => JobType::Import,
            Self::Export(_) => JobType::Export,
            Self::Backup(_) => JobType::Backup,
            Self::Restore(_) => JobType::Restore,
        }
    }

    /// The caller who started the job.
    #[must_use]
    pub fn requested_by(&self) -> &str {
        match self {
            Self::Import(job) | Self::Restore(job) => &job.requested_by,
            Self::Export(job) | Self::Backup(job) => &job.requested_by,
        }
    }

    /// When the job was first started; `None` for a scheduled backup.
    #[must_use]
    pub fn requested_at(&self) -> Option<OffsetDateTime> {
        match self {
            Self::Import(job) | Self::Restore(job) => Some(job.requested_at),
            Self::Export(job) | Self::Backup(job) => job.requested_at,
        }
    }

    /// The backup that is restored.
    #[must_use]
    pub fn backup(&self) -> Option<&JobId> {
        match self {
            Self::Restore(restore) => restore.backup.as_ref(),
            Self::Import(_) | Self::Export(_) | Self::Backup(_) => None,
        }
    }

    /// Whether a repeated request is about the same job.
    pub(super) fn is_same(&self, repeated: &Self) -> bool {
        match (self, repeated) {
            (Self::Import(first), Self::Import(repeated)) | (Self::Restore(first), Self::Restore(repeated)) => {
                let fields = |job: &ImportJob| (job.id.clone(), job.format, job.backup.clone(), job.options);
                fields(first) == fields(repeated)
            }
            (Self::Export(first), Self::Export(repeated)) | (Self::Backup(first), Self::Backup(repeated)) => {
                first.mfa == repeated.mfa
            }
            _ => false,
        }
    }
}

/// An export or a backup. The name of the execution is its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportJob {
    /// Whether the second factors of each user are read. Each read counts towards the monthly active users.
    #[serde(default)]
    pub mfa: bool,
    /// The caller who started the job.
    pub requested_by: String,
    /// When the job was started. A schedule sends no time.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub requested_at: Option<OffsetDateTime>,
}

/// An import of an uploaded file, or a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportJob {
    /// The id of the job and of its uploaded file.
    pub id: JobId,
    /// The format of the users. An archive contains JSON Lines.
    pub format: Format,
    /// The backup of this stack that is restored instead of an uploaded archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<JobId>,
    /// What the import can change.
    pub options: JobOptions,
    /// The caller who started the job.
    pub requested_by: String,
    /// When the job was first started.
    #[serde(with = "time::serde::rfc3339")]
    pub requested_at: OffsetDateTime,
}

impl ImportJob {
    /// The key of the file.
    pub(super) fn file(&self) -> String {
        match &self.backup {
            Some(backup) => keys::archive(backup),
            None => keys::upload(&self.id),
        }
    }

    /// Whether the file is an archive.
    pub(super) fn is_restore(&self) -> bool {
        self.id.job_type() == JobType::Restore
    }
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
    /// Each row has a result, or each user is exported.
    Succeeded,
    /// The job ended early. A restart continues an import or restore.
    Failed,
    /// A caller stopped the job. A restart continues an import or restore.
    Stopped,
}

/// An invocation of the worker that imports, by the state machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// Divides the file into chunks. Returns a [`Split`].
    Split {
        /// The job, which is an import or a restore.
        job: Job,
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

/// An invocation of the worker that exports, by the state machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ExportStep {
    /// Writes the users to files.
    Export {
        /// The job.
        job: Job,
        /// The name of the execution.
        attempt: String,
    },
    /// Checks the files, writes the archive of a backup, and writes the summary.
    Complete {
        /// The job.
        job: Job,
        /// The name of the execution.
        attempt: String,
    },
}
