//! `PUT /v1/auth/me/password`: changes the user's own password.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::record::Audit;
use crate::audit::steps::Progress;
use crate::authz::access_token::AccessToken;
use crate::fields::text::Password;
use crate::http::error::{Advice, ApiError};
use crate::http::json::Json;

/// The current and the new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(
    as = ChangePassword,
    example = json!({"current_password": "Correct-Horse-8", "new_password": "Correct-Horse-9"})
)]
pub(crate) struct Body {
    current_password: Password,
    new_password: Password,
}

/// Change the own password
///
/// With the session gate, all sessions of the user end, the current one included, and the response arrives up to 1.2
/// seconds later, so that the next sign-in is valid. Without the gate, all sessions remain. If a later step fails, the
/// password is changed; follow the `detail`.
#[utoipa::path(
    put, path = "/v1/auth/me/password", tag = "auth", operation_id = "change_own_password",
    request_body = Body,
    responses((status = 204, description = "The password is changed.")),
    extensions(("x-problems" = json!([
        "invalid-credentials", "invalid-password", "user-not-confirmed", "password-reset-required",
        "revocations-unavailable"
    ])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    progress: Progress,
    AccessToken(access_token): AccessToken,
    Json(body): Json<Body>,
) -> Result<StatusCode, ApiError> {
    audit.fields(["permanent_password"]);
    let owner = app.self_service.myself(&access_token).await?;
    audit.on(&owner.username);
    let (current, new) = (body.current_password.into(), body.new_password.into());
    // A wrong password must not end sessions, so the revocation follows the change.
    progress.then("change-password", app.self_service.change_password(&access_token, &current, &new)).await?;
    if app.revocations.is_some() {
        progress.advise(Advice::SignOutAfterReset);
        app.sign_out_owner(&progress, &owner, &access_token).await?;
        app.wait_for_valid_sign_ins().await;
    }
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::revocation::{Revocation, Scope};
    use serde_json::json;
    use testkit::in_memory_revocations::{Fault, InMemoryRevocations};

    use crate::testing::{Answer, Api, Call};

    async fn change(api: &Api, token: &str, current: &str, new: &str) -> Answer {
        let body = json!({"current_password": current, "new_password": new});
        let call = Call::put("/v1/auth/me/password", &body).anonymous();
        api.call(call.header("authorization", &format!("Bearer {token}"))).await
    }

    #[tokio::test]
    async fn changes_only_with_the_current_password() {
        let api = Api::new();
        let token = api.sign_in("mia").await.access;
        for (current, new, status, code) in [
            ("Wrong-1", "Permanent-1", 401, "invalid-credentials"),
            ("Password-of-mia-1", "weak", 422, "invalid-password"),
        ] {
            let answer = change(&api, &token, current, new).await;
            assert_eq!((answer.status, answer.code()), (status, code));
            assert!(api.pool.has_password("mia", "Password-of-mia-1"));
        }
        assert_eq!(change(&api, &token, "Password-of-mia-1", "Permanent-1").await.status, 204);
        assert!(api.pool.has_password("mia", "Permanent-1"));
    }

    #[tokio::test]
    async fn with_gate_ends_all_sessions() {
        let revocations = Arc::<InMemoryRevocations>::default();
        let api = Api::with_revocations(&revocations);
        let [this, other] = [api.sign_in("mia").await, api.sign_in("mia").await];
        assert_eq!(change(&api, &this.access, "Wrong-1", "Permanent-1").await.status, 401);
        assert!(revocations.all().is_empty() && api.pool.takes_token(&this.access));
        assert_eq!(change(&api, &this.access, "Password-of-mia-1", "Permanent-1").await.status, 204);
        let user = Scope::User(api.sub_of("mia"));
        assert_eq!(revocations.all(), [(user, Revocation::of_sign_ins_until(0))].into());
        assert!(!api.pool.takes_token(&other.refresh));
        assert_eq!(api.wall_time().unix_timestamp_nanos(), 1_100_000_000, "the next sign-in is valid");
    }

    #[tokio::test]
    async fn with_gate_says_that_the_password_is_changed() {
        let revocations = Arc::<InMemoryRevocations>::default();
        let api = Api::with_revocations(&revocations);
        let token = api.sign_in("mia").await.access;
        revocations.set_fault(Some(Fault::Write(1)));
        let answer = change(&api, &token, "Password-of-mia-1", "Permanent-1").await;
        assert_eq!((answer.status, &answer.body["completed"]), (503, &json!(["change-password"])));
        assert!(api.pool.has_password("mia", "Permanent-1") && api.pool.takes_token(&token));
    }
}
