//! `DELETE /v1/auth/me/totp`: switches the authenticator app off.

use axum::extract::State;
use http::StatusCode;

use super::owner;
use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access_token::AccessToken;
use crate::http::error::ApiError;

/// Remove one's own authenticator app
///
/// Switches it off as a second factor; other factors stay. Safe to repeat. In a pool that requires a second factor, Cognito decides
/// whether it refuses (`wrong-state`) or asks for a factor at the next sign-in.
#[utoipa::path(
    delete, path = "/v1/auth/me/totp", tag = "auth", operation_id = "remove_totp",
    responses((status = 204, description = "No authenticator is switched on.")),
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
