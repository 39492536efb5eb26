//! `GET /v1/users/{username}/mfa`: returns the enabled second factors.

use axum::Json;
use axum::extract::State;
use domain::user_pool::user::Username;

use super::MfaView;
use crate::app::App;
use crate::http::error::ApiError;
use crate::routes::target::Target;

/// Get a user's second factors
///
/// Returns the enabled factors. Factors that are set up but not enabled are not included.
#[utoipa::path(
    get, path = "/v1/users/{username}/mfa", tag = "users", operation_id = "get_user_mfa",
    params(("username" = Username, Path)),
    responses((status = 200, description = "The user's second factors.", body = MfaView)),
    extensions(("x-problems" = json!(["user-not-found"])))
)]
pub(crate) async fn handle(State(app): State<App>, Target(username): Target) -> Result<Json<MfaView>, ApiError> {
    let mfa = app.pool.mfa(&username).await?;
    Ok(Json(MfaView::of(username, mfa)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Api, Call};

    const PATH: &str = "/v1/users/mia/mfa";

    #[tokio::test]
    async fn a_user_without_second_factors_has_an_empty_list() {
        let answer = Api::new().call(Call::get(PATH)).await;
        assert_eq!((answer.status, answer.body), (200, json!({"username": "mia", "enabled": [], "preferred": null})));
    }

    #[tokio::test]
    async fn returns_enabled_factors_and_not_those_that_are_only_set_up() {
        let api = Api::new();
        api.pool.set_up_authenticator("mia");
        let body = json!({"enabled": ["EMAIL_OTP"], "preferred": "EMAIL_OTP"});
        assert_eq!(api.call(Call::put(PATH, &body)).await.status, 200);
        let answer = api.call(Call::get(PATH)).await;
        let expected = json!({"username": "mia", "enabled": ["EMAIL_OTP"], "preferred": "EMAIL_OTP"});
        assert_eq!((answer.status, answer.body), (200, expected));
    }
}
