//! `POST /v1/users/{username}/enable`: enables a user.

use axum::Json;
use axum::extract::State;
use domain::user_pool::user::Username;

use super::UserChanged;
use crate::app::App;
use crate::authz::target_user::TargetUser;
use crate::http::error::ApiError;

/// Enable a user
///
/// Allows a disabled user to sign in again. The status stays unchanged. Enabling an enabled user changes nothing.
#[utoipa::path(
    post, path = "/v1/users/{username}/enable", tag = "users", operation_id = "enable_user",
    params(("username" = Username, Path)),
    responses((status = 200, description = "The user is enabled.", body = UserChanged)),
    extensions(("x-problems" = json!(["user-not-found"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    TargetUser(user): TargetUser,
) -> Result<Json<UserChanged>, ApiError> {
    if !user.enabled {
        app.pool.enable(&user.id()).await?;
    }
    Ok(Json(UserChanged { username: user.username, changed: !user.enabled }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Api, Call};

    const PATH: &str = "/v1/users/mia/enable";

    fn with_mia_disabled() -> Api {
        let api = Api::new();
        api.pool.disable("mia");
        api
    }

    #[tokio::test]
    async fn enabling_an_enabled_user_reports_no_change_and_makes_no_call() {
        let api = with_mia_disabled();
        for changed in [true, false] {
            let answer = api.call(Call::post(PATH, None)).await;
            assert_eq!((answer.status, answer.body), (200, json!({"username": "mia", "changed": changed})));
            assert!(api.pool.user("mia").unwrap().enabled);
        }
        assert_eq!(api.pool.calls().into_iter().filter(|call| *call == "enable").count(), 1);
    }
}
