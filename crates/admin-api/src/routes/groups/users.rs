//! `GET /v1/groups/{group}/users?limit=&cursor=`: lists the users in a group, in pages.

use axum::Json;
use axum::extract::State;
use domain::user_pool::groups::GroupName;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access::Authorized;
use crate::http::error::ApiError;
use crate::http::pages::{PageParameters, next_cursor, page_request};
use crate::http::query::Query;
use crate::routes::target::TargetGroup;
use crate::routes::user_view::UserView;

/// A page of the users in a group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GroupMembers, example = json!({"users": [UserView::example()], "next_cursor": null}))]
pub(crate) struct Answer {
    users: Vec<UserView>,
    /// The cursor of the next page; null on the last page. An empty page is not necessarily the last one.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// List the users in a group
///
/// Returns attributes only with the permission `users:read`. Recent changes can be missing.
#[utoipa::path(
    get, path = "/v1/groups/{group}/users", tag = "groups", operation_id = "list_group_users",
    params(("group" = GroupName, Path), PageParameters),
    responses((status = 200, description = "A page of users.", body = Answer)),
    extensions(("x-problems" = json!(["group-not-found"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    authorized: Authorized,
    audit: Audit,
    TargetGroup(name): TargetGroup,
    Query(parameters): Query<PageParameters>,
) -> Result<Json<Answer>, ApiError> {
    let list = format!("groups/{name}/users");
    let request = page_request(&app.cursors, &list, parameters).await?;
    let page = app.pool.members(&name, &request).await?;
    audit.results(page.entries.len());
    let next_cursor = next_cursor(&app.cursors, &list, &request, page.next).await?;
    Ok(Json(Answer { users: app.views(page.entries, &authorized).await, next_cursor }))
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use serde_json::{Value, json};

    use crate::testing::pages::{assert_refuses_cursor, cursor_of, walk};
    use crate::testing::{Api, Call, token};

    const PATH: &str = "/v1/groups/readers/users";

    fn with_readers() -> Api {
        let api = Api::new();
        for name in ["abe", "eve", "zoe"] {
            api.pool.add_user(name, "Correct-1", &["readers", "visitors"], &[]);
        }
        api
    }

    fn names(users: &[Value]) -> Vec<&str> {
        users.iter().map(|user| user["username"].as_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn members_have_no_attributes_without_users_read() {
        let api = Api::new();
        api.pool.add_user("aud", "Password-of-aud-1", &["auditors"], &[]);
        api.pool.add_user("ann", "Password-of-ann-1", &["members"], &[("email", "ann@example.com")]);
        for (groups, attributes) in
            [("[auditors]", json!({})), ("[auditors readers]", json!({"email": "ann@example.com"}))]
        {
            let answer = api.call(Call::get("/v1/groups/members/users").by(token("aud", groups))).await;
            assert_eq!((answer.status, &answer.body["users"][0]["username"]), (200, &json!("ann")), "{groups}");
            assert_eq!(answer.body["users"][0]["attributes"], attributes, "{groups}");
        }
    }

    #[tokio::test]
    async fn every_member_is_on_exactly_one_page() {
        let api = with_readers();
        assert_eq!(names(&walk(&api, PATH, "users").await), ["abe", "eve", "ray", "zoe"]);
        // Pages of the user pool without members of the group are empty, and not the last page.
        api.pool.list_in_pages_of(1);
        assert_eq!(names(&walk(&api, PATH, "users").await), ["abe", "eve", "ray", "zoe"]);
    }

    #[tokio::test]
    async fn returns_members_as_users_and_no_members_of_an_empty_group() {
        let api = Api::new();
        api.pool.add_group("empty");
        let ray = api.call(Call::get("/v1/users/ray")).await.body;
        let answer = api.call(Call::get(PATH)).await;
        assert_eq!((answer.status, answer.body), (200, json!({"users": [ray], "next_cursor": null})));
        let answer = api.call(Call::get("/v1/groups/empty/users")).await;
        assert_eq!((answer.status, answer.body), (200, json!({"users": [], "next_cursor": null})));
    }

    #[tokio::test]
    async fn rejects_a_cursor_of_another_list_or_group() {
        let api = with_readers();
        for other in ["/v1/groups", "/v1/users", "/v1/groups/visitors/users"] {
            assert_refuses_cursor(&api, PATH, &cursor_of(&api, other).await).await;
        }
    }

    #[tokio::test]
    async fn rejects_unknown_groups_and_invalid_parameters() {
        let answer = Api::new().call(Call::get("/v1/groups/nothing/users")).await;
        assert_eq!((answer.status, answer.code()), (404, "group-not-found"));
        for (path, field) in [
            ("/v1/groups/two%20words/users", "group"),
            ("/v1/groups/readers/users?limit=0", "limit"),
            ("/v1/groups/readers/users?status=CONFIRMED", "status"),
        ] {
            let answer = Api::new().call(Call::get(path)).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{path}");
        }
    }

    #[tokio::test]
    async fn throttled_calls_set_retry_after() {
        let api = Api::new();
        api.pool.fail("members", 1, Reason::Throttled);
        let answer = api.call(Call::get(PATH)).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    }

    #[tokio::test]
    async fn rejects_callers_with_users_read_only() {
        let answer = Api::new().call(Call::get(PATH).by(token("ray", "[readers]"))).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
        assert_eq!(answer.body["users"], Value::Null);
    }
}
