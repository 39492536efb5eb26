//! `GET /v1/jobs/{id}/results?limit=&cursor=`: lists the files with the results of a job.

use axum::Json;
use axum::extract::State;
use domain::jobs::{JobId, JobType, ResultPage};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{TargetJob, recorded};
use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access::Authorized;
use crate::http::error::ApiError;
use crate::http::pages::{EXAMPLE_CURSOR, PageParameters, next_cursor, page_request};
use crate::http::query::Query;

// The type contains URLs as text, so it does not implement `Debug`.
/// A page of files with results.
#[derive(Serialize, ToSchema)]
#[schema(as = JobResults, example = Self::example)]
pub(crate) struct Answer {
    /// The files, in the order of the rows.
    results: Vec<JobResultFile>,
    /// When the URLs expire.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// The cursor of the next page; null on the last page.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// The results of consecutive rows, consecutive users of an export, or the archive of a backup.
#[derive(Serialize, ToSchema)]
struct JobResultFile {
    /// The line of the first row in the uploaded file, or the number of the first user, from 1. Null for an archive.
    #[schema(minimum = 1, required = true)]
    first_line: Option<u64>,
    /// A presigned URL of Amazon S3 for `GET`, without the access token. It is secret, because anyone with the URL can
    /// read the file. The file of an import or export contains one JSON object per row or user. The file of a backup is
    /// a tar archive.
    #[schema(format = Password)]
    url: String,
}

impl Answer {
    /// Example for the OpenAPI document.
    fn example() -> Value {
        json!({
            "results": [{
                "first_line": 1,
                "url": "https://shop-jobs.s3.eu-central-1.amazonaws.com/jobs/import-…/results/0000000001.jsonl?X-Amz-…",
            }],
            "expires_at": "2026-01-07T09:57:10Z",
            "next_cursor": EXAMPLE_CURSOR,
        })
    }
}

/// List the results of a job
///
/// Returns presigned URLs of Amazon S3 for the files with the results so far, which are valid for five minutes. The list
/// is complete if the job succeeded. Until then, files can appear before and after those of earlier pages, so read the
/// list from the first page again.
///
/// Results of an import or restore contain user names, outcomes and codes, and the names of fields in which an existing user differs
/// from its row. They contain no passwords and no other values. An export and a backup contain all attributes of all
/// users, and the results of a restore the names of all users. These require all permissions, not only `jobs:read`.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/results", tag = "jobs", operation_id = "list_job_results",
    params(("id" = JobId, Path), PageParameters),
    responses((status = 200, description = "A page of files with results.", body = Answer)),
    extensions(("x-problems" = json!(["not-found", "job-not-found", "wrong-state", "jobs-unavailable"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    authorized: Authorized,
    TargetJob(id): TargetJob,
    Query(parameters): Query<PageParameters>,
) -> Result<Json<Answer>, ApiError> {
    audit.fields([recorded(&id)]);
    match id.job_type() {
        JobType::Import => {}
        // Also the names in the results of a restore can be the addresses of all users.
        JobType::Export | JobType::Backup | JobType::Restore => authorized.ensure_unlimited()?,
    }
    let list = format!("jobs/{id}/results");
    let request = page_request(&app.cursors, &list, parameters).await?;
    let jobs = app.jobs()?;
    let ResultPage { files, expires_at } = jobs.results(&id, request.clone()).await?;
    // A job that just started has no results.
    if files.entries.is_empty() && request.after.is_none() && !jobs.exists(&id).await? {
        return Err(ApiError::JobNotFound);
    }
    audit.results(files.entries.len());
    let next_cursor = next_cursor(&app.cursors, &list, &request, files.next).await?;
    let file = |file: domain::jobs::ResultFile| JobResultFile {
        first_line: file.first_line,
        url: file.url.expose().to_owned(),
    };
    Ok(Json(Answer { results: files.entries.into_iter().map(file).collect(), expires_at, next_cursor }))
}
