//! `DELETE /v1/auth/me/totp`: disables the authenticator app.

use axum::extract::State;
use http::StatusCode;

use super::owner;
use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access_token::AccessToken;
use crate::http::error::ApiError;

/// Remove the authenticator app
///
/// Disables the authenticator app as a second factor and keeps other factors. Safe to repeat. If the pool requires a
/// second factor, Cognito either rejects the request (`wrong-state`) or requests a factor at the next sign-in.
#[utoipa::path(
    delete, path = "/v1/auth/me/totp", tag = "auth", operation_id = "remove_totp",
    responses((status = 204, description = "The authenticator app is disabled.")),
    extensions(("x-problems" = json!(["invalid-credentials", "password-reset-required", "wrong-state", "invalid-request"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    AccessToken(access_token): AccessToken,
) -> Result<StatusCode, ApiError> {
    let owner = owner(&app, &audit, &access_token).await?;
    if owner.has_totp() {
        let mfa = owner.mfa_without_totp();
        app.self_service.set_own_mfa(&access_token, &owner.factors, &mfa).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
