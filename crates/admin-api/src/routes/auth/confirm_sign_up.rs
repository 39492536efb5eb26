//! `POST /v1/auth/confirm-sign-up`: confirms a sign-up with the code from the message.

use axum::extract::State;
use domain::user_pool::user::Username;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::record::Audit;
use crate::fields::text::Code;
use crate::http::client_context::{ClientInfo, DeviceData};
use crate::http::error::ApiError;
use crate::http::json::Json;

/// The user name and the code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfirmSignUp, example = json!({"username": "mia", "code": "123456"}))]
pub(crate) struct Body {
    username: Username,
    code: Code,
}

/// Confirm a sign-up
///
/// Verifies the address that received the code. For an unknown user, every code is wrong.
#[utoipa::path(
    post, path = "/v1/auth/confirm-sign-up", tag = "auth", operation_id = "confirm_sign_up",
    params(DeviceData),
    request_body = Body,
    responses((status = 204, description = "The user is confirmed.")),
    extensions(("x-problems" = json!(["code-mismatch", "code-expired", "wrong-state", "alias-exists", "sign-up-refused"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    ClientInfo(context): ClientInfo,
    Json(body): Json<Body>,
) -> Result<StatusCode, ApiError> {
    app.self_service.confirm_sign_up(&body.username, &body.code.into(), &context).await?;
    audit.on(&body.username);
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use domain::user_pool::user::UserStatus;
    use serde_json::{Value, json};
    use testkit::in_memory::{CODE, EXPIRED_CODE};

    use crate::testing::{Answer, Api, Call};

    async fn confirm(api: &Api, username: &str, code: &str) -> Answer {
        let body = json!({"username": username, "code": code});
        api.call(Call::post("/v1/auth/confirm-sign-up", Some(&body)).anonymous()).await
    }

    /// Returns an API with the unconfirmed user `abe`.
    fn with_abe(attributes: &[(&str, &str)]) -> Api {
        let api = Api::new();
        api.pool.add_user("abe", "Password-of-abe-1", &[], attributes);
        api.pool.set_status("abe", UserStatus::Unconfirmed);
        api
    }

    #[tokio::test]
    async fn the_code_confirms_the_user_and_verifies_the_address() {
        let api = with_abe(&[("email", "abe@example.com")]);
        assert_eq!(confirm(&api, "abe", CODE).await.status, 204);
        assert_eq!(api.pool.user("abe@example.com").unwrap().status, UserStatus::Confirmed);

        let again = confirm(&api, "abe", CODE).await;
        assert_eq!((again.status, again.code()), (409, "wrong-state"));
    }

    #[tokio::test]
    async fn rejects_wrong_and_expired_codes() {
        let api = with_abe(&[]);
        for (code, expected) in [("123457", "code-mismatch"), (EXPIRED_CODE, "code-expired")] {
            let answer = confirm(&api, "abe", code).await;
            assert_eq!((answer.status, answer.code()), (422, expected));
        }
        assert_eq!(api.pool.user("abe").unwrap().status, UserStatus::Unconfirmed);
    }

    #[tokio::test]
    async fn unknown_user_and_wrong_code_get_the_same_answer() {
        let api = with_abe(&[]);
        let [mut unknown, mut wrong] = [confirm(&api, "nobody", "123457").await, confirm(&api, "abe", "123457").await];
        unknown.body["request_id"] = Value::Null;
        wrong.body["request_id"] = Value::Null;
        assert_eq!((unknown.status, unknown.body), (wrong.status, wrong.body));
    }

    #[tokio::test]
    async fn rejects_an_address_of_another_user() {
        let api = with_abe(&[("email", "mia@example.com")]);
        let answer = confirm(&api, "abe", CODE).await;
        assert_eq!((answer.status, answer.code()), (409, "alias-exists"));
        assert_eq!(api.pool.user("abe").unwrap().status, UserStatus::Unconfirmed);
        assert_eq!(api.pool.user("mia@example.com").unwrap().username.as_str(), "mia");
    }
}
