//! The ports for the private key: for whoever issues invitations, and for whoever makes and keeps the key.

use std::fmt;

use async_trait::async_trait;

use super::SigningKey;
use crate::platform::PlatformError;
use crate::spec::PoolName;
use crate::user_pool_error::UserPoolError;

/// Where the key comes from, for whoever issues invitations.
#[async_trait]
pub trait InvitationKey: Send + Sync {
    /// The key. MUST be read once per process where that succeeds, and MUST NOT be written down anywhere.
    async fn invitation_key(&self) -> Result<SigningKey, UserPoolError>;
}

/// Where private keys are kept, for whoever makes them and takes them away.
#[async_trait]
pub trait InvitationKeys: Send + Sync {
    /// The key of this name; none where there is none. MUST answer [`ErrorClass::Invalid`](crate::retry::ErrorClass) for something else under
    /// that name, without quoting it.
    async fn read(&self, name: &KeyName) -> Result<Option<SigningKey>, PlatformError>;

    /// Keeps a key of `pool` under a name that is free, with our tag on it. MUST NOT replace what is there: answers
    /// [`ErrorClass::AlreadyExists`](crate::retry::ErrorClass) then. Sent once: where the answer is lost, the caller reads.
    async fn create(&self, name: &KeyName, pool: &PoolName, key: &SigningKey) -> Result<(), PlatformError>;

    /// Deletes the key of this name. Answers [`ErrorClass::NotFound`](crate::retry::ErrorClass) where there is none.
    async fn delete(&self, name: &KeyName) -> Result<(), PlatformError>;
}

/// Under which name a key is kept: `/poolkeeper/POOL/invitation-key/VERSION`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// The name of a pool's key. Another version is another key: that is how a key is replaced.
    #[must_use]
    pub fn of(pool: &PoolName, version: u32) -> Self {
        Self(format!("/poolkeeper/{pool}/invitation-key/{version}"))
    }

    /// The name, as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
