//! Ports for the private key: one for issuing invitations, one for creating and deleting keys.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use thiserror::Error;

use super::SigningKey;
use crate::platform::PlatformError;
use crate::spec::PoolName;
use crate::user_pool::error::UserPoolError;

/// Access to the private key for issuing invitations.
#[async_trait]
pub trait InvitationKey: Send + Sync {
    /// Returns the key. MUST read it from the store only once per process after a success, and MUST NOT log or persist
    /// it.
    async fn invitation_key(&self) -> Result<SigningKey, UserPoolError>;
}

/// A stored key.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// The key.
    pub key: SigningKey,
    /// Whether this is the first value stored under the name. The tags describe only the first value.
    pub is_original: bool,
}

/// The store of private keys, for the function that creates and deletes them.
#[async_trait]
pub trait InvitationKeys: Send + Sync {
    /// Returns the key of this name, or `None`. MUST return [`ErrorClass::Invalid`](crate::retry::ErrorClass) if the
    /// stored value is not a key, and MUST NOT quote the value.
    async fn read(&self, name: &KeyName) -> Result<Option<StoredKey>, PlatformError>;

    /// Returns the tags of the parameter with this name, or `None`.
    async fn tags(&self, name: &KeyName) -> Result<Option<BTreeMap<String, String>>, PlatformError>;

    /// Stores a key with these tags under a new name. MUST return
    /// [`ErrorClass::AlreadyExists`](crate::retry::ErrorClass) for an existing name, and MUST NOT replace its value.
    /// MUST be sent once. After a lost response, the caller reads the key.
    async fn create(
        &self,
        name: &KeyName,
        tags: &BTreeMap<String, String>,
        key: &SigningKey,
    ) -> Result<(), PlatformError>;

    /// Deletes the key of this name. Returns [`ErrorClass::NotFound`](crate::retry::ErrorClass) if none exists.
    async fn delete(&self, name: &KeyName) -> Result<(), PlatformError>;
}

/// The stack part of a key's name: the last segment of the stack id, which is globally unique.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OwningStack(String);

/// The text is not a stack id, because its last segment contains no ASCII letter, digit or hyphen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a CloudFormation stack id, which ends with a UUID")]
pub struct InvalidStackId;

/// The maximum length of the stack part. A UUID has 36 characters.
const LONGEST_STACK: usize = 64;

impl OwningStack {
    /// Takes the letters, digits and hyphens of the id's last segment, at most 64.
    ///
    /// # Errors
    /// Returns [`InvalidStackId`] if the segment contains none of these characters.
    pub fn of_id(stack_id: &str) -> Result<Self, InvalidStackId> {
        let segment = stack_id.rsplit('/').next().unwrap_or_default();
        let is_plain = |character: &char| character.is_ascii_alphanumeric() || *character == '-';
        let plain: String = segment.chars().filter(is_plain).take(LONGEST_STACK).collect();
        if plain.is_empty() { Err(InvalidStackId) } else { Ok(Self(plain)) }
    }
}

/// The name of a stored key: `/poolkeeper/POOL/invitation-key/STACK/VERSION`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyName(String);

/// The text is not a [`KeyName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be the name of an invitation key, `/poolkeeper/POOL/invitation-key/STACK/VERSION`")]
pub struct InvalidKeyName;

impl KeyName {
    /// The name of a stack's key for its pool. Stacks never share a name, even if their pools have the same name, and
    /// the name cannot be predicted before the stack exists. A higher version rotates the key.
    #[must_use]
    pub fn of(pool: &PoolName, stack: &OwningStack, version: u32) -> Self {
        Self(format!("{}{}/{version}", prefix(pool), stack.0))
    }

    /// Whether this is the name of a key of this pool, for any stack and version.
    #[must_use]
    pub fn is_of(&self, pool: &PoolName) -> bool {
        self.0.starts_with(&prefix(pool))
    }

    /// The version of the key.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.0.rsplit('/').next().and_then(|version| version.parse().ok()).unwrap_or_default()
    }

    /// The full name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The prefix of the names of all keys of a pool.
fn prefix(pool: &PoolName) -> String {
    format!("/poolkeeper/{pool}/invitation-key/")
}

/// Accepts exactly the names that [`KeyName::of`] returns.
impl std::str::FromStr for KeyName {
    type Err = InvalidKeyName;

    fn from_str(text: &str) -> Result<Self, InvalidKeyName> {
        let rest = text.strip_prefix("/poolkeeper/").ok_or(InvalidKeyName)?;
        let (pool, rest) = rest.split_once("/invitation-key/").ok_or(InvalidKeyName)?;
        let (stack, version) = rest.split_once('/').ok_or(InvalidKeyName)?;
        let pool = PoolName::try_from(pool.to_owned()).map_err(|_| InvalidKeyName)?;
        let stack = OwningStack::of_id(stack).map_err(|_| InvalidKeyName)?;
        let name = Self::of(&pool, &stack, version.parse().map_err(|_| InvalidKeyName)?);
        if name.as_str() == text { Ok(name) } else { Err(InvalidKeyName) }
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

    const STACK_ID: &str =
        "arn:aws:cloudformation:eu-west-1:123456789012:stack/poolkeeper/5b5a1c2e-1f5d-11ee-be56-0242ac120002";

    fn pool(name: &str) -> PoolName {
        name.to_owned().try_into().unwrap()
    }

    fn name_of(pool_name: &str, stack_id: &str, version: u32) -> KeyName {
        KeyName::of(&pool(pool_name), &OwningStack::of_id(stack_id).unwrap(), version)
    }

    #[test]
    fn name_contains_pool_stack_and_version() {
        let name = "/poolkeeper/shop/invitation-key/5b5a1c2e-1f5d-11ee-be56-0242ac120002/2";
        assert_eq!(name_of("shop", STACK_ID, 2).as_str(), name);
    }

    #[test]
    fn stacks_with_the_same_pool_name_have_different_keys() {
        let other = STACK_ID.replace("5b5a1c2e", "6b5a1c2e");
        assert_ne!(name_of("shop", STACK_ID, 1), name_of("shop", &other, 1));
    }

    #[test]
    fn stack_id_is_reduced_to_characters_that_names_can_contain() {
        let long = "a".repeat(65);
        for (stack_id, expected) in [
            (STACK_ID, "5b5a1c2e-1f5d-11ee-be56-0242ac120002"),
            ("stack/Shop-1", "Shop-1"),
            ("1", "1"),
            ("stack/a b:c*d.e_f?g$h\ni", "abcdefghi"),
            ("stack/\u{e4}b", "b"),
            (long.as_str(), &long[1..]),
        ] {
            assert_eq!(OwningStack::of_id(stack_id), Ok(OwningStack(expected.to_owned())), "{stack_id}");
        }
        for stack_id in ["", "stack/", "stack/*", "stack/..", "stack/\u{e4}"] {
            assert_eq!(OwningStack::of_id(stack_id), Err(InvalidStackId), "{stack_id}");
        }
    }

    #[test]
    fn key_name_survives_a_round_trip() {
        for name in [
            name_of("shop", STACK_ID, 1),
            name_of("shop-2", STACK_ID, u32::MAX),
            name_of("invitation-key", "invitation-key", 0),
            name_of("shop", &"a".repeat(64), 1),
        ] {
            assert_eq!(name.as_str().parse(), Ok(name));
        }
    }

    #[test]
    fn name_belongs_to_its_pool_only() {
        let name = name_of("shop", STACK_ID, 1);
        assert!(name.is_of(&pool("shop")));
        for other in ["sho", "shop-2", "store", "Shop", "invitation-key"] {
            assert!(!name.is_of(&pool(other)), "{other}");
        }
    }

    #[test]
    fn rejects_names_that_resemble_a_key_name() {
        let too_long = format!("/poolkeeper/shop/invitation-key/{}/1", "a".repeat(65));
        for text in [
            "",
            "poolkeeper-failed-create",
            "shop-InvitationKey-1K9V5Y3XQ2J8B",
            "/poolkeeper/shop/invitation-key/",
            "/poolkeeper/shop/invitation-key/1",
            "/poolkeeper/shop/invitation-key/stack/",
            "/poolkeeper/shop/invitation-key//1",
            "/poolkeeper/shop/invitation-key/../1",
            "/poolkeeper/shop/invitation-key/*/1",
            "/poolkeeper/shop/invitation-key/a.b/1",
            "/poolkeeper/shop/invitation-key/a_b/1",
            "/poolkeeper/shop/invitation-key/a b/1",
            "/poolkeeper/shop/invitation-key/a/b/1",
            &too_long,
            "/poolkeeper/shop/invitation-key/stack/01",
            "/poolkeeper/shop/invitation-key/stack/+1",
            "/poolkeeper/shop/invitation-key/stack/-1",
            "/poolkeeper/shop/invitation-key/stack/1 ",
            "/poolkeeper/shop/invitation-key/stack/1:2",
            "/poolkeeper/shop/invitation-key/stack/4294967296",
            "/poolkeeper/shop/invitation-key/stack/1/invitation-key/stack/1",
            "/poolkeeper//invitation-key/stack/1",
            "/poolkeeper/a/b/invitation-key/stack/1",
            "/poolkeeper/../invitation-key/stack/1",
            "/poolkeeper/shop/other-secret/stack/1",
            "poolkeeper/shop/invitation-key/stack/1",
            "/Poolkeeper/shop/invitation-key/stack/1",
            "arn:aws:ssm:eu-west-1:123456789012:parameter/poolkeeper/shop/invitation-key/stack/1",
        ] {
            assert_eq!(text.parse::<KeyName>(), Err(InvalidKeyName), "{text}");
        }
    }
}
