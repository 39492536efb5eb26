//! `GET /v1/jobs?limit=&cursor=`: lists jobs in pages.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::JobResponse;
use crate::app::App;
use crate::audit::record::Audit;
use crate::http::error::ApiError;
use crate::http::pages::{EXAMPLE_CURSOR, PageParameters, next_cursor, page_request};
use crate::http::query::Query;

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Jobs, example = json!({"jobs": [JobResponse::example()], "next_cursor": EXAMPLE_CURSOR}))]
pub(crate) struct Answer {
    jobs: Vec<JobResponse>,
    /// The cursor of the next page; null on the last page. It expires after a day.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

const LIST: &str = "jobs";

/// List jobs
///
/// Returns the jobs of the last 90 days: running jobs by start, then ended jobs by end, the latest first. Earlier attempts
/// of a restarted job are left out, so a page can contain fewer jobs than the limit. `GET /v1/jobs/{id}` also returns
/// progress and summary, until 90 days after the end of the first attempt.
#[utoipa::path(
    get, path = "/v1/jobs", tag = "jobs", operation_id = "list_jobs",
    params(PageParameters),
    responses((status = 200, description = "A page of jobs.", body = Answer)),
    extensions(("x-problems" = json!(["not-found", "wrong-state", "jobs-unavailable"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    Query(parameters): Query<PageParameters>,
) -> Result<Json<Answer>, ApiError> {
    let request = page_request(&app.cursors, LIST, parameters).await?;
    let page = app.jobs()?.list(&request).await?;
    audit.results(page.entries.len());
    let next_cursor = next_cursor(&app.cursors, LIST, &request, page.next).await?;
    Ok(Json(Answer { jobs: page.entries.into_iter().map(Into::into).collect(), next_cursor }))
}
