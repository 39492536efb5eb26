//! `GET /v1/users/{username}/mfa`

use axum::Json;
use axum::extract::State;
use domain::user_pool::user::Username;

use super::MfaView;
use crate::app::App;
use crate::http::error::ApiError;
use crate::routes::target::Target;

/// Get a user's second factors
///
/// Those that are switched on. What is set up and not switched on is not in here.
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
    use domain::user_pool::error::Reason;
    use serde_json::json;

    use crate::testing::{Api, Call, token};

    const PATH: &str = "/v1/users/mia/mfa";

    #[tokio::test]
    async fn who_has_no_second_factor_has_an_empty_list() {
        let answer = Api::new().call(Call::get(PATH)).await;
        assert_eq!((answer.status, answer.body), (200, json!({"username": "mia", "enabled": [], "preferred": null})));
    }

    #[tokio::test]
    async fn what_is_switched_on_is_shown_and_what_is_only_set_up_is_not() {
        let api = Api::new();
        api.pool.set_up_authenticator("mia");
        let body = json!({"enabled": ["EMAIL_OTP"], "preferred": "EMAIL_OTP"});
        assert_eq!(api.call(Call::put(PATH, &body)).await.status, 200);
        let answer = api.call(Call::get(PATH)).await;
        let expected = json!({"username": "mia", "enabled": ["EMAIL_OTP"], "preferred": "EMAIL_OTP"});
        assert_eq!((answer.status, answer.body), (200, expected));
    }

    #[tokio::test]
    async fn an_unknown_user_is_not_found() {
        let answer = Api::new().call(Call::get("/v1/users/nobody/mfa")).await;
        assert_eq!((answer.status, answer.code()), (404, "user-not-found"));
    }

    #[tokio::test]
    async fn throttling_says_when_to_come_again() {
        let api = Api::new();
        api.pool.fail("mfa", 1, Reason::Throttled);
        let answer = api.call(Call::get(PATH)).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    }

    #[tokio::test]
    async fn who_may_read_users_only_learns_nothing() {
        let api = Api::new();
        let answer = api.call(Call::get(PATH).by(token("ray", "[readers]"))).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
        assert_eq!(api.pool.calls(), Vec::<&str>::new());
    }
}
