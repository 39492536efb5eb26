//! `GET /v1/groups/{group}`: returns a group.

use axum::Json;
use axum::extract::State;
use domain::user_pool::groups::GroupName;

use super::view::GroupView;
use crate::app::App;
use crate::http::error::ApiError;
use crate::routes::target::TargetGroup;

/// Get a group
#[utoipa::path(
    get, path = "/v1/groups/{group}", tag = "groups", operation_id = "get_group",
    params(("group" = GroupName, Path)),
    responses((status = 200, description = "The group.", body = GroupView)),
    extensions(("x-problems" = json!(["group-not-found"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    TargetGroup(name): TargetGroup,
) -> Result<Json<GroupView>, ApiError> {
    Ok(Json(app.pool.group(&name).await?.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Api, Call};

    #[tokio::test]
    async fn finds_a_group_by_its_exact_name() {
        let api = Api::new();
        let answer = api.call(Call::get("/v1/groups/admins")).await;
        let expected = json!({
            "name": "admins", "description": null, "precedence": null, "role_arn": null,
            "created_at": answer.body["created_at"], "modified_at": answer.body["modified_at"],
        });
        assert_eq!((answer.status, &answer.body), (200, &expected));
        for name in ["Admins", "admin", "admins,x", "nothing"] {
            let answer = api.call(Call::get(&format!("/v1/groups/{name}"))).await;
            assert_eq!((answer.status, answer.code()), (404, "group-not-found"), "{name}");
        }
    }
}
