//! `POST /v1/auth/attributes/{name}/code`: sends the code that verifies one's own e-mail address or phone number.

use axum::Json;
use axum::extract::State;
use domain::user_pool::sessions::CodeDelivery;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Contact, refusal};
use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access_token::AccessToken;
use crate::http::error::ApiError;
use crate::routes::auth::example_delivery;

/// Where the code went.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttributeCodeSent, example = json!({"code_sent_to": example_delivery()}))]
pub(crate) struct Answer {
    /// Null if the user pool does not tell.
    #[schema(required = true)]
    code_sent_to: Option<CodeDelivery>,
}

/// Send a code to one's own address
///
/// Sends the code that verifies the e-mail address or phone number of whoever owns the access token. A user who has no such address
/// is answered `wrong-state`.
#[utoipa::path(
    post, path = "/v1/auth/attributes/{name}/code", tag = "auth", operation_id = "send_attribute_code",
    params(("name" = inline(Contact), Path, description = "What to verify.")),
    responses((status = 200, description = "The code is on its way.", body = Answer)),
    extensions(("x-problems" = json!(["mail-quota-exceeded", "invalid-credentials", "password-reset-required", "wrong-state"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    AccessToken(access_token): AccessToken,
    contact: Contact,
) -> Result<Json<Answer>, ApiError> {
    audit.fields([contact.as_str()]);
    let code_sent_to = app.self_service.send_attribute_code(&access_token, contact.as_str()).await.map_err(refusal)?;
    Ok(Json(Answer { code_sent_to }))
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use serde_json::json;

    use crate::testing::{Answer, Api, Call};

    async fn send_code(api: &Api, name: &str, access_token: &str) -> Answer {
        let call = Call::post(&format!("/v1/auth/attributes/{name}/code"), None).by_nobody();
        api.call(call.header("x-access-token", access_token)).await
    }

    #[tokio::test]
    async fn a_code_goes_to_the_address_any_number_of_times() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        for time in ["once", "twice"] {
            let answer = send_code(&api, "email", &tokens.access).await;
            let sent = json!({"medium": "EMAIL", "destination": "m***@e***", "attribute": "email"});
            assert_eq!((answer.status, answer.body), (200, json!({"code_sent_to": sent})), "{time}");
        }
    }

    #[tokio::test]
    async fn who_has_no_such_address_is_told_so() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        let answer = send_code(&api, "phone_number", &tokens.access).await;
        assert_eq!((answer.status, answer.code()), (409, "wrong-state"));
    }

    #[tokio::test]
    async fn attributes_that_take_no_codes_are_refused_by_name() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        for name in ["birthdate", "Email", "email_verified", "custom:team", "%20", "%FF"] {
            let answer = send_code(&api, name, &tokens.access).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!("name")), "{name}");
        }
        assert_eq!(api.pool.calls(), ["sign_in"]);
    }

    #[tokio::test]
    async fn a_token_that_is_dead_or_is_no_access_token_is_refused() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        for token in ["made-up", &tokens.refresh] {
            let answer = send_code(&api, "email", token).await;
            assert_eq!((answer.status, answer.code()), (401, "invalid-credentials"), "{token}");
        }
        api.call(Call::post("/v1/users/mia/sign-out", None)).await;
        assert_eq!(send_code(&api, "email", &tokens.access).await.code(), "invalid-credentials");
    }

    #[tokio::test]
    async fn without_a_token_nothing_is_asked_not_even_whether_the_attribute_is_one() {
        let api = Api::new();
        for name in ["email", "birthdate"] {
            let answer = api.call(Call::post(&format!("/v1/auth/attributes/{name}/code"), None)).await;
            assert_eq!((answer.status, answer.code()), (401, "unauthenticated"), "{name}");
        }
        assert_eq!(api.pool.calls(), Vec::<&str>::new());
    }

    #[tokio::test]
    async fn a_failing_call_says_what_it_failed_of() {
        for (reason, status, code) in [
            (Reason::Throttled, 429, "throttled"),
            (Reason::LimitReached, 429, "throttled"),
            (Reason::PasswordResetRequired, 403, "password-reset-required"),
            (Reason::NotSupportedByEndpoint, 501, "not-supported-by-endpoint"),
        ] {
            let api = Api::new();
            let tokens = api.sign_in("mia").await;
            api.pool.fail("send_attribute_code", 1, reason);
            let answer = send_code(&api, "email", &tokens.access).await;
            assert_eq!((answer.status, answer.code()), (status, code));
        }
    }
}
