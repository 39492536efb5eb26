//! `POST /v1/auth/forgot-password`: sends a code to reset the password.

use axum::extract::State;
use domain::user_pool::user::Username;
use serde::Deserialize;
use utoipa::ToSchema;

use super::CodeSent;
use crate::app::App;
use crate::http::client_context::{ClientInfo, DeviceData};
use crate::http::error::ApiError;
use crate::http::json::Json;

/// The user who forgot the password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForgotPassword, example = json!({"username": "mia"}))]
pub(crate) struct Body {
    username: Username,
}

/// Send a code to reset the password
///
/// The response for an unknown user looks like the response for a user who receives a code. Returns `wrong-state`,
/// which reveals that the user exists, if the user has a temporary password or no verified address. These users need
/// the help of an administrator.
#[utoipa::path(
    post, path = "/v1/auth/forgot-password", tag = "auth", operation_id = "forgot_password",
    params(DeviceData),
    request_body = Body,
    responses((status = 200, description = "The code is sent if the user exists.", body = CodeSent)),
    extensions(("x-problems" = json!(["mail-quota-exceeded", "wrong-state"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    ClientInfo(context): ClientInfo,
    Json(body): Json<Body>,
) -> Result<axum::Json<CodeSent>, ApiError> {
    // The audit record omits the name, because the call also succeeds for a user who does not exist.
    let sent = app.self_service.forgot_password(&body.username, &context).await;
    CodeSent::of(sent).map(axum::Json)
}

#[cfg(test)]
mod tests {
    use domain::user_pool::user::UserStatus;
    use serde_json::json;

    use crate::testing::{Answer, Api, Call};

    const PATH: &str = "/v1/auth/forgot-password";

    async fn forgot_password(api: &Api, username: &str) -> Answer {
        api.call(Call::post(PATH, Some(&json!({"username": username}))).anonymous()).await
    }

    #[tokio::test]
    async fn sends_a_code_and_keeps_the_password() {
        let api = Api::new();
        for name in ["mia", "mia@example.com"] {
            let answer = forgot_password(&api, name).await;
            let sent = json!({"medium": "EMAIL", "destination": "m***@e***", "attribute": "email"});
            assert_eq!((answer.status, answer.body), (200, json!({"code_sent_to": sent})), "{name}");
        }
        assert!(api.pool.has_password("mia", "Password-of-mia-1"));
        assert_eq!(api.pool.user("mia").unwrap().status, UserStatus::Confirmed);
    }

    #[tokio::test]
    async fn hides_that_a_user_does_not_exist() {
        let api = Api::new();
        let answer = forgot_password(&api, "nobody").await;
        assert_eq!((answer.status, &answer.body["code_sent_to"]["medium"]), (200, &json!("EMAIL")));

        // The API hides this even if the app client does not.
        api.pool.hide_who_exists(false);
        let answer = forgot_password(&api, "nobody").await;
        assert_eq!((answer.status, answer.body), (200, json!({"code_sent_to": null})));
    }

    #[tokio::test]
    async fn rejects_users_who_cannot_reset_by_code() {
        let api = Api::new();
        let answer = forgot_password(&api, "vic").await;
        assert_eq!((answer.status, answer.code()), (409, "wrong-state"), "no address");
        for status in [UserStatus::ForceChangePassword, UserStatus::Unconfirmed] {
            api.pool.set_status("mia", status.clone());
            let answer = forgot_password(&api, "mia").await;
            assert_eq!((answer.status, answer.code()), (409, "wrong-state"), "{status:?}");
        }
    }
}
