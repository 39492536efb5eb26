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
    use domain::user_pool::error::Reason;
    use serde_json::json;

    use crate::testing::{Api, Call, token};

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

    #[tokio::test]
    async fn rejects_invalid_names() {
        for name in ["two%20words".to_owned(), "%FF".to_owned(), "%0A".to_owned(), "x".repeat(129)] {
            let answer = Api::new().call(Call::get(&format!("/v1/groups/{name}"))).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{name}");
            assert_eq!(answer.body["field"], "group", "{name}");
        }
    }

    #[tokio::test]
    async fn throttled_calls_set_retry_after() {
        let api = Api::new();
        api.pool.fail("group", 1, Reason::Throttled);
        let answer = api.call(Call::get("/v1/groups/admins")).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    }

    #[tokio::test]
    async fn rejects_callers_with_users_read_only() {
        let api = Api::new();
        for name in ["admins", "nothing"] {
            let answer = api.call(Call::get(&format!("/v1/groups/{name}")).by(token("ray", "[readers]"))).await;
            assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{name}");
        }
        assert_eq!(api.pool.calls(), Vec::<&str>::new());
    }
}
