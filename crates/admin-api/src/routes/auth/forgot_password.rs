//! `POST /v1/auth/forgot-password`: sends a code for a new password.

use axum::extract::State;
use domain::user_pool::user::Username;
use serde::Deserialize;
use utoipa::ToSchema;

use super::CodeSent;
use crate::app::App;
use crate::http::client_context::{CameFrom, DeviceData};
use crate::http::error::ApiError;
use crate::http::json::Json;

/// Who forgot the password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForgotPassword, example = json!({"username": "mia"}))]
pub(crate) struct Body {
    username: Username,
}

/// Send a code for a new password
///
/// Somebody who does not exist is answered like somebody to whom a code was sent. A user who holds a temporary password, or has no
/// verified address that a code can go to, is answered `wrong-state`: an administrator must help. (That tells that the user exists.)
#[utoipa::path(
    post, path = "/v1/auth/forgot-password", tag = "auth", operation_id = "forgot_password",
    params(DeviceData),
    request_body = Body,
    responses((status = 200, description = "The code is on its way, if there is such a user.", body = CodeSent)),
    extensions(("x-problems" = json!(["mail-quota-exceeded", "wrong-state"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    CameFrom(context): CameFrom,
    Json(body): Json<Body>,
) -> Result<axum::Json<CodeSent>, ApiError> {
    // The audit does not learn the name, not even from a success: nobody knows whether it is one.
    let sent = app.self_service.forgot_password(&body.username, &context).await;
    CodeSent::of(sent).map(axum::Json)
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use domain::user_pool::user::UserStatus;
    use serde_json::json;

    use crate::testing::{Answer, Api, Call};

    const PATH: &str = "/v1/auth/forgot-password";

    async fn forget(api: &Api, username: &str) -> Answer {
        api.call(Call::post(PATH, Some(&json!({"username": username}))).by_nobody()).await
    }

    #[tokio::test]
    async fn a_code_goes_out_and_the_old_password_stays() {
        let api = Api::new();
        for name in ["mia", "mia@example.com"] {
            let answer = forget(&api, name).await;
            let sent = json!({"medium": "EMAIL", "destination": "m***@e***", "attribute": "email"});
            assert_eq!((answer.status, answer.body), (200, json!({"code_sent_to": sent})), "{name}");
        }
        assert!(api.pool.has_password("mia", "Password-of-mia-1"));
        assert_eq!(api.pool.user("mia").unwrap().status, UserStatus::Confirmed);
    }

    #[tokio::test]
    async fn an_unknown_user_is_answered_like_a_known_one() {
        let api = Api::new();
        let answer = forget(&api, "nobody").await;
        assert_eq!((answer.status, &answer.body["code_sent_to"]["medium"]), (200, &json!("EMAIL")));

        // An app client that tells who exists is not repeated here.
        api.pool.hide_who_exists(false);
        let answer = forget(&api, "nobody").await;
        assert_eq!((answer.status, answer.body), (200, json!({"code_sent_to": null})));
    }

    #[tokio::test]
    async fn who_cannot_help_themselves_is_told_so() {
        let api = Api::new();
        let answer = forget(&api, "vic").await;
        assert_eq!((answer.status, answer.code()), (409, "wrong-state"), "no address");
        for status in [UserStatus::ForceChangePassword, UserStatus::Unconfirmed] {
            api.pool.set_status("mia", status.clone());
            let answer = forget(&api, "mia").await;
            assert_eq!((answer.status, answer.code()), (409, "wrong-state"), "{status:?}");
        }
    }

    #[tokio::test]
    async fn malformed_bodies_are_refused_with_their_place() {
        let api = Api::new();
        for (body, field) in [
            (json!({}), "username"),
            (json!({"username": ""}), "username"),
            (json!({"username": "mia", "password": "x"}), "password"),
        ] {
            let answer = api.call(Call::post(PATH, Some(&body)).by_nobody()).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{body}");
        }
        assert_eq!(api.pool.calls(), Vec::<&str>::new());
    }

    #[tokio::test]
    async fn throttling_says_when_to_come_again() {
        for (reason, seconds) in [(Reason::Throttled, "1"), (Reason::LimitReached, "900")] {
            let api = Api::new();
            api.pool.fail("forgot_password", 1, reason);
            let answer = forget(&api, "mia").await;
            assert_eq!((answer.status, answer.header("retry-after")), (429, Some(seconds)));
        }
    }
}
