//! `GET /v1/users/{username}/groups`

use axum::Json;
use axum::extract::State;
use domain::user_pool::groups::Membership;
use domain::user_pool::user::Username;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::record::Audit;
use crate::http::error::ApiError;
use crate::routes::target::Target;

/// The groups of a user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserGroups, example = json!({"groups": ["support"]}))]
pub(crate) struct Answer {
    /// All of them, by name.
    groups: Vec<String>,
}

/// List a user's groups
///
/// All of them, by name.
#[utoipa::path(
    get, path = "/v1/users/{username}/groups", tag = "users", operation_id = "list_user_groups",
    params(("username" = Username, Path)),
    responses((status = 200, description = "The names of the groups.", body = Answer)),
    extensions(("x-problems" = json!(["user-not-found"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    Target(username): Target,
) -> Result<Json<Answer>, ApiError> {
    let groups = names(app.pool.groups(&username).await?);
    audit.results(groups.len());
    Ok(Json(Answer { groups }))
}

/// The names of the groups.
pub(in crate::routes::users) fn names(memberships: Vec<Membership>) -> Vec<String> {
    memberships.into_iter().map(|membership| membership.group).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Api, Call, token};

    #[tokio::test]
    async fn everybody_has_their_groups_or_none() {
        let api = Api::new();
        api.pool.add_user("ann", "Password-of-ann-1", &["readers", "admins"], &[]);
        for (name, groups) in
            [("ann", json!(["admins", "readers"])), ("mia", json!([])), ("root@example.com", json!(["admins"]))]
        {
            let answer = api.call(Call::get(&format!("/v1/users/{name}/groups"))).await;
            assert_eq!((answer.status, answer.body), (200, json!({"groups": groups})), "{name}");
        }
    }

    #[tokio::test]
    async fn an_unknown_user_is_not_found_and_no_name_is_refused() {
        let answer = Api::new().call(Call::get("/v1/users/nobody/groups")).await;
        assert_eq!((answer.status, answer.code()), (404, "user-not-found"));
        let answer = Api::new().call(Call::get("/v1/users/two%20words/groups")).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!("username")));
    }

    #[tokio::test]
    async fn who_may_only_read_users_does_not_see_their_groups() {
        let answer = Api::new().call(Call::get("/v1/users/mia/groups").by(token("ray", "[readers]"))).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
    }
}
