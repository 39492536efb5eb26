//! `POST /v1/auth/refresh`: exchanges a refresh token for access and ID tokens.

use axum::extract::State;
use domain::user_pool::user::Username;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::TokensView;
use crate::app::App;
use crate::audit::record::Audit;
use crate::fields::text::Token;
use crate::http::client_context::{ClientInfo, DeviceData};
use crate::http::error::ApiError;
use crate::http::json::Json;

/// A refresh token and its owner.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Refresh, example = json!({"username": "mia", "refresh_token": "eyJjdHkiOiJKV1QifQ.example"}))]
pub(crate) struct Body {
    /// The `username` that was returned with the tokens. An alias is not accepted.
    username: Username,
    refresh_token: Token,
}

/// The new tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = Refreshed, example = Self::example)]
pub(crate) struct Answer {
    tokens: TokensView,
}

impl Answer {
    /// Example for the OpenAPI document, without rotation of refresh tokens.
    fn example() -> Value {
        let mut tokens = TokensView::example();
        tokens.as_object_mut().map(|tokens| tokens.remove("refresh_token"));
        json!({"tokens": tokens})
    }
}

/// Refresh tokens
///
/// Exchanges a refresh token for new access and ID tokens. If the app client rotates refresh tokens, the response
/// contains a new refresh token, and the old one is revoked after the client's grace period (if any).
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
    ClientInfo(context): ClientInfo,
    Json(body): Json<Body>,
) -> Result<axum::Json<Answer>, ApiError> {
    let tokens = app.sessions.refresh(&body.username, &body.refresh_token.into(), &context).await?;
    audit.on(&tokens.username);
    Ok(axum::Json(Answer { tokens: tokens.into() }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Answer, Api, Call};

    async fn refresh(api: &Api, username: &str, token: &str) -> Answer {
        let body = json!({"username": username, "refresh_token": token});
        api.call(Call::post("/v1/auth/refresh", Some(&body)).anonymous()).await
    }

    #[tokio::test]
    async fn without_rotation_a_refresh_token_can_be_used_repeatedly() {
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
    async fn rotation_replaces_the_refresh_token() {
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
    async fn rejects_revoked_tokens_other_tokens_and_other_user_names() {
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
}
