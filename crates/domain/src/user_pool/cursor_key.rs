//! The port for keys that all instances of a function share and no caller knows: for cursors of lists, and for creation proofs.

use async_trait::async_trait;

use crate::secret::Secret;
use crate::user_pool::error::UserPoolError;

/// Where the key comes from.
#[async_trait]
pub trait CursorKey: Send + Sync {
    /// The key. MUST be the same in every instance of a function, and MUST NOT be known to whoever only has an access token, where
    /// the app client has a secret.
    async fn cursor_key(&self) -> Result<Secret, UserPoolError>;

    /// The key of creation proofs, which MUST differ from the key of cursors. `None` if the app client has no secret, because then there is no
    /// key that callers cannot derive.
    async fn creation_key(&self) -> Result<Option<Secret>, UserPoolError>;
}
