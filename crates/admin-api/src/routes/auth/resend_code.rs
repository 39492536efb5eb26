//! `POST /v1/auth/resend-code`: sends the code of a sign-up again.

use axum::extract::State;
use domain::user_pool::user::Username;
use serde::Deserialize;
use utoipa::ToSchema;

use super::CodeSent;
use crate::app::App;
use crate::http::client_context::{CameFrom, DeviceData};
use crate::http::error::ApiError;
use crate::http::json::Json;

/// Who signed up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResendCode, example = json!({"username": "mia"}))]
pub(crate) struct Body {
    username: Username,
}

/// Send the code of a sign-up again
///
/// Somebody who does not exist is answered like somebody to whom a code was sent. A user who is confirmed already is answered
/// `wrong-state`. (That tells that the user exists.)
#[utoipa::path(
    post, path = "/v1/auth/resend-code", tag = "auth", operation_id = "resend_code",
    params(DeviceData),
    request_body = Body,
    responses((status = 200, description = "The code is on its way, if there is such a user.", body = CodeSent)),
    extensions(("x-problems" = json!(["mail-quota-exceeded", "wrong-state", "sign-up-refused"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    CameFrom(context): CameFrom,
    Json(body): Json<Body>,
) -> Result<axum::Json<CodeSent>, ApiError> {
    // The audit does not learn the name, not even from a success: nobody knows whether it is one.
    let sent = app.self_service.resend_code(&body.username, &context).await;
    CodeSent::of(sent).map(axum::Json)
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use domain::user_pool::user::UserStatus;
    use serde_json::json;

    use crate::testing::{Answer, Api, Call};

    const PATH: &str = "/v1/auth/resend-code";

    async fn resend(api: &Api, username: &str) -> Answer {
        api.call(Call::post(PATH, Some(&json!({"username": username}))).by_nobody()).await
    }

    fn with_mia(status: UserStatus) -> Api {
        let api = Api::new();
        api.pool.set_status("mia", status);
        api
    }

    #[tokio::test]
    async fn the_code_goes_out_any_number_of_times() {
        let api = with_mia(UserStatus::Unconfirmed);
        for time in ["once", "twice"] {
            let answer = resend(&api, "mia").await;
            let sent = json!({"medium": "EMAIL", "destination": "m***@e***", "attribute": "email"});
            assert_eq!((answer.status, answer.body), (200, json!({"code_sent_to": sent})), "{time}");
        }
    }

    #[tokio::test]
    async fn an_unknown_user_is_answered_like_a_known_one() {
        let api = with_mia(UserStatus::Unconfirmed);
        let answer = resend(&api, "nobody").await;
        assert_eq!((answer.status, &answer.body["code_sent_to"]["medium"]), (200, &json!("EMAIL")));

        // An app client that tells who exists is not repeated here.
        api.pool.hide_who_exists(false);
        let answer = resend(&api, "nobody").await;
        assert_eq!((answer.status, answer.body), (200, json!({"code_sent_to": null})));
    }

    #[tokio::test]
    async fn who_is_confirmed_needs_no_code() {
        let answer = resend(&with_mia(UserStatus::Confirmed), "mia").await;
        assert_eq!((answer.status, answer.code()), (409, "wrong-state"));
    }

    #[tokio::test]
    async fn malformed_bodies_are_refused_with_their_place() {
        let api = Api::new();
        for (body, field) in [
            (json!({}), "username"),
            (json!({"username": "two words"}), "username"),
            (json!({"username": "mia", "medium": "SMS"}), "medium"),
        ] {
            let answer = api.call(Call::post(PATH, Some(&body)).by_nobody()).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{body}");
        }
        assert_eq!(api.pool.calls(), Vec::<&str>::new());
    }

    #[tokio::test]
    async fn a_failing_call_says_what_it_failed_of() {
        for (reason, status, code) in [
            (Reason::Throttled, 429, "throttled"),
            (Reason::LimitReached, 429, "throttled"),
            (Reason::SignUpRefused, 422, "sign-up-refused"),
        ] {
            let api = with_mia(UserStatus::Unconfirmed);
            api.pool.fail("resend_code", 1, reason);
            let answer = resend(&api, "mia").await;
            assert_eq!((answer.status, answer.code()), (status, code));
        }
    }
}
