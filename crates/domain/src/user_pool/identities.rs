//! External identities that are linked to users, and the port for them.

use async_trait::async_trait;

use crate::user_pool::error::UserPoolError;
use crate::user_pool::user::Username;

/// An identity at an external provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// The provider's name in the pool, e.g. `Google`.
    pub provider: String,
    /// The user's id at the provider: the subject of the token, or the `NameID` of the assertion.
    pub user_id: String,
}

/// Links external identities to users of one pool. A user's attribute `identities` contains the links.
#[async_trait]
pub trait Identities: Send + Sync {
    /// Links the identity to the user, so that its owner signs in as this user. MUST return `UserNotFound` for an
    /// unknown user, and `AliasExists` for an identity that is linked to another user.
    async fn link(&self, username: &Username, identity: &ExternalIdentity) -> Result<(), UserPoolError>;

    /// Removes the link. The next sign-in with the identity creates a new user.
    async fn unlink(&self, identity: &ExternalIdentity) -> Result<(), UserPoolError>;
}
