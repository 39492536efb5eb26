//! What an access token says. Signature and life are Cognito's to check, which does when the token is handed to it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::user::Username;
use serde_json::Value;

use crate::CognitoAppClient;

/// The claims of a token.
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

/// The real user name of its owner.
pub(crate) fn username_in(access_token: &str) -> Option<Username> {
    Claims::of(access_token)?.text("username")?.parse().ok()
}

impl CognitoAppClient {
    /// Refuses a token that is none of this pool and client.
    ///
    /// Calls with a person's token name no pool: Cognito takes it from the token, and answers for users of anybody's. Whoever trusted
    /// such an answer would take a stranger's `root` for ours.
    pub(crate) fn must_be_ours(&self, operation: &'static str, access_token: &Secret) -> Result<(), UserPoolError> {
        let is_ours = |claims: Claims| {
            let pool = claims.text("iss").and_then(|issuer| issuer.rsplit_once('/')).map(|(_, pool)| pool);
            claims.text("token_use") == Some("access")
                && claims.text("client_id") == Some(&self.client_id)
                && pool == Some(&self.user_pool_id)
        };
        if Claims::of(access_token.expose()).is_some_and(is_ours) {
            Ok(())
        } else {
            Err(UserPoolError::new(operation, Reason::InvalidCredentials))
        }
    }
}
