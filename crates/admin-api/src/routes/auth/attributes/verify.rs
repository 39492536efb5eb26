//! `POST /v1/auth/attributes/{name}/verify`: verifies the user's own e-mail address or phone number with a code.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Contact, map_error};
use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access_token::AccessToken;
use crate::fields::text::Code;
use crate::http::error::ApiError;
use crate::http::json::Json;

/// The code from the message.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerifyAttribute, example = json!({"code": "123456"}))]
pub(crate) struct Body {
    code: Code,
}

/// Verify an e-mail address or phone number
///
/// Verifies the attribute of the access token's owner with the code that was sent to it. If the attribute is an alias
/// in this pool, the user can then sign in with it.
#[utoipa::path(
    post, path = "/v1/auth/attributes/{name}/verify", tag = "auth", operation_id = "verify_attribute",
    params(("name" = inline(Contact), Path, description = "The attribute to verify.")),
    request_body = Body,
    responses((status = 204, description = "The address is verified.")),
    extensions(("x-problems" = json!([
        "invalid-credentials", "password-reset-required", "wrong-state", "alias-exists", "code-mismatch", "code-expired"
    ])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    AccessToken(access_token): AccessToken,
    contact: Contact,
    Json(body): Json<Body>,
) -> Result<StatusCode, ApiError> {
    audit.fields([contact.as_str()]);
    app.self_service.verify_attribute(&access_token, contact.as_str(), &body.code.into()).await.map_err(map_error)?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use testkit::in_memory::{CODE, EXPIRED_CODE};

    use crate::testing::{Answer, Api, Call};

    async fn verify_with(api: &Api, name: &str, access_token: &str, body: &Value) -> Answer {
        let call = Call::post(&format!("/v1/auth/attributes/{name}/verify"), Some(body)).anonymous();
        api.call(call.header("authorization", &format!("Bearer {access_token}"))).await
    }

    async fn verify(api: &Api, name: &str, access_token: &str, code: &str) -> Answer {
        verify_with(api, name, access_token, &json!({"code": code})).await
    }

    /// `abe` has an unverified phone number.
    async fn abe() -> (Api, String) {
        let api = Api::new();
        api.pool.add_user("abe", "Password-of-abe-1", &[], &[("phone_number", "+15550100")]);
        let tokens = api.sign_in("abe").await;
        (api, tokens.access)
    }

    fn is_verified(api: &Api) -> bool {
        api.pool.attributes_of("abe").contains_key("phone_number_verified")
    }

    #[tokio::test]
    async fn verification_can_be_repeated() {
        let (api, token) = abe().await;
        for time in ["once", "twice"] {
            assert_eq!(verify(&api, "phone_number", &token, CODE).await.status, 204, "{time}");
            assert_eq!(api.pool.attributes_of("abe")["phone_number_verified"], "true", "{time}");
        }
    }

    #[tokio::test]
    async fn rejects_wrong_and_expired_codes() {
        let (api, token) = abe().await;
        for (code, expected) in [("123457", "code-mismatch"), (EXPIRED_CODE, "code-expired")] {
            let answer = verify(&api, "phone_number", &token, code).await;
            assert_eq!((answer.status, answer.code()), (422, expected));
        }
        assert!(!is_verified(&api));
    }

    #[tokio::test]
    async fn rejects_a_phone_number_of_another_user() {
        let (api, token) = abe().await;
        let held = [("phone_number", "+15550100"), ("phone_number_verified", "true")];
        api.pool.add_user("eve", "Password-of-eve-1", &[], &held);
        let answer = verify(&api, "phone_number", &token, CODE).await;
        assert_eq!((answer.status, answer.code(), is_verified(&api)), (409, "alias-exists", false));
    }

    #[tokio::test]
    async fn rejects_users_without_the_attribute() {
        let (api, token) = abe().await;
        let answer = verify(&api, "email", &token, CODE).await;
        assert_eq!((answer.status, answer.code()), (409, "wrong-state"));
    }
}
