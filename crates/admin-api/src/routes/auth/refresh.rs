//! `POST /v1/auth/refresh`: new access and ID tokens for a refresh token.

use axum::extract::State;
use domain::user_pool::user::Username;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::TokensView;
use crate::app::App;
use crate::audit::record::Audit;
use crate::fields::secret_types::Token;
use crate::http::client_context::{CameFrom, DeviceData};
use crate::http::error::ApiError;
use crate::http::json::Json;

/// A refresh token, and whose it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Refresh, example = json!({"username": "mia", "refresh_token": "eyJjdHkiOiJKV1QifQ.example"}))]
pub(crate) struct Body {
    /// The `username` of the tokens: an alias is not taken here.
    username: Username,
    refresh_token: Token,
}

/// What a refresh comes to.
#[derive(Serialize, ToSchema)]
#[schema(as = Refreshed, example = Self::example)]
pub(crate) struct Answer {
    tokens: TokensView,
}

impl Answer {
    /// As the OpenAPI document shows one: that of an app client that does not rotate refresh tokens.
    fn example() -> Value {
        let mut tokens = TokensView::example();
        tokens.as_object_mut().map(|tokens| tokens.remove("refresh_token"));
        json!({"tokens": tokens})
    }
}

/// Refresh
///
/// New access and ID tokens for a refresh token. Where the app client rotates refresh tokens the answer holds a new one, and the old
/// one dies, if not at once then after the client's grace period.
#[utoipa::path(
    post, path = "/v1/auth/refresh", tag = "auth", operation_id = "refresh",
    params(DeviceData),
    request_body = Body,
    responses((status = 200, description = "Tokens.", body = Answer)),
    extensions(("x-problems" = json!(["invalid-credentials", "user-not-confirmed", "password-reset-required"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    CameFrom(context): CameFrom,
    Json(body): Json<Body>,
) -> Result<axum::Json<Answer>, ApiError> {
    let tokens = app.sessions.refresh(&body.username, &body.refresh_token.into(), &context).await?;
    audit.on(&tokens.username);
    Ok(axum::Json(Answer { tokens: tokens.into() }))
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use serde_json::{Value, json};

    use crate::testing::{Answer, Api, Call};

    async fn refresh(api: &Api, username: &str, token: &str) -> Answer {
        let body = json!({"username": username, "refresh_token": token});
        api.call(Call::post("/v1/auth/refresh", Some(&body)).by_nobody()).await
    }

    #[tokio::test]
    async fn a_refresh_token_gives_new_tokens_any_number_of_times_but_no_new_refresh_token() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        for time in ["once", "twice"] {
            let answer = refresh(&api, "mia", &tokens.refresh).await;
            assert_eq!((answer.status, &answer.body["tokens"]["username"]), (200, &json!("mia")), "{time}");
            let access_token = answer.body["tokens"]["access_token"].as_str().unwrap();
            assert!(access_token != tokens.access && api.pool.takes_token(access_token), "{time}");
            assert_eq!(answer.body["tokens"].get("refresh_token"), None::<&Value>, "{time}");
        }
    }

    #[tokio::test]
    async fn where_refresh_tokens_rotate_there_is_a_new_one_and_the_old_one_dies() {
        let api = Api::new();
        api.pool.rotate_refresh_tokens();
        let tokens = api.sign_in("mia").await;
        let answer = refresh(&api, "mia", &tokens.refresh).await;
        let next = answer.body["tokens"]["refresh_token"].as_str().unwrap();
        assert_eq!((answer.status, next == tokens.refresh), (200, false));

        let again = refresh(&api, "mia", &tokens.refresh).await;
        assert_eq!((again.status, again.code()), (401, "invalid-credentials"));
        assert_eq!(refresh(&api, "mia", next).await.status, 200);
    }

    #[tokio::test]
    async fn a_failing_call_says_what_it_failed_of() {
        for (reason, status, code) in [
            (Reason::Throttled, 429, "throttled"),
            (Reason::UserNotConfirmed, 403, "user-not-confirmed"),
            (Reason::PasswordResetRequired, 403, "password-reset-required"),
        ] {
            let api = Api::new();
            let tokens = api.sign_in("mia").await;
            api.pool.fail("refresh", 1, reason);
            let answer = refresh(&api, "mia", &tokens.refresh).await;
            assert_eq!((answer.status, answer.code()), (status, code));
        }
    }

    #[tokio::test]
    async fn dead_tokens_other_tokens_and_other_names_are_refused_alike() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        for (username, token) in [
            ("mia", "made-up"),
            ("mia", tokens.access.as_str()),
            ("ray", tokens.refresh.as_str()),
            ("mia@example.com", tokens.refresh.as_str()),
            ("nobody", tokens.refresh.as_str()),
        ] {
            let answer = refresh(&api, username, token).await;
            assert_eq!((answer.status, answer.code()), (401, "invalid-credentials"), "{username}");
        }
        api.call(Call::post("/v1/users/mia/sign-out", None)).await;
        assert_eq!(refresh(&api, "mia", &tokens.refresh).await.code(), "invalid-credentials");
    }

    #[tokio::test]
    async fn malformed_bodies_are_refused_with_their_place() {
        let api = Api::new();
        for (body, field) in [
            (json!({"refresh_token": "x"}), "username"),
            (json!({"username": "mia"}), "refresh_token"),
            (json!({"username": "mia", "refresh_token": ""}), "refresh_token"),
            (json!({"username": "mia", "refresh_token": "two words"}), "refresh_token"),
            (json!({"username": "mia", "refresh_token": "x", "access_token": "y"}), "access_token"),
        ] {
            let answer = api.call(Call::post("/v1/auth/refresh", Some(&body)).by_nobody()).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{body}");
        }
    }
}
