//! `GET /v1/auth/me`: the owner of an access token, read from the user pool.

pub(crate) mod delete;
pub(crate) mod password;
pub(crate) mod totp;

use axum::Json;
use axum::extract::State;
use domain::user_pool::self_service::Myself;
use domain::user_pool::sessions::Factor;
use domain::user_pool::user::{Attributes, CREATION_ATTRIBUTE, Username};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::authz::access_token::AccessToken;
use crate::http::error::ApiError;

/// The owner of an access token.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Myself, example = json!({
    "username": "mia",
    "sub": "8a3c1f0e-5b6d-4e7f-8091-a2b3c4d5e6f7",
    "attributes": {"email": "mia@example.com", "email_verified": "true", "name": "Mia"},
    "factors": ["SOFTWARE_TOKEN_MFA", "EMAIL_OTP"],
    "preferred_factor": "SOFTWARE_TOKEN_MFA",
}))]
pub(crate) struct Answer {
    /// The user name, never an alias.
    username: Username,
    /// The user's id, which is never reused.
    #[schema(required = true)]
    sub: Option<String>,
    /// All attributes except `sub`.
    #[schema(value_type = BTreeMap<String, String>)]
    attributes: Attributes,
    /// The enabled second factors.
    factors: Vec<Factor>,
    /// The second factor that is requested at sign-in.
    #[schema(required = true)]
    preferred_factor: Option<Factor>,
}

impl From<Myself> for Answer {
    fn from(myself: Myself) -> Self {
        let Myself { username, mut attributes, factors, preferred_factor, session: _ } = myself;
        let sub = attributes.remove("sub");
        attributes.remove(CREATION_ATTRIBUTE);
        Self { username, sub, attributes, factors, preferred_factor }
    }
}

/// Get the owner of an access token
///
/// The user pool verifies the token, so a revoked token is rejected before it expires.
#[utoipa::path(
    get, path = "/v1/auth/me", tag = "auth", operation_id = "get_myself",
    responses((status = 200, description = "The owner of the access token.", body = Answer)),
    extensions(("x-problems" = json!(["invalid-credentials", "password-reset-required", "invalid-request"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    AccessToken(access_token): AccessToken,
) -> Result<Json<Answer>, ApiError> {
    Ok(Json(app.self_service.myself(&access_token).await?.into()))
}

#[cfg(test)]
mod tests {
    use domain::user_pool::sessions::Factor;
    use domain::user_pool::sign_in_security::{Mfa, SignInSecurity};
    use serde_json::json;

    use crate::testing::{Answer, Api, Call, iam};

    const PATH: &str = "/v1/auth/me";

    async fn me(api: &Api, access_token: &str) -> Answer {
        api.call(Call::get(PATH).anonymous().header("authorization", &format!("Bearer {access_token}"))).await
    }

    #[tokio::test]
    async fn returns_the_owner_of_the_token() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        let expected = |factors, preferred| {
            json!({
                "username": "mia", "sub": api.sub_of("mia"),
                "attributes": {"email": "mia@example.com", "email_verified": "true"},
                "factors": factors, "preferred_factor": preferred
            })
        };
        let answer = me(&api, &tokens.access).await;
        assert_eq!((answer.status, &answer.body), (200, &expected(json!([]), json!(null))));
        assert_eq!(answer.header("cache-control"), Some("no-store"));

        let mfa = Mfa { enabled: vec![Factor::EmailOtp], preferred: Some(Factor::EmailOtp) };
        api.pool.directory().set_mfa(&"mia".parse().unwrap(), &mfa).await.unwrap();
        let answer = me(&api, &tokens.access).await;
        assert_eq!(answer.body, expected(json!(["EMAIL_OTP"]), json!("EMAIL_OTP")));
    }

    #[tokio::test]
    async fn accepts_x_access_token_with_an_aws_signature() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        let call = Call::get(PATH).by(iam("arn:aws:iam::123456789012:role/front-end"));
        let call =
            call.header("authorization", "AWS4-HMAC-SHA256 Credential=x").header("x-access-token", &tokens.access);
        let answer = api.call(call).await;
        assert_eq!((answer.status, &answer.body["username"]), (200, &json!("mia")));
    }

    #[tokio::test]
    async fn rejects_revoked_tokens_and_refresh_tokens() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        for token in ["made-up", &tokens.refresh] {
            let answer = me(&api, token).await;
            assert_eq!((answer.status, answer.code()), (401, "invalid-credentials"), "{token}");
        }
        api.call(Call::post("/v1/users/mia/sign-out", None)).await;
        let answer = me(&api, &tokens.access).await;
        assert_eq!((answer.status, answer.code()), (401, "invalid-credentials"));
    }
}
