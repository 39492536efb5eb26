//! `POST /v1/auth/refresh`: new access and ID tokens for a refresh token.

use axum::extract::State;
use domain::secret::Secret;
use domain::user::Username;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Outcome;
use crate::app::App;
use crate::audit::Audit;
use crate::error::ApiError;
use crate::json::Json;

/// A refresh token, and whose it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Refresh)]
pub(super) struct Body {
    /// The `username` of the tokens: an alias is not taken here.
    username: Username,
    refresh_token: Secret,
}

/// Refresh
///
/// New access and ID tokens for a refresh token. Where the app client rotates refresh tokens the answer holds a new one, and the old
/// one dies.
#[utoipa::path(
    post, path = "/v1/auth/refresh", tag = "auth", operation_id = "refresh",
    request_body = Body,
    responses((status = 200, description = "Tokens.", body = Outcome)),
    extensions(("x-problems" = json!(["invalid-credentials"])))
)]
pub(super) async fn handle(
    State(app): State<App>,
    audit: Audit,
    Json(body): Json<Body>,
) -> Result<axum::Json<Outcome>, ApiError> {
    let tokens = app.sessions.refresh(&body.username, &body.refresh_token).await?;
    audit.on(&tokens.username);
    Ok(axum::Json(Outcome::Tokens(tokens.into())))
}

#[cfg(test)]
mod tests {
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
            (json!({"username": "mia", "refresh_token": "x", "access_token": "y"}), "access_token"),
        ] {
            let answer = api.call(Call::post("/v1/auth/refresh", Some(&body)).by_nobody()).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{body}");
        }
    }
}
