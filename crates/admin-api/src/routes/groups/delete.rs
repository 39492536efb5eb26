//! `DELETE /v1/groups/{group}`: deletes a group. Its members stay in the pool.

use axum::extract::State;
use domain::user_pool::groups::GroupName;
use http::StatusCode;

use crate::app::App;
use crate::authz::access::Authorized;
use crate::http::error::ApiError;
use crate::routes::target::TargetGroup;

/// Delete a group
///
/// Deletes the group permanently. Its members stay in the pool and lose the permissions of the group. Callers cannot
/// delete a group that they are in, or a group that is listed in the setting `ROLES` (`wrong-state`). A group with an
/// IAM role requires `groups:roles`.
#[utoipa::path(
    delete, path = "/v1/groups/{group}", tag = "groups", operation_id = "delete_group",
    params(("group" = GroupName, Path)),
    responses((status = 204, description = "The group is deleted.")),
    extensions(("x-problems" = json!(["group-not-found", "wrong-state"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    authorized: Authorized,
    TargetGroup(name): TargetGroup,
) -> Result<StatusCode, ApiError> {
    authorized.ensure_not_own_group(name.as_str())?;
    if app.trust.roles.has_entry(name.as_str()) {
        return Err(ApiError::GroupInRoles(name));
    }
    app.pool.delete_group(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use crate::testing::{Api, Call, token};

    const PATH: &str = "/v1/groups/visitors";

    #[tokio::test]
    async fn deletes_the_group_and_keeps_its_members() {
        let api = Api::new();
        assert_eq!(api.call(Call::delete(PATH)).await.status, 204);
        assert_eq!(api.call(Call::get(PATH)).await.status, 404);
        assert!(api.pool.user("vic").is_some());
        assert_eq!(api.pool.groups_of("vic"), Vec::<String>::new());
        assert_eq!(api.pool.groups_of("ray"), ["readers"]);
        let again = api.call(Call::delete(PATH)).await;
        assert_eq!((again.status, again.code()), (404, "group-not-found"));
    }

    #[tokio::test]
    async fn rejects_groups_of_the_caller_and_groups_in_roles() {
        let api = Api::new();
        api.pool.add_user("ann", "Password-of-ann-1", &["admins", "visitors"], &[]);
        let table = [
            ("/v1/groups/admins", token("root", "[admins]"), 403, "forbidden"),
            ("/v1/groups/readers", token("root", "[admins]"), 409, "wrong-state"),
            // The group is in the user pool, but not in the token.
            (PATH, token("ann", "[admins]"), 403, "forbidden"),
        ];
        for (path, by, status, code) in table {
            let answer = api.call(Call::delete(path).by(by)).await;
            assert_eq!((answer.status, answer.code()), (status, code), "{path}");
            assert_eq!(api.call(Call::get(path)).await.status, 200, "{path}");
        }
    }
}
