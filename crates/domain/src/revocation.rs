//! Decides whether a token is revoked.
//!
//! Cognito's tokens remain valid until they expire, even after a sign-out. A revocation denies the tokens of a session,
//! a user, an app client or the user pool. Revocations add up: each of them denies a token on its own, so that a later
//! or wider revocation never makes an earlier or narrower one ineffective.

mod store;
#[cfg(test)]
mod tests;

use std::time::Duration;

use thiserror::Error;

pub use store::{
    CheckError, EXPECTED_TABLE_NAME, Revocations, RevocationsUnavailable, Stored, check, expiry, is_table_name,
};

/// How far the clock of Cognito can be ahead of the writer's. Otherwise, a sign-in right before a sign-out could
/// survive. Kept short, because a sign-in in the second of a sign-out is denied.
pub const CLOCK_TOLERANCE: Duration = Duration::from_millis(100);

/// What a revocation applies to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// All tokens of the user pool.
    Pool,
    /// The tokens of an app client, by its id.
    Client(String),
    /// The tokens of a user, by `sub`.
    User(String),
    /// The tokens of a sign-in, by `origin_jti`.
    Session(String),
}

/// Which tokens in a scope are denied. Times are in seconds since 1970, and inclusive: Cognito's times have whole
/// seconds, so a token of the same second can be from before the revocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Revocation {
    /// Denies the tokens of sign-ins until this second. A refresh does not help, because refreshed tokens keep the time
    /// of their sign-in.
    pub signed_in_until: Option<u64>,
    /// Denies tokens issued until this second. A refresh returns a valid token with the user's current groups.
    pub issued_until: Option<u64>,
}

impl Revocation {
    /// Denies all tokens.
    pub const ALL: Self = Self { signed_in_until: Some(u64::MAX), issued_until: None };

    /// Denies the tokens of sign-ins until this second.
    #[must_use]
    pub fn of_sign_ins_until(second: u64) -> Self {
        Self { signed_in_until: Some(second), issued_until: None }
    }

    /// Denies tokens issued until this second.
    #[must_use]
    pub fn of_tokens_until(second: u64) -> Self {
        Self { signed_in_until: None, issued_until: Some(second) }
    }

    /// Combines two revocations of the same scope. The result denies the tokens that either denies, so writers can
    /// merge revocations in any order and repeat them.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            signed_in_until: self.signed_in_until.max(other.signed_in_until),
            issued_until: self.issued_until.max(other.issued_until),
        }
    }

    fn denies(self, token: &Token<'_>) -> bool {
        self.signed_in_until.is_some_and(|second| token.signed_in_at <= second)
            || self.issued_until.is_some_and(|second| token.issued_at <= second)
    }
}

/// The claims of a verified token that revocations apply to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// The app client.
    pub client_id: &'a str,
    /// The user and the session; `None` in tokens of the client credentials grant, which have neither.
    pub user: Option<TokenUser<'a>>,
    /// When the user signed in (`auth_time`).
    pub signed_in_at: u64,
    /// When the token was issued (`iat`).
    pub issued_at: u64,
}

/// The user of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenUser<'a> {
    /// The user's `sub`.
    pub sub: &'a str,
    /// The session (`origin_jti`); `None` if the app client does not enable token revocation.
    pub session: Option<&'a str>,
}

/// Why a token is denied. The reason is for logs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Denial {
    /// The token of a user names no session, so its session cannot be revoked.
    #[error("the token has no `origin_jti`; enable token revocation for its app client")]
    NoSession,
    /// The token is revoked.
    #[error("the token is revoked by {}", .0.name())]
    Revoked(Scope),
}

impl Scope {
    fn name(&self) -> &'static str {
        match self {
            Self::Pool => "user pool",
            Self::Client(_) => "app client",
            Self::User(_) => "user",
            Self::Session(_) => "session",
        }
    }
}

impl Token<'_> {
    /// Returns the scopes that contain the token. Read the revocations of all of them before a decision.
    ///
    /// # Errors
    ///
    /// Returns an error if the token of a user names no session.
    pub fn scopes(&self) -> Result<Vec<Scope>, Denial> {
        let mut scopes = vec![Scope::Pool, Scope::Client(self.client_id.to_owned())];
        if let Some(user) = self.user {
            let session = user.session.ok_or(Denial::NoSession)?;
            scopes.extend([Scope::User(user.sub.to_owned()), Scope::Session(session.to_owned())]);
        }
        Ok(scopes)
    }

    /// Decides with the revocations of all scopes of the token. `None` means that a scope has no revocation.
    ///
    /// # Errors
    ///
    /// Returns an error if the token is denied.
    pub fn check(&self, revocation_of: impl Fn(&Scope) -> Option<Revocation>) -> Result<(), Denial> {
        let is_revoked = |scope: &Scope| revocation_of(scope).is_some_and(|revocation| revocation.denies(self));
        self.scopes()?.into_iter().find(is_revoked).map_or(Ok(()), |scope| Err(Denial::Revoked(scope)))
    }
}
