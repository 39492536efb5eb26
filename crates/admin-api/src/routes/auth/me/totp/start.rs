//! `POST /v1/auth/me/totp`: starts the enrollment of an authenticator app.

use axum::Json;
use axum::extract::State;
use domain::secret::Secret;
use domain::user_pool::self_service::Myself;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use utoipa::ToSchema;

use super::owner_without_totp;
use crate::app::App;
use crate::audit::record::Audit;
use crate::authz::access_token::AccessToken;
use crate::http::error::ApiError;

// The type contains the secret as text, so it does not implement `Debug`.
/// The secret for an authenticator app.
#[derive(Serialize, ToSchema)]
#[schema(as = AuthenticatorSecret, example = json!({
    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "uri": "otpauth://totp/shop:mia%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=shop",
}))]
pub(crate) struct Answer {
    /// The TOTP secret in base32, for manual entry.
    #[schema(format = Password)]
    secret: String,
    /// The secret, issuer and account as an `otpauth` URI, for a QR code.
    #[schema(format = Password)]
    uri: String,
}

/// Enroll an authenticator app
///
/// Generates a TOTP secret. Sign-ins do not request a code until `POST /v1/auth/me/totp/verify` succeeds. Returns
/// `wrong-state` if the user already has an authenticator app (remove it first), or if the pool does not offer
/// authenticator apps.
#[utoipa::path(
    post, path = "/v1/auth/me/totp", tag = "auth", operation_id = "start_totp",
    responses((status = 200, description = "The secret for the authenticator app. It is not returned again.", body = Answer)),
    extensions(("x-problems" = json!(["invalid-credentials", "password-reset-required", "wrong-state", "invalid-request"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    AccessToken(access_token): AccessToken,
) -> Result<Json<Answer>, ApiError> {
    let owner = owner_without_totp(&app, &audit, &access_token).await?;
    let secret = app.self_service.start_totp(&access_token).await?;
    let uri = uri(&app.totp_issuer, account(&owner), &secret);
    Ok(Json(Answer { secret: secret.expose().to_owned(), uri }))
}

/// The account name that the app displays. In a pool with e-mail sign-in, the user name is an opaque id.
fn account(owner: &Myself) -> &str {
    owner.attributes.get("email").map_or(owner.username.as_str(), String::as_str)
}

/// All except the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The key URI format of authenticator apps:
/// <https://github.com/google/google-authenticator/wiki/Key-Uri-Format>. Cognito uses its defaults: SHA-1, 6 digits, 30 seconds.
fn uri(issuer: &str, account: &str, secret: &Secret) -> String {
    let encoded = |text| utf8_percent_encode(text, ENCODED);
    let (issuer, secret) = (encoded(issuer), encoded(secret.expose()));
    format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}", account = encoded(account))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uri_encodes_issuer_and_account() {
        let uri = uri("my shop", "mia:1&x=ü@example.com", &Secret::new("ABC"));
        assert_eq!(uri, "otpauth://totp/my%20shop:mia%3A1%26x%3D%C3%BC%40example.com?secret=ABC&issuer=my%20shop");
    }
}
