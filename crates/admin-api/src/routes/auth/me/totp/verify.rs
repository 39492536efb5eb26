//! `POST /v1/auth/me/totp/verify`: finishes the enrollment of an authenticator app.

use axum::extract::State;
use domain::secret::Secret;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::owner_without_totp;
use crate::access_token::AccessToken;
use crate::app::App;
use crate::audit::Audit;
use crate::error::ApiError;
use crate::json::Json;
use crate::routes::auth::secrets::AppCode;

/// The proof that the authenticator app has the secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerifyAuthenticator, example = json!({"code": "123456", "device_name": "Mia's phone"}))]
pub(in crate::routes::auth) struct Body {
    code: AppCode,
    /// The user's name for the device.
    device_name: Option<String>,
}

/// Finish the enrollment of an authenticator app
///
/// Verifies the code, switches the authenticator on and makes it the preferred second factor. From then on, sign-ins lead to the
/// challenge `SOFTWARE_TOKEN_MFA`. Tokens from before stay valid. `code-mismatch` also if no enrollment was started.
#[utoipa::path(
    post, path = "/v1/auth/me/totp/verify", tag = "auth", operation_id = "verify_totp",
    request_body = Body,
    responses((status = 204, description = "The authenticator is switched on.")),
    extensions(("x-problems" = json!([
        "invalid-credentials", "password-reset-required", "wrong-state", "code-mismatch"
    ])))
)]
pub(in crate::routes::auth) async fn handle(
    State(app): State<App>,
    audit: Audit,
    AccessToken(access_token): AccessToken,
    Json(body): Json<Body>,
) -> Result<StatusCode, ApiError> {
    let owner = owner_without_totp(&app, &audit, &access_token).await?;
    let (code, service) = (Secret::from(body.code), &app.self_service);
    service.verify_totp(&access_token, &code, body.device_name.as_deref()).await?;
    let switched_on = service.set_own_mfa(&access_token, &owner.factors, &owner.mfa_with_totp()).await;
    switched_on.map_err(ApiError::AuthenticatorOff)?;
    Ok(StatusCode::NO_CONTENT)
}
