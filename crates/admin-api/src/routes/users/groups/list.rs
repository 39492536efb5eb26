//! `GET /v1/users/{username}/groups`: lists the groups of a user.

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
    /// The names of all groups of the user.
    groups: Vec<String>,
}

/// List a user's groups
///
/// Returns the names of all groups of the user.
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

pub(in crate::routes::users) fn names(memberships: Vec<Membership>) -> Vec<String> {
    memberships.into_iter().map(|membership| membership.group).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Api, Call};

    #[tokio::test]
    async fn returns_the_groups_of_a_user() {
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
    async fn an_unknown_user_is_not_found_and_an_invalid_name_is_rejected() {
        let answer = Api::new().call(Call::get("/v1/users/nobody/groups")).await;
        assert_eq!((answer.status, answer.code()), (404, "user-not-found"));
        let answer = Api::new().call(Call::get("/v1/users/two%20words/groups")).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!("username")));
    }
}
