//! `POST /v1/auth/reset-password`: sets a new password with a code.

use axum::extract::State;
use domain::user_pool::user::Username;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::record::Audit;
use crate::fields::text::{Code, Password};
use crate::http::client_context::{ClientInfo, DeviceData};
use crate::http::error::ApiError;
use crate::http::json::Json;

/// The user, the code and the new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(
    as = ResetPassword,
    example = json!({"username": "mia", "code": "123456", "new_password": "Correct-Horse-9"})
)]
pub(crate) struct Body {
    username: Username,
    code: Code,
    new_password: Password,
}

/// Set a new password with a code
///
/// The code comes from `POST /v1/auth/forgot-password` or an administrator. For an unknown user, every code is wrong.
#[utoipa::path(
    post, path = "/v1/auth/reset-password", tag = "auth", operation_id = "reset_password",
    params(DeviceData),
    request_body = Body,
    responses((status = 204, description = "The password is set.")),
    extensions(("x-problems" = json!([
        "code-mismatch", "code-expired", "invalid-password", "wrong-state", "user-not-confirmed"
    ])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    ClientInfo(context): ClientInfo,
    Json(body): Json<Body>,
) -> Result<StatusCode, ApiError> {
    let Body { username, code, new_password } = body;
    audit.fields(["permanent_password"]);
    app.self_service.reset_password(&username, &code.into(), &new_password.into(), &context).await?;
    audit.on(&username);
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use domain::user_pool::user::UserStatus;
    use serde_json::{Value, json};
    use testkit::in_memory::{EXPIRED_CODE, RESET_CODE};

    use crate::testing::{Answer, Api, Call};

    const PATH: &str = "/v1/auth/reset-password";

    async fn reset(api: &Api, username: &str, code: &str, new_password: &str) -> Answer {
        let body = json!({"username": username, "code": code, "new_password": new_password});
        api.call(Call::post(PATH, Some(&body)).anonymous()).await
    }

    /// An API that has sent a code to `mia`.
    async fn with_a_code() -> Api {
        let api = Api::new();
        let body = json!({"username": "mia"});
        assert_eq!(api.call(Call::post("/v1/auth/forgot-password", Some(&body)).anonymous()).await.status, 200);
        api
    }

    #[tokio::test]
    async fn the_code_sets_the_password_once() {
        let api = with_a_code().await;
        assert_eq!(reset(&api, "mia", RESET_CODE, "Permanent-1").await.status, 204);
        assert!(api.pool.has_password("mia", "Permanent-1"));

        let again = reset(&api, "mia", RESET_CODE, "Permanent-2").await;
        assert_eq!((again.status, again.code()), (422, "code-mismatch"));
        assert!(api.pool.has_password("mia", "Permanent-1"));
    }

    #[tokio::test]
    async fn a_reset_confirms_a_user_who_had_to_reset() {
        let api = with_a_code().await;
        api.pool.set_status("mia", UserStatus::ResetRequired);
        assert_eq!(reset(&api, "mia@example.com", RESET_CODE, "Permanent-1").await.status, 204);
        assert_eq!(api.pool.user("mia").unwrap().status, UserStatus::Confirmed);
    }

    #[tokio::test]
    async fn wrong_codes_and_weak_passwords_change_nothing() {
        let api = with_a_code().await;
        for (code, password, expected) in [
            ("123457", "Permanent-1", "code-mismatch"),
            (EXPIRED_CODE, "Permanent-1", "code-expired"),
            (RESET_CODE, "weak", "invalid-password"),
        ] {
            let answer = reset(&api, "mia", code, password).await;
            assert_eq!((answer.status, answer.code()), (422, expected));
            assert!(api.pool.has_password("mia", "Password-of-mia-1"), "{expected}");
        }
    }

    #[tokio::test]
    async fn unknown_user_and_wrong_code_get_the_same_answer() {
        let api = with_a_code().await;
        let mut answers = Vec::new();
        for name in ["nobody", "mia"] {
            let mut answer = reset(&api, name, "123457", "Permanent-1").await;
            answer.body["request_id"] = Value::Null;
            answers.push((answer.status, answer.body));
        }
        assert_eq!(answers[0], answers[1]);
    }
}
