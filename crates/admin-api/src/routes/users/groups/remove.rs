//! `DELETE /v1/users/{username}/groups/{group}`: removes a user, named by user name or `sub`, from a group.

use axum::extract::State;
use domain::user_pool::groups::GroupName;
use domain::user_pool::user::Username;
use http::StatusCode;

use crate::app::App;
use crate::authz::access::Authorized;
use crate::authz::target_user::NamedUser;
use crate::http::error::ApiError;
use crate::routes::target::TargetGroup;

/// Remove a user from a group
///
/// The path takes the user name or the `sub`, not an alias. Callers cannot remove themselves. The caller must be
/// allowed to assign the group. The user's tokens contain the group until they expire, but this API reads the groups
/// from the user pool before every write. Repeating the request changes nothing.
#[utoipa::path(
    delete, path = "/v1/users/{username}/groups/{group}", tag = "users", operation_id = "remove_user_from_group",
    params(("username" = Username, Path), ("group" = GroupName, Path)),
    responses((status = 204, description = "The user is not in the group.")),
    extensions(("x-problems" = json!(["user-not-found", "group-not-found"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    authorized: Authorized,
    NamedUser(user): NamedUser,
    TargetGroup(group): TargetGroup,
) -> Result<StatusCode, ApiError> {
    authorized.ensure_not_self(&user)?;
    app.pool.remove_from_group(&user.id(), group.as_str()).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Api, Call, token};

    #[tokio::test]
    async fn removing_a_user_twice_changes_nothing_and_keeps_other_groups() {
        let api = Api::new();
        api.pool.add_user("ann", "Password-of-ann-1", &["readers", "visitors"], &[]);
        for time in ["once", "twice"] {
            let answer = api.call(Call::delete("/v1/users/ann/groups/readers")).await;
            assert_eq!((answer.status, api.pool.groups_of("ann")), (204, vec!["visitors".to_owned()]), "{time}");
        }
    }

    #[tokio::test]
    async fn callers_cannot_remove_themselves_from_a_group() {
        let api = Api::new();
        for name in ["root", "root@example.com", &api.sub_of("root")] {
            let answer = api.call(Call::delete(&format!("/v1/users/{name}/groups/admins"))).await;
            assert!(answer.status == 403 || name.contains('@'), "{name}: {answer:?}");
            assert!(answer.status >= 400, "{name}: {answer:?}");
        }
        assert_eq!(api.pool.groups_of("root"), ["admins"]);
        api.pool.add_user("ann", "Password-of-ann-1", &["admins"], &[]);
        assert_eq!(api.call(Call::delete("/v1/users/ann/groups/admins")).await.status, 204);
        assert_eq!(api.pool.groups_of("ann"), Vec::<String>::new());
    }

    #[tokio::test]
    async fn unknown_users_and_unknown_groups_have_different_codes() {
        let api = Api::new();
        let answer = api.call(Call::delete("/v1/users/nobody/groups/readers")).await;
        assert_eq!((answer.status, answer.code()), (404, "user-not-found"));
        let answer = api.call(Call::delete("/v1/users/mia/groups/no-such-group")).await;
        assert_eq!((answer.status, answer.code()), (404, "group-not-found"));
    }

    #[tokio::test]
    async fn invalid_names_are_rejected_with_the_field() {
        for (path, field) in
            [("/v1/users/two%20words/groups/readers", "username"), ("/v1/users/mia/groups/two%20words", "group")]
        {
            let answer = Api::new().call(Call::delete(path)).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{path}");
        }
    }

    #[tokio::test]
    async fn rejects_callers_who_can_only_read() {
        let api = Api::new();
        let answer = api.call(Call::delete("/v1/users/root/groups/admins").by(token("ray", "[readers]"))).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
        assert_eq!(api.pool.groups_of("root"), ["admins"]);
    }
}
