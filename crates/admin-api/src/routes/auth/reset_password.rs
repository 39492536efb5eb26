//! `POST /v1/auth/reset-password`: sets a new password with a code.

use axum::extract::State;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::user::Username;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::record::Audit;
use crate::audit::steps::Progress;
use crate::fields::text::{Code, Password};
use crate::http::client_context::{ClientInfo, DeviceData};
use crate::http::error::{Advice, ApiError};
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
/// With the session gate, all earlier sessions of the user end, and the response arrives up to 1.2 seconds later, so
/// that the next sign-in is valid. If a later step fails, the password is set; follow the `detail`.
#[utoipa::path(
    post, path = "/v1/auth/reset-password", tag = "auth", operation_id = "reset_password",
    params(DeviceData),
    request_body = Body,
    responses((status = 204, description = "The password is set.")),
    extensions(("x-problems" = json!([
        "code-mismatch", "code-expired", "invalid-password", "wrong-state", "user-not-confirmed",
        "revocations-unavailable"
    ])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    progress: Progress,
    ClientInfo(context): ClientInfo,
    Json(body): Json<Body>,
) -> Result<StatusCode, ApiError> {
    let Body { username, code, new_password } = body;
    audit.fields(["permanent_password"]);
    // Only a correct code may end sessions, so the revocation follows the reset.
    let (code, new_password) = (code.into(), new_password.into());
    let reset = app.self_service.reset_password(&username, &code, &new_password, &context);
    progress.then("reset-password", reset).await?;
    audit.on(&username);
    if app.revocations.is_some() {
        progress.advise(Advice::SignOutAfterReset);
        let read = async {
            let user = app.pool.get(&username).await?;
            let is_ambiguous = app.is_ambiguous(&username, &user).await?;
            // Otherwise this could be another user than the one with the new password.
            if is_ambiguous { Err(UserPoolError::new("AdminGetUser", Reason::WrongState)) } else { Ok(user) }
        };
        let user = progress.read("read-user", read).await?;
        app.sign_out(&progress, &user).await?;
        app.wait_for_valid_sign_ins().await;
    }
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use domain::revocation::{Revocation, Scope};
    use domain::user_pool::error::Reason;
    use domain::user_pool::user::UserStatus;
    use serde_json::{Value, json};
    use testkit::in_memory::{EXPIRED_CODE, RESET_CODE};
    use testkit::in_memory_revocations::{Fault, InMemoryRevocations};

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

    #[tokio::test]
    async fn with_gate_ends_earlier_sessions_and_none_of_the_next_second() {
        let revocations = Arc::default();
        let api = Api::with_revocations(&revocations);
        let session = api.sign_in("mia").await;
        let forgot = Call::post("/v1/auth/forgot-password", Some(&json!({"username": "mia"}))).anonymous();
        assert_eq!(api.call(forgot).await.status, 200);

        for (code, password) in [("123457", "Permanent-1"), (RESET_CODE, "weak")] {
            assert_eq!(reset(&api, "mia", code, password).await.status, 422);
            assert!(revocations.all().is_empty() && api.pool.takes_token(&session.refresh));
        }
        api.time_passes(Duration::from_millis(5_400)).await;
        assert_eq!(reset(&api, "mia@example.com", RESET_CODE, "Permanent-1").await.status, 204);
        let user = Scope::User(api.sub_of("mia"));
        assert_eq!(revocations.all(), [(user, Revocation::of_sign_ins_until(5))].into());
        assert!(!api.pool.takes_token(&session.refresh));
        // The tolerance of 100 ms applies to a clock that is behind.
        assert_eq!(api.wall_time().unix_timestamp_nanos(), 6_100_000_000);
    }

    #[tokio::test]
    async fn with_gate_says_that_earlier_sessions_are_valid() {
        for (fault, operation, status, completed, failed) in [
            (Some(Fault::Write(1)), None, 503, json!(["reset-password"]), "revoke-tokens"),
            (None, Some(("get", 1)), 502, json!(["reset-password"]), "read-user"),
            (None, Some(("get", 2)), 502, json!(["reset-password"]), "read-user"),
            (None, Some(("sign_out", 1)), 502, json!(["reset-password", "revoke-tokens"]), "sign-out"),
        ] {
            let revocations = Arc::<InMemoryRevocations>::default();
            let api = Api::with_revocations(&revocations);
            let forgot = Call::post("/v1/auth/forgot-password", Some(&json!({"username": "mia"}))).anonymous();
            assert_eq!(api.call(forgot).await.status, 200);
            revocations.set_fault(fault);
            if let Some((operation, call)) = operation {
                api.pool.fail(operation, call, Reason::Unavailable);
            }
            let answer = reset(&api, "mia", RESET_CODE, "Permanent-1").await;
            assert_eq!(answer.status, status, "{failed}");
            assert_eq!((&answer.body["completed"], &answer.body["failed"]), (&completed, &json!(failed)));
            assert!(answer.body["detail"].as_str().unwrap().contains("earlier sessions may still be valid"));
            assert!(api.pool.has_password("mia", "Permanent-1"));
        }
    }
}
