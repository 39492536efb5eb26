//! `POST /v1/auth/attributes/{name}/code`: sends the code to verify the user's own e-mail address or phone number.

use axum::Json;
use axum::extract::State;
use domain::user_pool::sessions::CodeDelivery;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Contact, map_error};
use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access_token::AccessToken;
use crate::http::error::ApiError;
use crate::routes::auth::{count_mail, example_delivery};

/// The destination of the code.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttributeCodeSent, example = json!({"code_sent_to": example_delivery()}))]
pub(crate) struct Answer {
    /// Null if the user pool does not report the destination.
    #[schema(required = true)]
    code_sent_to: Option<CodeDelivery>,
}

/// Send a verification code
///
/// Sends the code to verify the e-mail address or phone number of the access token's owner. Returns `wrong-state` if
/// the user lacks the attribute.
#[utoipa::path(
    post, path = "/v1/auth/attributes/{name}/code", tag = "auth", operation_id = "send_attribute_code",
    params(("name" = inline(Contact), Path, description = "The attribute to verify.")),
    responses((status = 200, description = "The code is sent.", body = Answer)),
    extensions(("x-problems" = json!(["mail-quota-exceeded", "invalid-credentials", "password-reset-required", "wrong-state"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    AccessToken(access_token): AccessToken,
    contact: Contact,
) -> Result<Json<Answer>, ApiError> {
    audit.fields([contact.as_str()]);
    let code_sent_to =
        app.self_service.send_attribute_code(&access_token, contact.as_str()).await.map_err(map_error)?;
    count_mail(code_sent_to.as_ref());
    Ok(Json(Answer { code_sent_to }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Answer, Api, Call};

    async fn send_code(api: &Api, name: &str, access_token: &str) -> Answer {
        let call = Call::post(&format!("/v1/auth/attributes/{name}/code"), None).anonymous();
        api.call(call.header("x-access-token", access_token)).await
    }

    #[tokio::test]
    async fn the_code_can_be_sent_repeatedly() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        for time in ["once", "twice"] {
            let answer = send_code(&api, "email", &tokens.access).await;
            let sent = json!({"medium": "EMAIL", "destination": "m***@e***", "attribute": "email"});
            assert_eq!((answer.status, answer.body), (200, json!({"code_sent_to": sent})), "{time}");
        }
    }

    #[tokio::test]
    async fn rejects_users_without_the_attribute() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        let answer = send_code(&api, "phone_number", &tokens.access).await;
        assert_eq!((answer.status, answer.code()), (409, "wrong-state"));
    }

    #[tokio::test]
    async fn rejects_attributes_that_cannot_be_verified_by_code() {
        let api = Api::new();
        let tokens = api.sign_in("mia").await;
        for name in ["birthdate", "Email", "email_verified", "custom:team", "%20", "%FF"] {
            let answer = send_code(&api, name, &tokens.access).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!("name")), "{name}");
        }
        assert_eq!(api.pool.calls(), ["sign_in"]);
    }
}
