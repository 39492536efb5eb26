//! A job in responses.

use std::collections::BTreeMap;

use domain::jobs::{ExportJob, ImportJob, Job, JobId, JobOptions, JobStatus, JobType, JobView, Progress};
use domain::transfer::Format;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strum::EnumString;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A job.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job, example = Self::example)]
pub(super) struct JobResponse {
    id: JobId,
    r#type: JobType,
    /// The status of the latest attempt. It can be a few seconds old.
    status: JobStatus,
    /// The format of the file; null unless the type is `import`.
    #[schema(required = true)]
    format: Option<Format>,
    /// What the import or restore can change; null for other jobs.
    #[schema(required = true)]
    options: Option<ImportOptions>,
    /// The backup that is restored; null for other jobs, and for the restore of an uploaded archive.
    #[schema(required = true)]
    backup: Option<JobId>,
    /// Whether the second factors of each user are read; null unless the type is `export` or `backup`.
    #[schema(required = true)]
    mfa: Option<bool>,
    /// The user name of the caller who started the job, or `schedule`.
    requested_by: String,
    /// When the job was first started.
    #[serde(with = "time::serde::rfc3339")]
    requested_at: OffsetDateTime,
    /// The number of attempts: 1, and 1 for each restart.
    #[schema(minimum = 1)]
    attempts: u32,
    /// When the latest attempt started.
    #[serde(with = "time::serde::rfc3339")]
    started_at: OffsetDateTime,
    /// When the latest attempt ended; null while the job runs.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required = true)]
    ended_at: Option<OffsetDateTime>,
    /// Why the latest attempt failed; null unless the status is `failed`.
    #[schema(required = true)]
    error: Option<JobError>,
}

/// What an import can change. By default, an import only creates users.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "independent options of the caller")]
struct ImportOptions {
    update: bool,
    trust_user_names: bool,
    create_groups: bool,
    dry_run: bool,
}

/// Why an attempt failed. Later versions can add values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, EnumString, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum JobError {
    /// The job exceeded a time limit. Start it again.
    #[strum(serialize = "TimeUp", serialize = "States.Timeout")]
    TimedOut,
    /// The daily e-mail quota of the user pool is used up. Restart the job the next day.
    MailQuota,
    /// The worker lacks an AWS permission. Its log contains the call.
    Forbidden,
    /// AWS was unavailable. Start the job again.
    Unavailable,
    /// Cognito rejected a call that concerns no row, for example because the user pool does not exist. The log contains
    /// the reason.
    Rejected,
    /// The file cannot be read, or was replaced. Upload it again.
    InvalidFile,
    /// Rows have no result, or users are not exported. Start the job again.
    Incomplete,
    /// The export was interrupted for more than an hour. Start another one.
    Expired,
    /// The user pool does not exist, or its settings cannot be backed up. The log contains the reason.
    BackupFailed,
    /// The pool has more than 5 million memberships, or its users do not fit into the archive of a backup. The
    /// command-line program has no such limits.
    TooLarge,
    /// Another error, which the execution of the state machine describes.
    Internal,
}

impl From<JobOptions> for ImportOptions {
    fn from(options: JobOptions) -> Self {
        let JobOptions { update, trust_user_names, create_groups, dry_run } = options;
        Self { update, trust_user_names, create_groups, dry_run }
    }
}

impl JobResponse {
    /// Example for the OpenAPI document.
    pub(super) fn example() -> Value {
        json!({
            "id": "import-50d858e0985ecc7f60418aaf0cc5ab58",
            "type": "import",
            "status": "running",
            "format": "json-lines",
            "options": {"update": false, "trust_user_names": false, "create_groups": true, "dry_run": false},
            "backup": null,
            "mfa": null,
            "requested_by": "root",
            "requested_at": "2026-01-07T09:30:00Z",
            "attempts": 1,
            "started_at": "2026-01-07T09:30:00Z",
            "ended_at": null,
            "error": null,
        })
    }
}

impl From<JobView> for JobResponse {
    fn from(view: JobView) -> Self {
        let JobView { id, job, status, attempts, started_at, ended_at, error, progress: _, summary: _ } = view;
        let (requested_by, requested_at) = (job.requested_by().to_owned(), job.requested_at().unwrap_or(started_at));
        let backup = job.backup().cloned();
        let (format, options, mfa) = match job {
            Job::Import(ImportJob { format, options, .. }) => (Some(format), Some(options.into()), None),
            Job::Restore(ImportJob { options, .. }) => (None, Some(options.into()), None),
            Job::Export(ExportJob { mfa, .. }) | Job::Backup(ExportJob { mfa, .. }) => (None, None, Some(mfa)),
        };
        // The names of errors that the worker does not return are those of the state machine, such as `States.Timeout`.
        let error = error.map(|name| name.parse().unwrap_or(JobError::Internal));
        let r#type = id.job_type();
        Self {
            id,
            r#type,
            status,
            format,
            options,
            backup,
            mfa,
            requested_by,
            requested_at,
            attempts,
            started_at,
            ended_at,
            error,
        }
    }
}

/// A job with its progress and its summary.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobDetails, example = Self::example)]
pub(crate) struct DetailsResponse {
    #[serde(flatten)]
    job: JobResponse,
    /// The progress of all attempts of an import or restore; null until the file is divided into chunks, and for other
    /// jobs.
    #[schema(required = true)]
    progress: Option<JobProgress>,
    /// The progress of an export or backup; null until the first users are exported, and for other jobs.
    #[schema(required = true)]
    exported: Option<ExportProgress>,
    /// The sum of all results; null unless the status is `succeeded`.
    #[schema(required = true)]
    summary: Option<JobSummary>,
}

/// The progress of an import. Several chunks of the file are imported at the same time.
#[derive(Debug, Serialize, ToSchema)]
struct JobProgress {
    /// The number of rows of the file.
    rows: u64,
    /// The number of chunks.
    chunks: u64,
    /// The number of chunks whose rows all have results.
    done: u64,
}

/// The progress of an export or backup. Memberships are read before the users.
#[derive(Debug, Serialize, ToSchema)]
struct ExportProgress {
    /// The number of exported users.
    rows: u64,
    /// The number of all users, as Cognito estimates it; 0 until the memberships are read.
    estimated_rows: u64,
}

/// The numbers of rows of an imported file, or of exported users.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct JobSummary {
    /// The number of all rows or users.
    rows: u64,
    /// The number of rows by outcome: `created`, `updated`, `unchanged`, `skipped` or `failed`. Empty for an export.
    outcomes: BTreeMap<String, u64>,
    /// The number of skipped and failed rows by code. Empty for an export.
    codes: BTreeMap<String, u64>,
    /// The parts of users that the import did not set, or that an import of the exported users cannot set, such as
    /// `password`.
    not_moved: Vec<String>,
}

impl DetailsResponse {
    /// Example for the OpenAPI document.
    fn example() -> Value {
        let mut job = JobResponse::example();
        job["status"] = json!("succeeded");
        job["ended_at"] = json!("2026-01-07T09:52:10.123Z");
        job["progress"] = json!({"rows": 100_000, "chunks": 100, "done": 100});
        job["exported"] = json!(null);
        job["summary"] = json!({
            "rows": 100_000,
            "outcomes": {"created": 99_998, "skipped": 1, "failed": 1},
            "codes": {"user-exists": 1, "invalid-request": 1},
            "not_moved": [],
        });
        job
    }
}

impl From<JobView> for DetailsResponse {
    fn from(mut view: JobView) -> Self {
        let (progress, exported) = match view.progress {
            Some(Progress::Import { rows, chunks, done }) => (Some(JobProgress { rows, chunks, done }), None),
            Some(Progress::Export { rows, estimated_rows }) => (None, Some(ExportProgress { rows, estimated_rows })),
            None => (None, None),
        };
        // The worker wrote the summary.
        let summary = view.summary.take().and_then(|summary| serde_json::from_value(summary).ok());
        Self { job: view.into(), progress, exported, summary }
    }
}
