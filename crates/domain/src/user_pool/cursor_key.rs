//! The port for secret keys that all instances of a function share: one for list cursors, one for creation proofs.

use async_trait::async_trait;

use crate::secret::Secret;
use crate::user_pool::error::UserPoolError;

/// Access to the keys.
#[async_trait]
pub trait CursorKey: Send + Sync {
    /// Returns the key of cursors. MUST be the same in every instance of a function. If the app client has a secret,
    /// the key MUST NOT be derivable from an access token.
    async fn cursor_key(&self) -> Result<Secret, UserPoolError>;

    /// Returns the key of creation proofs, which MUST differ from the key of cursors. Returns `None` if the app client
    /// has no secret, because callers could then derive the key.
    async fn creation_key(&self) -> Result<Option<Secret>, UserPoolError>;
}
