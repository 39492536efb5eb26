//! `POST /v1/jobs`: starts or restarts a job.

use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use domain::jobs::{ImportJob, JobId, JobOptions, Start};
use domain::transfer::Format;
use http::StatusCode;
use http::header::LOCATION;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::JobResponse;
use super::{JobType, recorded};
use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access::Unlimited;
use crate::http::error::{ApiError, JobConflict};
use crate::http::json::Json;

/// The job to start.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StartJob, example = json!({
    "type": "import", "upload": "import-50d858e0985ecc7f60418aaf0cc5ab58", "format": "json-lines", "create_groups": true
}))]
#[expect(clippy::struct_excessive_bools, reason = "independent options of the caller")]
pub(crate) struct Body {
    r#type: JobType,
    /// The `id` in the response of `POST /v1/jobs/uploads`. It becomes the id of the job.
    upload: JobId,
    format: Format,
    /// Whether existing users that differ from their row are changed. Otherwise they are skipped.
    #[serde(default)]
    #[schema(default = false)]
    update: bool,
    /// Whether existing users are changed even if they share no verified e-mail address or phone number with their row.
    #[serde(default)]
    #[schema(default = false)]
    trust_user_names: bool,
    /// Whether missing groups are created.
    #[serde(default)]
    #[schema(default = false)]
    create_groups: bool,
    /// Whether only reads are made. The results then contain what would happen. A dry run is a job of its own: it
    /// deletes the file. Upload the file again for the import.
    #[serde(default)]
    #[schema(default = false)]
    dry_run: bool,
}

/// Start a job
///
/// Starts the import of an uploaded file. The same request restarts a job that failed or was stopped, and rows with a
/// result are skipped. The request changes nothing while the job runs, or after the job succeeded. Two requests that start
/// or restart a job at the same time can both return 202. Returns `wrong-state`
/// if no file was uploaded, if the job was started with other options, or after 50 attempts. An import can set the
/// password and the groups of any user, so the caller needs all permissions, not only `jobs:import`.
#[utoipa::path(
    post, path = "/v1/jobs", tag = "jobs", operation_id = "start_job",
    request_body = Body,
    responses(
        (status = 200, description = "The job runs or succeeded. Nothing was changed.", body = JobResponse),
        (status = 202, description = "The job is started.", body = JobResponse, headers(("Location" = String))),
    ),
    extensions(("x-problems" = json!(["not-found", "wrong-state", "jobs-unavailable"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    Unlimited(authorized): Unlimited,
    Json(body): Json<Body>,
) -> Result<impl IntoResponse, ApiError> {
    let Body { r#type: JobType::Import, upload, format, update, trust_user_names, create_groups, dry_run } = body;
    audit.fields([recorded(&upload)]);
    let options = [
        ("update", update),
        ("trust_user_names", trust_user_names),
        ("create_groups", create_groups),
        ("dry_run", dry_run),
    ];
    audit.fields(options.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name));
    let job = ImportJob {
        id: upload,
        format,
        options: JobOptions { update, trust_user_names, create_groups, dry_run },
        requested_by: authorized.caller.name().to_owned(),
        requested_at: app.now(),
    };
    let location = format!("/v1/jobs/{}", job.id);
    match app.jobs()?.start(job).await? {
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
