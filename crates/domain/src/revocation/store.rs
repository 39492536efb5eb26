//! The port to the stored revocations, and the check of a token against them.

use std::collections::HashMap;
use std::error::Error;

use async_trait::async_trait;
use thiserror::Error;

use super::{Denial, Revocation, Scope, Token};

/// How long a revocation is kept, in seconds: 3,651 days. A refresh token is valid for at most 315,360,000 s, which is
/// 3,650 days
/// ([AWS](https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html)).
/// Without its revocation, a refresh would continue a revoked session.
const RETENTION: u64 = 3_651 * 24 * 60 * 60;

/// What the setting with the name of the table must be.
pub const EXPECTED_TABLE_NAME: &str = "must be the name of a DynamoDB table: 3–255 letters, digits and ._-";

/// Whether DynamoDB accepts a table name
/// ([AWS](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html)).
#[must_use]
pub fn is_table_name(name: &str) -> bool {
    (3..=255).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// Returns when a revocation that is written at `now` can be deleted. Both are in seconds since 1970.
#[must_use]
pub fn expiry(now: u64) -> u64 {
    now.saturating_add(RETENTION)
}

/// The revocations of some scopes.
pub type Stored = HashMap<Scope, Revocation>;

/// Stores revocations.
#[async_trait]
pub trait Revocations: Send + Sync {
    /// Reads the revocations of these scopes. Scopes without a revocation are absent from the result. The result
    /// contains every revocation whose [`Revocations::revoke`] returned before the call.
    ///
    /// # Errors
    ///
    /// Returns an error unless the store returned the state of all scopes.
    async fn revocations(&self, scopes: &[Scope]) -> Result<Stored, RevocationsUnavailable>;

    /// Combines a revocation with the stored one, as [`Revocation::and`] does. Safe to repeat. `now` is the time in
    /// seconds since 1970. A write that extends no revocation has no effect. The store keeps the result until the
    /// [`expiry`] of the last write that had one.
    ///
    /// # Errors
    ///
    /// Returns an error if the revocation is not stored, or if that is unknown. Calls can then already be denied.
    async fn revoke(&self, scope: &Scope, revocation: Revocation, now: u64) -> Result<(), RevocationsUnavailable>;
}

/// The store could not be read or written. A token whose revocations are unknown must be denied.
#[derive(Debug, Error)]
#[error("{operation}: the revocations are unavailable")]
pub struct RevocationsUnavailable {
    /// The service's name of the failed operation, e.g. `BatchGetItem`.
    pub operation: &'static str,
    /// The service's error, for logs only.
    pub source: Box<dyn Error + Send + Sync>,
}

/// Why a token is not accepted.
#[derive(Debug, Error)]
pub enum CheckError {
    /// The token is denied.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// Whether the token is revoked is unknown.
    #[error(transparent)]
    Unavailable(#[from] RevocationsUnavailable),
}

/// Checks a verified token with one read of all its scopes.
///
/// # Errors
///
/// Returns an error unless the store confirms that the token is not revoked.
pub async fn check(revocations: &dyn Revocations, token: &Token<'_>) -> Result<(), CheckError> {
    let stored = revocations.revocations(&token.scopes()?).await?;
    Ok(token.check(|scope| stored.get(scope).copied())?)
}
