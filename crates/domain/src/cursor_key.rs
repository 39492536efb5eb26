//! The port for the key under which the cursors of lists are sealed.

use async_trait::async_trait;

use crate::secret::Secret;
use crate::user_pool_error::UserPoolError;

/// Where the key comes from.
#[async_trait]
pub trait CursorKey: Send + Sync {
    /// The key. MUST be the same in every instance of a function, and MUST NOT be known to whoever only has an access token, where
    /// the app client has a secret.
    async fn cursor_key(&self) -> Result<Secret, UserPoolError>;
}
