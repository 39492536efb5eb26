//! `POST /v1/users/{username}/confirm`: confirms a user who signed up.

use axum::Json;
use axum::extract::State;
use domain::user_pool::error::Reason;
use domain::user_pool::user::{UserStatus, Username};

use super::UserChanged;
use crate::app::App;
use crate::authz::target_user::TargetUser;
use crate::http::error::ApiError;

/// Confirm a user
///
/// Confirms a user who signed up. No code is required. Confirming a confirmed user changes nothing.
#[utoipa::path(
    post, path = "/v1/users/{username}/confirm", tag = "users", operation_id = "confirm_user",
    params(("username" = Username, Path)),
    responses((status = 200, description = "The user is confirmed.", body = UserChanged)),
    extensions(("x-problems" = json!(["user-not-found", "wrong-state"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    TargetUser(user): TargetUser,
) -> Result<Json<UserChanged>, ApiError> {
    let Err(error) = app.pool.confirm(&user.id()).await else {
        return Ok(Json(UserChanged { username: user.username, changed: true }));
    };
    if error.reason == Reason::WrongState && app.pool.get(&user.id()).await?.status == UserStatus::Confirmed {
        return Ok(Json(UserChanged { username: user.username, changed: false }));
    }
    Err(error.into())
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use domain::user_pool::user::UserStatus;
    use serde_json::json;

    use crate::testing::{Api, Call};

    const PATH: &str = "/v1/users/mia/confirm";

    fn with_mia(status: UserStatus) -> Api {
        let api = Api::new();
        api.pool.set_status("mia", status);
        api
    }

    #[tokio::test]
    async fn confirming_a_confirmed_user_reports_no_change() {
        let api = with_mia(UserStatus::Unconfirmed);
        for changed in [true, false] {
            let answer = api.call(Call::post(PATH, None)).await;
            assert_eq!((answer.status, answer.body), (200, json!({"username": "mia", "changed": changed})));
            assert_eq!(api.pool.user("mia").unwrap().status, UserStatus::Confirmed);
        }
    }

    #[tokio::test]
    async fn rejects_users_with_other_statuses() {
        for status in [UserStatus::ForceChangePassword, UserStatus::ResetRequired, UserStatus::ExternalProvider] {
            let api = with_mia(status.clone());
            let answer = api.call(Call::post(PATH, None)).await;
            assert_eq!((answer.status, answer.code()), (409, "wrong-state"), "{status:?}");
            assert_eq!(api.pool.user("mia").unwrap().status, status);
        }
    }

    #[tokio::test]
    async fn failing_to_read_the_status_is_an_error() {
        let api = with_mia(UserStatus::Confirmed);
        // The check reads the user by name and by `sub`.
        api.pool.fail("get", 3, Reason::Unavailable);
        let answer = api.call(Call::post(PATH, None)).await;
        assert_eq!((answer.status, answer.code()), (502, "upstream-unavailable"));
    }
}
