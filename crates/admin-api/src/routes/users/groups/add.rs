//! `PUT /v1/users/{username}/groups/{group}`: adds a user, named by user name or `sub`, to a group.

use axum::extract::State;
use domain::user_pool::groups::GroupName;
use domain::user_pool::user::Username;
use http::StatusCode;

use crate::app::App;
use crate::authz::access::Authorized;
use crate::authz::target_user::NamedUser;
use crate::http::error::ApiError;
use crate::routes::target::TargetGroup;

/// Add a user to a group
///
/// The path takes the user name or the `sub`, not an alias. Callers cannot add themselves. The caller must be allowed
/// to assign the group and must have all permissions that it grants. A group with an IAM role also requires
/// `groups:roles`. Repeating the request changes nothing.
#[utoipa::path(
    put, path = "/v1/users/{username}/groups/{group}", tag = "users", operation_id = "add_user_to_group",
    params(("username" = Username, Path), ("group" = GroupName, Path)),
    responses((status = 204, description = "The user is in the group.")),
    extensions(("x-problems" = json!(["user-not-found", "group-not-found"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    authorized: Authorized,
    NamedUser(user): NamedUser,
    TargetGroup(group): TargetGroup,
) -> Result<StatusCode, ApiError> {
    authorized.ensure_not_self(&user)?;
    app.pool.add_to_group(&user.id(), group.as_str()).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Api, Call, token};

    fn put(path: &str) -> Call {
        Call::new("PUT", path, None)
    }

    #[tokio::test]
    async fn adding_a_user_twice_changes_nothing() {
        let api = Api::new();
        for name in ["mia", "mia", &api.sub_of("mia")] {
            let answer = api.call(put(&format!("/v1/users/{name}/groups/readers"))).await;
            assert_eq!((answer.status, api.pool.groups_of("mia")), (204, vec!["readers".to_owned()]), "{name}");
        }
    }

    #[tokio::test]
    async fn rejects_an_alias_and_names_the_field() {
        let api = Api::new();
        let visitors = "/groups/visitors";
        for (method, before) in [("PUT", vec![]), ("DELETE", vec!["visitors"])] {
            api.pool.add_user("ann", "Password-of-ann-1", &before, &[("preferred_username", "annie")]);
            let call = |name: &str| Call::new(method, &format!("/v1/users/{name}{visitors}"), None);
            let answer = api.call(call("annie")).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!("username")), "{method}");
            assert_eq!(api.pool.groups_of("ann"), before, "{method}");
            assert_eq!(api.call(call("ann")).await.status, 204, "{method}");
        }
    }

    #[tokio::test]
    async fn a_list_of_assignable_groups_limits_users_groups() {
        let api = Api::new();
        api.pool.add_user("sue", "Password-of-sue-1", &["assigners"], &[]);
        api.pool.add_group("guests");
        let change = async |method: &'static str, group: &str| {
            let call = Call::new(method, &format!("/v1/users/mia/groups/{group}"), None);
            api.call(call.by(token("sue", "[assigners]"))).await
        };
        assert_eq!(change("PUT", "visitors").await.status, 204);
        assert_eq!(change("DELETE", "visitors").await.status, 204);
        for group in ["guests", "readers", "assigners", "no-such-group"] {
            for method in ["PUT", "DELETE"] {
                let answer = change(method, group).await;
                assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{method} {group}");
                // The reason is the same for every group outside the list. Another reason would reveal the group's
                // permissions.
                let detail = answer.body["detail"].as_str().unwrap();
                assert!(detail.contains("do not include this group"), "{method} {group}: {detail}");
            }
        }
        assert_eq!(api.pool.groups_of("mia"), Vec::<String>::new());
    }
}
