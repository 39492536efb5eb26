//! `POST /v1/auth/me/totp/verify`: finishes the enrollment of an authenticator app.

use axum::extract::State;
use domain::secret::Secret;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::owner_without_totp;
use crate::app::App;
use crate::audit::record::Audit;
use crate::audit::steps::Progress;
use crate::authz::access_token::AccessToken;
use crate::fields::text::AuthenticatorCode;
use crate::http::error::{Advice, ApiError};
use crate::http::json::Json;

/// A code from the authenticator app.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerifyAuthenticator, example = json!({"code": "123456", "device_name": "Mia's phone"}))]
pub(crate) struct Body {
    code: AuthenticatorCode,
    /// The user's name for the device.
    device_name: Option<String>,
}

/// Finish the enrollment of an authenticator app
///
/// Verifies the code, enables the authenticator app and makes it the preferred second factor. Then ends all sessions of
/// the user, including the current one, because they started without the code. The next sign-in returns the challenge
/// `SOFTWARE_TOKEN_MFA`. With the session gate, the response arrives up to 1.2 seconds later, so that the next sign-in
/// is valid. If the sessions cannot be ended, `failed` is `sign-out`, or `revoke-tokens` with the session gate; end them
/// with `POST /v1/auth/sign-out`. Returns `code-mismatch` also if no enrollment was started.
#[utoipa::path(
    post, path = "/v1/auth/me/totp/verify", tag = "auth", operation_id = "verify_totp",
    request_body = Body,
    responses((status = 204, description = "The authenticator app is enabled, and all sessions are ended.")),
    extensions(("x-problems" = json!([
        "invalid-credentials", "user-not-confirmed", "password-reset-required", "wrong-state", "code-mismatch",
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
    let owner = owner_without_totp(&app, &audit, &access_token).await?;
    let (code, service) = (Secret::from(body.code), &app.self_service);
    progress.then("verify", service.verify_totp(&access_token, &code, body.device_name.as_deref())).await?;
    progress.advise(Advice::EnrollAgain);
    let mfa = owner.mfa_with_totp();
    progress.then("switch-on", service.set_own_mfa(&access_token, &owner.factors, &mfa)).await?;
    progress.advise(Advice::SignOut);
    // Otherwise a session that was started with only a stolen password stays valid.
    app.sign_out_owner(&progress, &owner, &access_token).await?;
    app.wait_for_valid_sign_ins().await;
    Ok(StatusCode::NO_CONTENT)
}
