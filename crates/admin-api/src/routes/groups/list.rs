//! `GET /v1/groups?limit=&cursor=`: lists groups in pages.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::GroupView;
use crate::app::App;
use crate::audit::record::Audit;
use crate::http::error::ApiError;
use crate::http::pages::{EXAMPLE_CURSOR, PageParameters, next_cursor, page_request};
use crate::http::query::Query;

/// A page of groups.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Groups, example = json!({"groups": [GroupView::example()], "next_cursor": EXAMPLE_CURSOR}))]
pub(crate) struct Answer {
    groups: Vec<GroupView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

const LIST: &str = "groups";

/// List groups
#[utoipa::path(
    get, path = "/v1/groups", tag = "groups", operation_id = "list_groups",
    params(PageParameters),
    responses((status = 200, description = "A page of groups.", body = Answer)),
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    Query(parameters): Query<PageParameters>,
) -> Result<Json<Answer>, ApiError> {
    let request = page_request(&app.cursors, LIST, parameters).await?;
    let page = app.pool.list_groups(&request).await?;
    audit.results(page.entries.len());
    let next_cursor = next_cursor(&app.cursors, LIST, &request, page.next).await?;
    Ok(Json(Answer { groups: page.entries.into_iter().map(Into::into).collect(), next_cursor }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Api, Call};

    #[tokio::test]
    async fn returns_all_fields_of_a_group() {
        let api = Api::new();
        let role_arn = "arn:aws:iam::123456789012:role/admins";
        api.pool.set_group_role("admins", role_arn);
        let answer = api.call(Call::get("/v1/groups?limit=1")).await;
        let found = &answer.body["groups"][0];
        let expected = json!({
            "name": "admins", "description": null, "precedence": null, "role_arn": role_arn,
            "created_at": found["created_at"], "modified_at": found["modified_at"],
        });
        assert_eq!((answer.status, found), (200, &expected));
    }
}
