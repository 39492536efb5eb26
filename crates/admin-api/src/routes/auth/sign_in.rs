//! `POST /v1/auth/sign-in`: returns tokens, or a challenge to answer first.

use axum::extract::State;
use domain::user_pool::sessions::Credentials;
use domain::user_pool::user::Username;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{ChallengeView, Outcome, TokensView};
use crate::app::App;
use crate::audit::record::Audit;
use crate::fields::text::TypedPassword;
use crate::http::client_context::{ClientInfo, DeviceData};
use crate::http::error::ApiError;
use crate::http::json::Json;

/// A user name or alias, and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignIn, example = json!({"username": "mia", "password": "Correct-Horse-9"}))]
pub(crate) struct Body {
    username: Username,
    password: TypedPassword,
}

/// Sign in
///
/// Returns tokens, or a challenge. Wrong passwords, unknown users and disabled users result in the same error.
#[utoipa::path(
    post, path = "/v1/auth/sign-in", tag = "auth", operation_id = "sign_in",
    params(DeviceData),
    request_body = Body,
    responses((status = 200, description = "Tokens or a challenge.", body = Outcome, examples(
        ("tokens" = (summary = "Signed in", value = json!({"tokens": TokensView::example()}))),
        ("challenge" = (summary = "Challenge", value = json!({"challenge": ChallengeView::example()}))),
    ))),
    extensions(("x-problems" = json!([
        "mail-quota-exceeded", "invalid-credentials", "user-not-confirmed", "password-reset-required", "unsupported-challenge"
    ])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    ClientInfo(context): ClientInfo,
    Json(body): Json<Body>,
) -> Result<axum::Json<Outcome>, ApiError> {
    let credentials = Credentials { username: body.username, password: body.password.into(), context };
    let outcome = Outcome::try_from(app.sessions.sign_in(&credentials).await?)?;
    audit.on(outcome.username());
    Ok(axum::Json(outcome))
}

#[cfg(test)]
mod tests {
    use domain::user_pool::user::UserStatus;
    use serde_json::{Value, json};

    use crate::testing::{Answer, Api, Call};

    async fn sign_in(api: &Api, username: &str, password: &str) -> Answer {
        let body = json!({"username": username, "password": password});
        api.call(Call::post("/v1/auth/sign-in", Some(&body)).anonymous()).await
    }

    #[tokio::test]
    async fn the_correct_password_returns_tokens_with_the_user_name() {
        let api = Api::new();
        for name in ["mia", "mia@example.com"] {
            let answer = sign_in(&api, name, "Password-of-mia-1").await;
            assert_eq!(answer.status, 200, "{name}");
            let tokens = &answer.body["tokens"];
            assert_eq!((&tokens["token_type"], &tokens["expires_in_seconds"]), (&json!("Bearer"), &json!(3600)));
            assert_eq!(tokens["username"], "mia", "{name}");
            for token in ["access_token", "refresh_token"] {
                assert!(api.pool.takes_token(tokens[token].as_str().unwrap()), "{token}");
            }
            assert!(tokens["id_token"].is_string());
            assert_eq!((&answer.body["challenge"], answer.header("cache-control")), (&Value::Null, Some("no-store")));
        }
    }

    #[tokio::test]
    async fn a_temporary_password_returns_a_challenge() {
        let api = Api::new();
        api.pool.set_status("mia", UserStatus::ForceChangePassword);
        api.pool.require_attribute("birthdate");
        let answer = sign_in(&api, "mia@example.com", "Password-of-mia-1").await;
        assert_eq!(answer.status, 200);
        let expected = json!({"challenge": {
            "name": "NEW_PASSWORD_REQUIRED", "session": answer.body["challenge"]["session"], "username": "mia",
            "missing_attributes": ["birthdate"], "factors": [], "code_sent_to": null, "authenticator_secret": null
        }});
        assert_eq!(answer.body, expected);
        assert!(answer.body["challenge"]["session"].is_string());
    }

    #[tokio::test]
    async fn wrong_password_unknown_and_disabled_user_get_the_same_answer() {
        let api = Api::new();
        api.pool.disable("vic");
        let mut answers = Vec::new();
        for (username, password) in [("mia", "Wrong-1"), ("nobody", "Wrong-1"), ("vic", "Password-of-vic-1")] {
            let mut answer = sign_in(&api, username, password).await;
            assert_eq!((answer.status, answer.code()), (401, "invalid-credentials"), "{username}");
            answer.body["request_id"] = Value::Null;
            answers.push(answer.body);
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[tokio::test]
    async fn unconfirmed_user_and_required_reset_have_their_own_codes() {
        for (status, code) in
            [(UserStatus::Unconfirmed, "user-not-confirmed"), (UserStatus::ResetRequired, "password-reset-required")]
        {
            let api = Api::new();
            api.pool.set_status("mia", status);
            let answer = sign_in(&api, "mia", "Password-of-mia-1").await;
            assert_eq!((answer.status, answer.code()), (403, code));
        }
    }

    #[tokio::test]
    async fn unsupported_challenges_are_named() {
        let api = Api::new();
        api.pool.ask_for("CUSTOM_CHALLENGE");
        let answer = sign_in(&api, "mia", "Password-of-mia-1").await;
        assert_eq!((answer.status, answer.code()), (409, "unsupported-challenge"));
        assert!(answer.body["detail"].as_str().unwrap().contains("`CUSTOM_CHALLENGE`"), "{}", answer.body);
    }

    #[tokio::test]
    async fn passwords_are_not_trimmed() {
        let api = Api::new();
        api.pool.add_user("abe", " two words ", &[], &[]);
        assert_eq!(sign_in(&api, "abe", " two words ").await.status, 200);
        assert_eq!(sign_in(&api, "abe", "two words").await.code(), "invalid-credentials");
    }
}
