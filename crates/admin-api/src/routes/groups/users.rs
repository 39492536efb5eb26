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
    /// The cursor of the next page; null on the last page. An empty page is not necessarily the last page.
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
    use serde_json::json;

    use crate::testing::pages::walk;
    use crate::testing::{Api, Call, token};

    const PATH: &str = "/v1/groups/readers/users";

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
    async fn an_empty_page_is_not_necessarily_the_last_one() {
        let api = Api::new();
        api.pool.add_user("zoe", "Correct-1", &["readers"], &[]);
        api.pool.list_in_pages_of(1);
        let users = walk(&api, PATH, "users").await;
        assert_eq!(users.iter().map(|user| &user["username"]).collect::<Vec<_>>(), ["ray", "zoe"]);
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
        let answer = api.call(Call::get("/v1/groups/nothing/users")).await;
        assert_eq!((answer.status, answer.code()), (404, "group-not-found"));
    }
}
