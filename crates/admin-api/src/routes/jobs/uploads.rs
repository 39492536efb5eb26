//! `POST /v1/jobs/uploads`: prepares the upload of a file.

use std::collections::BTreeMap;

use axum::extract::State;
use domain::jobs::{JobId, JobType, Upload};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::recorded;
use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access::Unlimited;
use crate::http::error::ApiError;
use crate::http::json::Json;

/// The job that the file is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateUpload, example = json!({"type": "import"}))]
pub(crate) struct Body {
    #[schema(inline)]
    r#type: HasFile,
}

/// The types of jobs that read a file.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum HasFile {
    Import,
    Restore,
}

// The type contains the URL as text, so it does not implement `Debug`.
/// The request that uploads a file.
#[derive(Serialize, ToSchema)]
#[schema(as = JobUpload, example = Self::example)]
pub(crate) struct Answer {
    /// The id for `upload` in `POST /v1/jobs`.
    id: JobId,
    /// The method of the request.
    method: String,
    /// The URL of the request. It is secret, because anyone with the URL can upload the file.
    #[schema(format = Password)]
    url: String,
    /// The headers that the request must contain.
    headers: BTreeMap<String, String>,
    /// When the URL expires.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

impl Answer {
    fn of(upload: Upload) -> Self {
        let Upload { id, url, expires_at } = upload;
        // The signature covers the header, with which S3 does not replace an existing file.
        let headers = BTreeMap::from([("if-none-match".to_owned(), "*".to_owned())]);
        Self { id, method: "PUT".to_owned(), url: url.expose().to_owned(), headers, expires_at }
    }

    /// Example for the OpenAPI document.
    fn example() -> Value {
        json!({
            "id": "import-50d858e0985ecc7f60418aaf0cc5ab58",
            "method": "PUT",
            "url": "https://shop-jobs.s3.eu-central-1.amazonaws.com/uploads/import-…?X-Amz-…",
            "headers": {"if-none-match": "*"},
            "expires_at": "2026-01-07T09:45:00Z",
        })
    }
}

/// Upload a file of a job
///
/// Returns a presigned URL of Amazon S3 that accepts one file within 15 minutes. Send the file as the body of the
/// returned request, without the access token. S3 rejects a second upload with 412, so the file cannot be
/// replaced. If your first request receives 412, another client used the URL. Discard the id and prepare another upload.
/// The file is encrypted, and deleted when the job succeeds. An import or restore can set passwords and groups of any user, so
/// the caller needs all permissions, not only `jobs:write`.
#[utoipa::path(
    post, path = "/v1/jobs/uploads", tag = "jobs", operation_id = "create_job_upload",
    request_body = Body,
    responses((status = 201, description = "The request that uploads the file.", body = Answer)),
    extensions(("x-problems" = json!(["not-found", "wrong-state", "jobs-unavailable"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    _: Unlimited,
    Json(Body { r#type }): Json<Body>,
) -> Result<(StatusCode, axum::Json<Answer>), ApiError> {
    let job_type = match r#type {
        HasFile::Import => JobType::Import,
        HasFile::Restore => JobType::Restore,
    };
    let upload = app.jobs()?.upload(job_type).await?;
    audit.fields([recorded(&upload.id)]);
    Ok((StatusCode::CREATED, axum::Json(Answer::of(upload))))
}
