//! The ports for the private key: for whoever issues invitations, and for whoever makes and keeps the key.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use thiserror::Error;

use super::SigningKey;
use crate::platform::PlatformError;
use crate::spec::PoolName;
use crate::user_pool::error::UserPoolError;

/// Where the key comes from, for whoever issues invitations.
#[async_trait]
pub trait InvitationKey: Send + Sync {
    /// The key. MUST be read once per process where that succeeds, and MUST NOT be written down anywhere.
    async fn invitation_key(&self) -> Result<SigningKey, UserPoolError>;
}

/// A key in the store.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// The key.
    pub key: SigningKey,
    /// Whether it is the first value that was stored under its name, so that its tags are about this key.
    pub is_original: bool,
}

/// The store of private keys, for the function that creates and deletes them.
#[async_trait]
pub trait InvitationKeys: Send + Sync {
    /// The key of this name; none where there is none. MUST answer [`ErrorClass::Invalid`](crate::retry::ErrorClass) for something else under
    /// that name, without quoting it.
    async fn read(&self, name: &KeyName) -> Result<Option<StoredKey>, PlatformError>;

    /// The tags of what is stored under this name; none if nothing is.
    async fn tags(&self, name: &KeyName) -> Result<Option<BTreeMap<String, String>>, PlatformError>;

    /// Stores a key with these tags under a name that is free. MUST NOT replace what is there: answers
    /// [`ErrorClass::AlreadyExists`](crate::retry::ErrorClass) then. Sent once: where the answer is lost, the caller reads.
    async fn create(
        &self,
        name: &KeyName,
        tags: &BTreeMap<String, String>,
        key: &SigningKey,
    ) -> Result<(), PlatformError>;

    /// Deletes the key of this name. Answers [`ErrorClass::NotFound`](crate::retry::ErrorClass) where there is none.
    async fn delete(&self, name: &KeyName) -> Result<(), PlatformError>;
}

/// The stack that a key is made for, as the key's name says it: the last segment of the stack's id, which no other stack has had or will have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OwningStack(String);

/// The text is no id of a stack: nothing of its last segment can stand in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected the id of a stack, which ends with a UUID of its own")]
pub struct NotAStackId;

/// The longest part that a stack has in a name. A UUID has 36 characters.
const LONGEST_STACK: usize = 64;

impl OwningStack {
    /// The stack with this id. Of its last segment, letters, digits and hyphens count, at most 64 of them.
    ///
    /// # Errors
    /// [`NotAStackId`] where none is left.
    pub fn of_id(stack_id: &str) -> Result<Self, NotAStackId> {
        let segment = stack_id.rsplit('/').next().unwrap_or_default();
        let counts = |character: &char| character.is_ascii_alphanumeric() || *character == '-';
        let plain: String = segment.chars().filter(counts).take(LONGEST_STACK).collect();
        if plain.is_empty() { Err(NotAStackId) } else { Ok(Self(plain)) }
    }
}

/// Under which name a key is kept: `/poolkeeper/POOL/invitation-key/STACK/VERSION`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyName(String);

/// The text is no [`KeyName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected the name of an invitation key, `/poolkeeper/POOL/invitation-key/STACK/VERSION`")]
pub struct NotAKeyName;

impl KeyName {
    /// The name of the key that a stack has for its pool. Two stacks never mean the same key, also where their pools have one name, and nobody can
    /// put a key there before the stack is. Another version is another key: that is how a key is replaced.
    #[must_use]
    pub fn of(pool: &PoolName, stack: &OwningStack, version: u32) -> Self {
        Self(format!("{}{}/{version}", beginning(pool), stack.0))
    }

    /// Whether it is the name of a key of this pool, whatever its stack and version.
    #[must_use]
    pub fn is_of(&self, pool: &PoolName) -> bool {
        self.0.starts_with(&beginning(pool))
    }

    /// The version of the key.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.0.rsplit('/').next().and_then(|version| version.parse().ok()).unwrap_or_default()
    }

    /// The name, as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How the names of all keys of a pool begin.
fn beginning(pool: &PoolName) -> String {
    format!("/poolkeeper/{pool}/invitation-key/")
}

/// Takes exactly what [`KeyName::of`] makes: whatever else has a similar name is not a key of ours.
impl std::str::FromStr for KeyName {
    type Err = NotAKeyName;

    fn from_str(text: &str) -> Result<Self, NotAKeyName> {
        let rest = text.strip_prefix("/poolkeeper/").ok_or(NotAKeyName)?;
        let (pool, rest) = rest.split_once("/invitation-key/").ok_or(NotAKeyName)?;
        let (stack, version) = rest.split_once('/').ok_or(NotAKeyName)?;
        let pool = PoolName::try_from(pool.to_owned()).map_err(|_| NotAKeyName)?;
        let stack = OwningStack::of_id(stack).map_err(|_| NotAKeyName)?;
        let name = Self::of(&pool, &stack, version.parse().map_err(|_| NotAKeyName)?);
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

    const STACK_ID: &str =
        "arn:aws:cloudformation:eu-west-1:123456789012:stack/poolkeeper/5b5a1c2e-1f5d-11ee-be56-0242ac120002";

    fn pool(name: &str) -> PoolName {
        name.to_owned().try_into().unwrap()
    }

    fn name_of(pool_name: &str, stack_id: &str, version: u32) -> KeyName {
        KeyName::of(&pool(pool_name), &OwningStack::of_id(stack_id).unwrap(), version)
    }

    #[test]
    fn a_name_says_pool_stack_and_version() {
        let name = "/poolkeeper/shop/invitation-key/5b5a1c2e-1f5d-11ee-be56-0242ac120002/2";
        assert_eq!(name_of("shop", STACK_ID, 2).as_str(), name);
    }

    #[test]
    fn two_stacks_with_one_pool_name_have_two_keys() {
        let other = STACK_ID.replace("5b5a1c2e", "6b5a1c2e");
        assert_ne!(name_of("shop", STACK_ID, 1), name_of("shop", &other, 1));
    }

    #[test]
    fn of_a_stack_only_what_can_stand_in_a_name_counts_and_not_more_than_fits() {
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
            assert_eq!(OwningStack::of_id(stack_id), Err(NotAStackId), "{stack_id}");
        }
    }

    #[test]
    fn a_name_that_is_written_down_can_be_read_again() {
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
    fn a_name_belongs_to_its_pool_and_to_none_that_only_begins_like_it() {
        let name = name_of("shop", STACK_ID, 1);
        assert!(name.is_of(&pool("shop")));
        for other in ["sho", "shop-2", "store", "Shop", "invitation-key"] {
            assert!(!name.is_of(&pool(other)), "{other}");
        }
    }

    #[test]
    fn what_only_resembles_the_name_of_a_key_is_refused() {
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
            assert_eq!(text.parse::<KeyName>(), Err(NotAKeyName), "{text}");
        }
    }
}
