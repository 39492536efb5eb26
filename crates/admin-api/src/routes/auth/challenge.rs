//! `POST /v1/auth/challenge`: answers the challenge of a sign-in. `NEW_PASSWORD_REQUIRED` is the one that is known here.

use axum::extract::State;
use domain::secret::Secret;
use domain::sessions::{ChallengeAnswer, ChallengeResponse};
use domain::user::Username;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Outcome;
use crate::app::App;
use crate::attributes::{AttributesBody, attributes};
use crate::audit::Audit;
use crate::client_context::CameFrom;
use crate::error::ApiError;
use crate::json::Json;

/// The answer to a challenge.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AnswerChallenge)]
pub(super) struct Body {
    #[expect(dead_code, reason = "there is one so far; the field keeps the body the same when there are more")]
    challenge: Known,
    /// The `username` of the challenge, which may not be what was typed at the sign-in.
    username: Username,
    session: Secret,
    new_password: Secret,
    /// Values for the `missing_attributes` of the challenge.
    #[serde(default)]
    attributes: AttributesBody,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Known {
    NewPasswordRequired,
}

/// Answer a challenge
///
/// Answers tokens, or the next challenge.
#[utoipa::path(
    post, path = "/v1/auth/challenge", tag = "auth", operation_id = "answer_challenge",
    request_body = Body,
    responses((status = 200, description = "Tokens or a challenge.", body = Outcome)),
    extensions(("x-problems" = json!(["invalid-credentials", "invalid-password", "unsupported-challenge"])))
)]
pub(super) async fn handle(
    State(app): State<App>,
    audit: Audit,
    CameFrom(context): CameFrom,
    Json(body): Json<Body>,
) -> Result<axum::Json<Outcome>, ApiError> {
    let attributes = attributes(body.attributes);
    audit.fields(std::iter::once("permanent_password").chain(attributes.keys().map(String::as_str)));
    let response = ChallengeResponse::NewPassword { new_password: body.new_password, attributes };
    let answer = ChallengeAnswer { username: body.username, session: body.session, response, context };
    let outcome = Outcome::try_from(app.sessions.answer_challenge(&answer).await?)?;
    audit.on(outcome.username());
    Ok(axum::Json(outcome))
}

#[cfg(test)]
mod tests {
    use domain::user::UserStatus;
    use serde_json::{Value, json};

    use crate::testing::{Answer, Api, Call};

    async fn answer_with(api: &Api, body: &Value) -> Answer {
        api.call(Call::post("/v1/auth/challenge", Some(body)).by_nobody()).await
    }

    /// Mia has a temporary password, has signed in with it, and is challenged.
    async fn challenged() -> (Api, Value) {
        let api = Api::new();
        api.pool.set_status("mia", UserStatus::ForceChangePassword);
        let body = json!({"username": "mia", "password": "Password-of-mia-1"});
        let sign_in = api.call(Call::post("/v1/auth/sign-in", Some(&body)).by_nobody()).await;
        let session = sign_in.body["challenge"]["session"].clone();
        let body = json!({
            "challenge": "NEW_PASSWORD_REQUIRED", "username": "mia", "session": session, "new_password": "Permanent-1"
        });
        (api, body)
    }

    fn with(mut body: Value, field: &str, value: Value) -> Value {
        body[field] = value;
        body
    }

    #[tokio::test]
    async fn a_new_password_gives_tokens_and_the_session_is_used_up() {
        let (api, body) = challenged().await;
        let answer = answer_with(&api, &body).await;
        assert_eq!((answer.status, &answer.body["tokens"]["username"]), (200, &json!("mia")));
        assert_eq!(api.pool.user("mia").unwrap().status, UserStatus::Confirmed);
        assert!(api.pool.has_password("mia", "Permanent-1"));

        let again = answer_with(&api, &with(body, "new_password", json!("Permanent-2"))).await;
        assert_eq!((again.status, again.code()), (401, "invalid-credentials"));
        assert!(api.pool.has_password("mia", "Permanent-1"));
    }

    #[tokio::test]
    async fn missing_attributes_are_asked_for_and_taken() {
        let (api, body) = challenged().await;
        api.pool.require_attribute("birthdate");
        let answer = answer_with(&api, &body).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid-request"));

        let answer = answer_with(&api, &with(body, "attributes", json!({"birthdate": "1990-01-01"}))).await;
        assert_eq!(answer.status, 200);
        assert_eq!(api.pool.attributes_of("mia")["birthdate"], "1990-01-01");
    }

    #[tokio::test]
    async fn other_sessions_other_names_and_weak_passwords_change_nothing() {
        for (field, value, status, code) in [
            ("session", "made-up", 401, "invalid-credentials"),
            ("username", "ray", 401, "invalid-credentials"),
            ("username", "nobody", 401, "invalid-credentials"),
            ("new_password", "weak", 422, "invalid-password"),
        ] {
            let (api, body) = challenged().await;
            let answer = answer_with(&api, &with(body, field, json!(value))).await;
            assert_eq!((answer.status, answer.code()), (status, code), "{field}");
            assert_eq!(api.pool.user("mia").unwrap().status, UserStatus::ForceChangePassword, "{field}");
            assert!(api.pool.has_password("ray", "Password-of-ray-1"), "{field}");
        }
    }

    #[tokio::test]
    async fn another_challenge_is_refused_with_the_name_of_the_known_one() {
        let (api, body) = challenged().await;
        let answer = answer_with(&api, &with(body, "challenge", json!("SMS_MFA"))).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!("challenge")));
        assert_eq!(answer.body["detail"], "Expected `NEW_PASSWORD_REQUIRED`.");
    }

    #[tokio::test]
    async fn malformed_bodies_are_refused_with_their_place() {
        let (api, body) = challenged().await;
        for field in ["challenge", "username", "session", "new_password"] {
            let mut body = body.clone();
            body.as_object_mut().unwrap().remove(field);
            let answer = answer_with(&api, &body).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)));
        }
        let answer = answer_with(&api, &with(body, "code", json!("123456"))).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!("code")));
    }
}
