//! `POST /v1/jobs`: starts or restarts a job.

pub(super) mod request;

use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use domain::jobs::Start;
use http::StatusCode;
use http::header::LOCATION;

use self::request::Body;
use super::recorded;
use super::view::JobResponse;
use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access::Unlimited;
use crate::http::error::{ApiError, JobConflict};
use crate::http::idempotency_key::IdempotencyKey;
use crate::http::json::JsonText;

/// Start a job
///
/// Starts the import of an uploaded file, an export of all users, a backup of the pool, or a restore of groups and users.
/// The caller needs all permissions, not only `jobs:write`, because an import or restore can set the groups of any user,
/// and an export contains all attributes of all users.
///
/// The same request restarts an import or restore that failed or was stopped, and rows with a result are skipped. An
/// export or backup that failed is not restarted; start another one. The request changes nothing while the job runs, or
/// after the job succeeded. Jobs without an upload are recognized by the header `Idempotency-Key`, for 90 days and for the
/// same caller. Without the header, each request starts such a job. Two requests that start or restart a job at the same
/// time can both return 202. Returns `wrong-state` if the file does not exist, if the job was started with other options,
/// or after 50 attempts.
#[utoipa::path(
    post, path = "/v1/jobs", tag = "jobs", operation_id = "start_job",
    params((
        "Idempotency-Key" = Option<String>, Header,
        description = "A text that the client generates for each job without an upload. Makes the request safe to repeat.",
        min_length = 1, max_length = 255, pattern = "^[!-~]+$", nullable = false,
    )),
    request_body = Body,
    responses(
        (status = 200, description = "The job exists. Nothing was changed.", body = JobResponse),
        (status = 202, description = "The job is started.", body = JobResponse, headers(("Location" = String))),
    ),
    extensions(("x-problems" = json!(["not-found", "wrong-state", "jobs-unavailable"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    Unlimited(authorized): Unlimited,
    IdempotencyKey(key): IdempotencyKey,
    text: JsonText,
) -> Result<impl IntoResponse, ApiError> {
    let body = Body::read(&text)?;
    let (jobs, options) = (app.jobs()?, body.options());
    let (id, job) = body.job(authorized.caller.name(), key.as_deref(), jobs.clock)?;
    audit.fields([Some(&id), job.backup()].into_iter().flatten().map(recorded));
    audit.fields(options);
    let location = format!("/v1/jobs/{id}");
    match jobs.start(id, job).await? {
        Start::Started(view) => {
            let job = axum::Json(JobResponse::from(view));
            Ok((StatusCode::ACCEPTED, AppendHeaders([(LOCATION, location)]), job).into_response())
        }
        Start::Exists(view) => Ok(axum::Json(JobResponse::from(view)).into_response()),
        Start::Differs => Err(ApiError::Job(JobConflict::Differs)),
        Start::NoFile => Err(ApiError::Job(JobConflict::NoFile)),
        Start::TooManyAttempts => Err(ApiError::Job(JobConflict::TooManyAttempts)),
    }
}
