//! `POST /v1/users/{username}/disable`: disables a user.

use axum::Json;
use axum::extract::State;
use domain::user_pool::user::Username;

use super::UserChanged;
use crate::app::App;
use crate::audit::steps::Progress;
use crate::authz::target_user::OtherUser;
use crate::http::error::ApiError;

/// Disable a user
///
/// Prevents the user from signing in and revokes all tokens of the user at the user pool and, with the session gate, at
/// services that check revocations. The status stays unchanged.
/// Disabling a disabled user changes nothing in the user pool. Callers cannot disable themselves.
#[utoipa::path(
    post, path = "/v1/users/{username}/disable", tag = "users", operation_id = "disable_user",
    params(("username" = Username, Path)),
    responses((status = 200, description = "The user is disabled.", body = UserChanged)),
    extensions(("x-problems" = json!(["user-not-found"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    progress: Progress,
    OtherUser(user): OtherUser,
) -> Result<Json<UserChanged>, ApiError> {
    let disable = async { if user.enabled { app.pool.disable(&user.id()).await } else { Ok(()) } };
    app.end_sessions(&progress, &user.attributes, "disable", disable).await?;
    Ok(Json(UserChanged { username: user.username, changed: user.enabled }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Api, Call};

    const PATH: &str = "/v1/users/mia/disable";

    #[tokio::test]
    async fn disabling_a_disabled_user_reports_no_change_and_makes_no_call() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        for changed in [true, false] {
            let answer = api.call(Call::post(PATH, None)).await;
            assert_eq!((answer.status, answer.body), (200, json!({"username": "mia", "changed": changed})));
            assert!(!api.pool.user("mia").unwrap().enabled);
            assert!(!api.pool.takes_token(&tokens.access) && !api.pool.takes_token(&tokens.refresh));
        }
        assert_eq!(api.pool.calls().into_iter().filter(|call| *call == "disable").count(), 1);
    }
}
