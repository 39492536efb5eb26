//! `GET /v1/jobs/{id}`: returns a job with its progress.

use axum::Json;
use axum::extract::State;
use domain::jobs::JobId;

use super::TargetJob;
use super::view::DetailsResponse;
use crate::app::App;
use crate::http::error::ApiError;

/// Get a job
///
/// Returns the job with its progress and, after it succeeded, its summary.
#[utoipa::path(
    get, path = "/v1/jobs/{id}", tag = "jobs", operation_id = "get_job",
    params(("id" = JobId, Path)),
    responses((status = 200, description = "The job.", body = DetailsResponse)),
    extensions(("x-problems" = json!(["not-found", "job-not-found", "wrong-state", "jobs-unavailable"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    TargetJob(id): TargetJob,
) -> Result<Json<DetailsResponse>, ApiError> {
    let view = app.jobs()?.find(&id).await?.ok_or(ApiError::JobNotFound)?;
    Ok(Json(view.into()))
}
