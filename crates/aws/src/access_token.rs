//! Reads claims of access tokens. Cognito verifies the signature and expiry when it receives the token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::user::Username;
use serde_json::Value;

use crate::CognitoAppClient;

struct Claims(Value);

impl Claims {
    fn of(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok().map(Self)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }
}

/// Returns the claim `username`, which is the real user name, not an alias.
pub(crate) fn username_in(access_token: &str) -> Option<Username> {
    Claims::of(access_token)?.text("username")?.parse().ok()
}

/// Returns the claims `sub` and `origin_jti`, the session. Call this only with a token that Cognito has verified.
pub(crate) fn sub_and_session(access_token: &Secret) -> (Option<String>, Option<String>) {
    let claims = Claims::of(access_token.expose());
    let claim = |name| claims.as_ref()?.text(name).map(str::to_owned);
    (claim("sub"), claim("origin_jti"))
}

fn ensure(is_accepted: bool, operation: &'static str) -> Result<(), UserPoolError> {
    if is_accepted { Ok(()) } else { Err(UserPoolError::new(operation, Reason::InvalidCredentials)) }
}

impl CognitoAppClient {
    /// Returns an error unless the token was issued for this pool and client.
    ///
    /// Cognito's calls with an access token name no pool, so they also accept tokens of other pools, whose users can
    /// have the same names.
    pub(crate) fn ensure_own_token(&self, operation: &'static str, access_token: &Secret) -> Result<(), UserPoolError> {
        let is_own = |claims: &Claims| claims.text("client_id") == Some(&self.client_id);
        self.ensure_token_of_pool(operation, access_token)?;
        ensure(Claims::of(access_token.expose()).as_ref().is_some_and(is_own), operation)
    }

    /// Returns an error unless the token was issued for this pool, to any client.
    pub(crate) fn ensure_token_of_pool(
        &self,
        operation: &'static str,
        access_token: &Secret,
    ) -> Result<(), UserPoolError> {
        let is_of_pool = |claims: Claims| {
            let pool = claims.text("iss").and_then(|issuer| issuer.rsplit_once('/')).map(|(_, pool)| pool);
            claims.text("token_use") == Some("access") && pool == Some(&self.user_pool_id)
        };
        ensure(Claims::of(access_token.expose()).is_some_and(is_of_pool), operation)
    }
}
