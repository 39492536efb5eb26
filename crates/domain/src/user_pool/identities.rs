//! Identities at external providers that are linked to a user, and the port for them.

use async_trait::async_trait;

use crate::user_pool::error::UserPoolError;
use crate::user_pool::user::Username;

/// Somebody's identity at an external provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// The provider's name in the pool, e.g. `Google`.
    pub provider: String,
    /// The id of the person at the provider: the subject of the token, or the `NameID` of the assertion.
    pub user_id: String,
}

/// Linked identities of the users of one pool. Which ones there are stands in the user's attribute `identities`.
#[async_trait]
pub trait Identities: Send + Sync {
    /// Lets the owner of the identity sign in as this user. MUST answer `UserNotFound` for an unknown user, and `AliasExists` for an
    /// identity that is linked to another user.
    async fn link(&self, username: &Username, identity: &ExternalIdentity) -> Result<(), UserPoolError>;

    /// Takes the link away. The next sign-in with the identity makes a user of its own.
    async fn unlink(&self, identity: &ExternalIdentity) -> Result<(), UserPoolError>;
}
