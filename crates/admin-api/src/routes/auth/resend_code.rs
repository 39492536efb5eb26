//! `POST /v1/auth/resend-code`: resends the confirmation code of a sign-up.

use axum::extract::State;
use domain::user_pool::user::Username;
use serde::Deserialize;
use utoipa::ToSchema;

use super::CodeSent;
use crate::app::App;
use crate::http::client_context::{ClientInfo, DeviceData};
use crate::http::error::ApiError;
use crate::http::json::Json;

/// The user who signed up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResendCode, example = json!({"username": "mia"}))]
pub(crate) struct Body {
    username: Username,
}

/// Resend the confirmation code
///
/// The response for an unknown user looks like the response for a user who receives a code. Returns `wrong-state`,
/// which reveals that the user exists, if the user is already confirmed.
#[utoipa::path(
    post, path = "/v1/auth/resend-code", tag = "auth", operation_id = "resend_code",
    params(DeviceData),
    request_body = Body,
    responses((status = 200, description = "The code is sent if the user exists.", body = CodeSent)),
    extensions(("x-problems" = json!(["mail-quota-exceeded", "wrong-state", "sign-up-refused"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    ClientInfo(context): ClientInfo,
    Json(body): Json<Body>,
) -> Result<axum::Json<CodeSent>, ApiError> {
    // The audit record omits the name, because the call also succeeds for a user who does not exist.
    let sent = app.self_service.resend_code(&body.username, &context).await;
    CodeSent::of(sent).map(axum::Json)
}

#[cfg(test)]
mod tests {
    use domain::user_pool::user::UserStatus;
    use serde_json::json;

    use crate::testing::{Answer, Api, Call};

    const PATH: &str = "/v1/auth/resend-code";

    async fn resend(api: &Api, username: &str) -> Answer {
        api.call(Call::post(PATH, Some(&json!({"username": username}))).anonymous()).await
    }

    fn with_mia(status: UserStatus) -> Api {
        let api = Api::new();
        api.pool.set_status("mia", status);
        api
    }

    #[tokio::test]
    async fn the_code_can_be_sent_repeatedly() {
        let api = with_mia(UserStatus::Unconfirmed);
        for time in ["once", "twice"] {
            let answer = resend(&api, "mia").await;
            let sent = json!({"medium": "EMAIL", "destination": "m***@e***", "attribute": "email"});
            assert_eq!((answer.status, answer.body), (200, json!({"code_sent_to": sent})), "{time}");
        }
    }

    #[tokio::test]
    async fn hides_that_a_user_does_not_exist() {
        let api = with_mia(UserStatus::Unconfirmed);
        let answer = resend(&api, "nobody").await;
        assert_eq!((answer.status, &answer.body["code_sent_to"]["medium"]), (200, &json!("EMAIL")));

        // The API hides this even if the app client does not.
        api.pool.hide_who_exists(false);
        let answer = resend(&api, "nobody").await;
        assert_eq!((answer.status, answer.body), (200, json!({"code_sent_to": null})));
    }

    #[tokio::test]
    async fn rejects_confirmed_users() {
        let answer = resend(&with_mia(UserStatus::Confirmed), "mia").await;
        assert_eq!((answer.status, answer.code()), (409, "wrong-state"));
    }
}
