//! `DELETE /v1/groups/{group}`: the members stay in the pool.

use axum::extract::State;
use domain::group::GroupName;
use http::StatusCode;

use super::TargetGroup;
use crate::app::App;
use crate::error::ApiError;

/// Delete a group
///
/// For good. The members stay, and lose what the group let them do.
#[utoipa::path(
    delete, path = "/v1/groups/{group}", tag = "groups", operation_id = "delete_group",
    params(("group" = GroupName, Path)),
    responses((status = 204, description = "The group is gone.")),
    extensions(("x-problems" = json!(["group-not-found"])))
)]
pub(super) async fn handle(State(app): State<App>, TargetGroup(name): TargetGroup) -> Result<StatusCode, ApiError> {
    app.pool.delete_group(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use domain::user_pool_error::Reason;

    use crate::testing::{Api, Call, token};

    const PATH: &str = "/v1/groups/visitors";

    #[tokio::test]
    async fn a_deleted_group_is_gone_its_members_stay_and_a_second_time_it_is_not_found() {
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
    async fn throttling_says_when_to_come_again_and_leaves_the_group() {
        let api = Api::new();
        api.pool.fail("delete_group", 1, Reason::Throttled);
        let answer = api.call(Call::delete(PATH)).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
        assert_eq!(api.pool.groups_of("vic"), ["visitors"]);
    }

    #[tokio::test]
    async fn who_may_only_read_deletes_nothing() {
        let api = Api::new();
        for path in [PATH, "/v1/groups/nothing"] {
            let answer = api.call(Call::delete(path).by(token("ray", "[readers]"))).await;
            assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{path}");
        }
        assert_eq!(api.pool.groups_of("vic"), ["visitors"]);
    }
}
