//! `POST /v1/users/{username}/reset-password`: requires a new password, which the user sets with a code.

use axum::Json;
use axum::extract::State;
use domain::user_pool::user::{UserStatus, Username};
use serde::Serialize;
use startup::metrics;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::steps::Progress;
use crate::authz::target_user::TargetUser;
use crate::http::error::ApiError;

/// The user whose password is reset.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PasswordReset, example = json!({"username": "mia", "status": "RESET_REQUIRED"}))]
pub(crate) struct Answer {
    /// The user name, never an alias.
    username: Username,
    /// `RESET_REQUIRED`.
    status: UserStatus,
}

/// Reset a user's password
///
/// Invalidates the password and sends a code to the user's verified e-mail address or phone number. The user sets a new
/// password with this code (`POST /v1/auth/reset-password`). Each request sends another code. With the session gate, all
/// sessions of the user end, even if Cognito rejects the reset. Returns `wrong-state` if the user has no verified e-mail
/// address or phone number, or if the status does not allow a reset.
#[utoipa::path(
    post, path = "/v1/users/{username}/reset-password", tag = "users", operation_id = "reset_user_password",
    params(("username" = Username, Path)),
    responses((status = 200, description = "The password is reset and a code is sent.", body = Answer)),
    extensions(("x-problems" = json!(["mail-quota-exceeded", "user-not-found", "wrong-state"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    progress: Progress,
    TargetUser(user): TargetUser,
) -> Result<Json<Answer>, ApiError> {
    let id = user.id();
    let reset = app.pool.reset_password(&id);
    app.end_sessions_with_password(&progress, &user, "reset-password", reset).await?;
    metrics::mail();
    Ok(Json(Answer { username: user.username, status: UserStatus::ResetRequired }))
}

#[cfg(test)]
mod tests {
    use domain::user_pool::user::UserStatus;
    use serde_json::json;

    use crate::testing::{Api, Call};

    const PATH: &str = "/v1/users/mia/reset-password";

    #[tokio::test]
    async fn resetting_once_or_twice_requires_a_new_password() {
        let api = Api::new();
        for path in [PATH, PATH, "/v1/users/mia@example.com/reset-password"] {
            let answer = api.call(Call::post(path, None)).await;
            assert_eq!(answer.body, json!({"username": "mia", "status": "RESET_REQUIRED"}));
            assert_eq!((answer.status, api.pool.user("mia").unwrap().status), (200, UserStatus::ResetRequired));
        }
        let shown = api.call(Call::get("/v1/users/mia")).await;
        assert_eq!(shown.body["life_cycle"]["state"], "reset-required");
    }

    #[tokio::test]
    async fn rejects_statuses_that_do_not_allow_a_reset() {
        for status in [UserStatus::Unconfirmed, UserStatus::ForceChangePassword, UserStatus::ExternalProvider] {
            let api = Api::new();
            api.pool.set_status("mia", status.clone());
            let answer = api.call(Call::post(PATH, None)).await;
            assert_eq!((answer.status, answer.code()), (409, "wrong-state"), "{status:?}");
            assert_eq!(api.pool.user("mia").unwrap().status, status);
        }
    }

    #[tokio::test]
    async fn rejects_users_who_cannot_receive_a_code() {
        let api = Api::new();
        let answer = api.call(Call::post("/v1/users/ray/reset-password", None)).await;
        assert_eq!((answer.status, answer.code()), (409, "wrong-state"));
        assert_eq!(api.pool.user("ray").unwrap().status, UserStatus::Confirmed);
    }
}
