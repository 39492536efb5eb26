//! An authenticator app (TOTP) as the second factor of the owner of an access token: `/v1/auth/me/totp`.
//!
//! Cognito drops the registered authenticator app when another enrollment starts. So this API requires the removal of a
//! working authenticator app before another enrollment.

pub(crate) mod remove;
pub(crate) mod start;
pub(crate) mod verify;

use domain::secret::Secret;
use domain::user_pool::error::Reason;
use domain::user_pool::self_service::Myself;
use domain::user_pool::sessions::Factor;
use domain::user_pool::sign_in_security::Mfa;

use crate::app::App;
use crate::audit::record::Audit;
use crate::http::error::ApiError;

/// The name of the factor in audit records.
const FIELD: &str = "authenticator";

/// The owner of the token. Adds the owner to the audit record.
async fn owner(app: &App, audit: &Audit, access_token: &Secret) -> Result<Myself, ApiError> {
    audit.fields([FIELD]);
    let owner = app.self_service.myself(access_token).await?;
    audit.on(&owner.username);
    Ok(owner)
}

/// The owner of the token, if the owner has no working authenticator app.
async fn owner_without_totp(app: &App, audit: &Audit, access_token: &Secret) -> Result<Myself, ApiError> {
    let owner = owner(app, audit, access_token).await?;
    if works(app, access_token, &owner).await? { Err(ApiError::AuthenticatorExists) } else { Ok(owner) }
}

/// Whether a sign-in requires the code of an authenticator app.
///
/// Cognito lists an authenticator app as enabled even if an unfinished enrollment has dropped it, but then rejects a
/// call that enables it. So this function enables the factor again and checks the result. If an administrator disables
/// the factor between the two calls, this function enables it again. In Cognito, the owner's access token also permits
/// that.
async fn works(app: &App, access_token: &Secret, owner: &Myself) -> Result<bool, ApiError> {
    const TOTP: Factor = Factor::SoftwareTokenMfa;
    if !owner.has_totp() {
        return Ok(false);
    }
    let unchanged = Mfa { enabled: vec![TOTP], preferred: owner.preferred_factor.filter(|factor| *factor == TOTP) };
    match app.self_service.set_own_mfa(access_token, &[TOTP], &unchanged).await {
        Ok(()) => Ok(true),
        Err(error) if error.reason == Reason::WrongState => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
