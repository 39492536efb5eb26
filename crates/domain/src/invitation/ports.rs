//! The ports for the private key: for whoever issues invitations, and for whoever makes and keeps the key.

use std::fmt;

use async_trait::async_trait;
use thiserror::Error;

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

/// The text is no [`KeyName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected the name of an invitation key, `/poolkeeper/POOL/invitation-key/VERSION`")]
pub struct NotAKeyName;

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

    /// The ARN of the parameter with this name.
    #[must_use]
    pub fn arn(&self, region: &str, account_id: &str) -> String {
        format!("arn:aws:ssm:{region}:{account_id}:parameter{self}")
    }
}

/// Takes exactly what [`KeyName::of`] makes: whatever else has a similar name is not a key of ours.
impl std::str::FromStr for KeyName {
    type Err = NotAKeyName;

    fn from_str(text: &str) -> Result<Self, NotAKeyName> {
        let rest = text.strip_prefix("/poolkeeper/").ok_or(NotAKeyName)?;
        let (pool, version) = rest.split_once("/invitation-key/").ok_or(NotAKeyName)?;
        let pool = PoolName::try_from(pool.to_owned()).map_err(|_| NotAKeyName)?;
        let name = Self::of(&pool, version.parse().map_err(|_| NotAKeyName)?);
        if name.as_str() == text { Ok(name) } else { Err(NotAKeyName) }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(pool: &str, version: u32) -> KeyName {
        KeyName::of(&pool.to_owned().try_into().unwrap(), version)
    }

    #[test]
    fn a_name_that_is_written_down_can_be_read_again() {
        for name in [name_of("shop", 1), name_of("shop-2", u32::MAX), name_of("invitation-key", 0)] {
            assert_eq!(name.as_str().parse(), Ok(name));
        }
    }

    #[test]
    fn what_only_resembles_the_name_of_a_key_is_refused() {
        for text in [
            "",
            "poolkeeper-failed-create",
            "shop-InvitationKey-1K9V5Y3XQ2J8B",
            "/poolkeeper/shop/invitation-key/",
            "/poolkeeper/shop/invitation-key/01",
            "/poolkeeper/shop/invitation-key/+1",
            "/poolkeeper/shop/invitation-key/-1",
            "/poolkeeper/shop/invitation-key/1 ",
            "/poolkeeper/shop/invitation-key/1:2",
            "/poolkeeper/shop/invitation-key/4294967296",
            "/poolkeeper/shop/invitation-key/1/invitation-key/1",
            "/poolkeeper//invitation-key/1",
            "/poolkeeper/a/b/invitation-key/1",
            "/poolkeeper/../invitation-key/1",
            "/poolkeeper/shop/other-secret/1",
            "poolkeeper/shop/invitation-key/1",
            "/Poolkeeper/shop/invitation-key/1",
            "arn:aws:ssm:eu-west-1:123456789012:parameter/poolkeeper/shop/invitation-key/1",
        ] {
            assert_eq!(text.parse::<KeyName>(), Err(NotAKeyName), "{text}");
        }
    }

    #[test]
    fn the_arn_of_a_name_that_begins_with_a_slash_has_one_slash() {
        let arn = name_of("shop", 2).arn("eu-west-1", "123456789012");
        assert_eq!(arn, "arn:aws:ssm:eu-west-1:123456789012:parameter/poolkeeper/shop/invitation-key/2");
    }
}
