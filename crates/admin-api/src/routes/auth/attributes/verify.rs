//! `POST /v1/auth/attributes/{name}/verify`: verifies one's own e-mail address or phone number with the code that was sent.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Contact, refusal};
use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access_token::AccessToken;
use crate::fields::secret_types::Code;
use crate::http::error::ApiError;
use crate::http::json::Json;

/// The code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerifyAttribute, example = json!({"code": "123456"}))]
pub(crate) struct Body {
    code: Code,
}

/// Verify one's own address
///
/// Verifies the e-mail address or phone number of whoever owns the access token, with the code that was sent to it. Where the pool
/// has it for an alias, one can sign in with it from now on.
#[utoipa::path(
    post, path = "/v1/auth/attributes/{name}/verify", tag = "auth", operation_id = "verify_attribute",
    params(("name" = inline(Contact), Path, description = "What to verify.")),
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
    app.self_service.verify_attribute(&access_token, contact.as_str(), &body.code.into()).await.map_err(refusal)?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use serde_json::{Value, json};
    use testkit::in_memory::{CODE, EXPIRED_CODE};

    use crate::testing::{Answer, Api, Call};

    async fn verify_with(api: &Api, name: &str, access_token: &str, body: &Value) -> Answer {
        let call = Call::post(&format!("/v1/auth/attributes/{name}/verify"), Some(body)).by_nobody();
        api.call(call.header("authorization", &format!("Bearer {access_token}"))).await
    }

    async fn verify(api: &Api, name: &str, access_token: &str, code: &str) -> Answer {
        verify_with(api, name, access_token, &json!({"code": code})).await
    }

    /// Abe has a phone number that is not verified.
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
    async fn the_code_verifies_and_verifies_again() {
        let (api, token) = abe().await;
        for time in ["once", "twice"] {
            assert_eq!(verify(&api, "phone_number", &token, CODE).await.status, 204, "{time}");
            assert_eq!(api.pool.attributes_of("abe")["phone_number_verified"], "true", "{time}");
        }
    }

    #[tokio::test]
    async fn wrong_and_old_codes_verify_nothing() {
        let (api, token) = abe().await;
        for (code, expected) in [("123457", "code-mismatch"), (EXPIRED_CODE, "code-expired")] {
            let answer = verify(&api, "phone_number", &token, code).await;
            assert_eq!((answer.status, answer.code()), (422, expected));
        }
        assert!(!is_verified(&api));
    }

    #[tokio::test]
    async fn a_number_that_another_user_holds_is_a_conflict() {
        let (api, token) = abe().await;
        let held = [("phone_number", "+15550100"), ("phone_number_verified", "true")];
        api.pool.add_user("eve", "Password-of-eve-1", &[], &held);
        let answer = verify(&api, "phone_number", &token, CODE).await;
        assert_eq!((answer.status, answer.code(), is_verified(&api)), (409, "alias-exists", false));
    }

    #[tokio::test]
    async fn who_has_no_such_address_is_told_so() {
        let (api, token) = abe().await;
        let answer = verify(&api, "email", &token, CODE).await;
        assert_eq!((answer.status, answer.code()), (409, "wrong-state"));
    }

    #[tokio::test]
    async fn dead_tokens_and_none_verify_nothing() {
        let (api, _) = abe().await;
        let answer = verify(&api, "phone_number", "made-up", CODE).await;
        assert_eq!((answer.status, answer.code()), (401, "invalid-credentials"));
        let call = Call::post("/v1/auth/attributes/phone_number/verify", Some(&json!({"code": CODE})));
        let answer = api.call(call).await;
        assert_eq!((answer.status, answer.code(), is_verified(&api)), (401, "unauthenticated", false));
    }

    #[tokio::test]
    async fn malformed_requests_are_refused_with_their_place() {
        let (api, token) = abe().await;
        for (name, body, field) in [
            ("birthdate", json!({"code": CODE}), "name"),
            ("phone_number", json!({}), "code"),
            ("phone_number", json!({"code": ""}), "code"),
            ("phone_number", json!({"code": "12 34"}), "code"),
            ("phone_number", json!({"code": 123_456}), "code"),
            ("phone_number", json!({"code": CODE, "attribute": "email"}), "attribute"),
        ] {
            let answer = verify_with(&api, name, &token, &body).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{name} {body}");
        }
        assert!(!is_verified(&api));
    }

    #[tokio::test]
    async fn throttling_says_when_to_come_again() {
        let (api, token) = abe().await;
        api.pool.fail("verify_attribute", 1, Reason::Throttled);
        let answer = verify(&api, "phone_number", &token, CODE).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    }
}
