//! `DELETE /v1/jobs/{id}`: stops a job.

use axum::extract::State;
use domain::jobs::JobId;
use http::StatusCode;

use super::{TargetJob, recorded};
use crate::app::App;
use crate::audit::record::Audit;
use crate::http::error::ApiError;

/// Stop a job
///
/// Rows in progress end within seconds, exports within a minute. Users that were created stay in the pool, and the results
/// stay readable. `POST /v1/jobs` continues an import. Does nothing if the job ended, so the request is safe to repeat.
#[utoipa::path(
    delete, path = "/v1/jobs/{id}", tag = "jobs", operation_id = "stop_job",
    params(("id" = JobId, Path)),
    responses((status = 204, description = "The job is stopped or ended.")),
    extensions(("x-problems" = json!(["not-found", "job-not-found", "wrong-state", "jobs-unavailable"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    TargetJob(id): TargetJob,
) -> Result<StatusCode, ApiError> {
    audit.fields([recorded(&id)]);
    app.jobs()?.stop(&id).await?.ok_or(ApiError::JobNotFound)?;
    Ok(StatusCode::NO_CONTENT)
}
