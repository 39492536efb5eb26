//! `DELETE /v1/users/{username}/groups/{group}`: removes a user, named by user name or `sub`, from a group.

use axum::extract::State;
use domain::user_pool::groups::GroupName;
use domain::user_pool::user::Username;
use http::StatusCode;

use crate::app::App;
use crate::audit::steps::Progress;
use crate::authz::access::Authorized;
use crate::authz::target_user::NamedUser;
use crate::http::error::ApiError;
use crate::routes::target::TargetGroup;

/// Remove a user from a group
///
/// The path takes the user name or the `sub`, not an alias. Callers cannot remove themselves. The caller must be
/// allowed to assign the group. The user's tokens contain the group until they expire, but this API reads the groups
/// from the user pool before every write. With the session gate, services that check revocations deny these tokens. A
/// refresh, from the next second on, returns valid tokens without the group. Repeating the request changes nothing
/// else.
#[utoipa::path(
    delete, path = "/v1/users/{username}/groups/{group}", tag = "users", operation_id = "remove_user_from_group",
    params(("username" = Username, Path), ("group" = GroupName, Path)),
    responses((status = 204, description = "The user is not in the group.")),
    extensions(("x-problems" = json!(["user-not-found", "group-not-found"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    progress: Progress,
    authorized: Authorized,
    NamedUser(user): NamedUser,
    TargetGroup(group): TargetGroup,
) -> Result<StatusCode, ApiError> {
    authorized.ensure_not_self(&user)?;
    let id = user.id();
    let remove = app.pool.remove_from_group(&id, group.as_str());
    app.expire_tokens(&progress, &user.attributes, "remove-from-group", remove).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use crate::testing::{Api, Call};

    #[tokio::test]
    async fn removing_a_user_twice_changes_nothing_and_keeps_other_groups() {
        let api = Api::new();
        api.pool.add_user("ann", "Password-of-ann-1", &["admins", "visitors"], &[]);
        for time in ["once", "twice"] {
            let answer = api.call(Call::delete("/v1/users/ann/groups/admins")).await;
            assert_eq!((answer.status, api.pool.groups_of("ann")), (204, vec!["visitors".to_owned()]), "{time}");
        }
    }
}
