//! Proof that a stored key was created by this stack, and was not put there by somebody else for the stack to adopt.

use std::collections::BTreeMap;

use super::{KeyName, PublicKey};
use crate::platform::TAG_KEY;
use crate::provision::STACK_TAG;
use crate::spec::PoolName;

/// The key of the tag with the id of the CloudFormation request that created a key.
pub const REQUEST_TAG: &str = "poolkeeper:request";

/// The request that wants a key, recorded in the key's tags at its creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOwner {
    /// The user pool of the invitations.
    pub pool: PoolName,
    /// The id of the stack.
    pub stack_id: String,
    /// The id of the CloudFormation request. Nobody can guess it, so only this request can have created a key that carries it.
    pub request_id: String,
}

impl KeyOwner {
    /// The tags of a key that this request creates.
    #[must_use]
    pub fn tags(&self) -> BTreeMap<&'static str, &str> {
        BTreeMap::from([
            (TAG_KEY, self.pool.as_str()),
            (STACK_TAG, self.stack_id.as_str()),
            (REQUEST_TAG, self.request_id.as_str()),
        ])
    }

    /// Whether this request created the key with these tags.
    pub(super) fn created(&self, tags: &BTreeMap<String, String>) -> bool {
        self.tags().into_iter().all(|(key, value)| tags.get(key).map(String::as_str) == Some(value))
    }
}

/// Whether a key with these tags belongs to the stack.
pub(super) fn is_of_stack(tags: &BTreeMap<String, String>, stack_id: &str) -> bool {
    tags.get(STACK_TAG).map(String::as_str) == Some(stack_id)
}

/// What CloudFormation keeps about a key, as the resource's physical id: `NAME#PUBLIC_KEY#PREVIOUS_PUBLIC_KEY`. The public keys prove
/// later that the stored keys are those that were reported. The previous one is needed if an update to this key is rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId {
    /// The name of the key.
    pub name: KeyName,
    /// The key's public half, then that of the key before it. Empty if the id has only a name.
    pub public_keys: Vec<PublicKey>,
}

/// How many public keys an id holds.
const MOST_PUBLIC_KEYS: usize = 2;

impl KeyId {
    /// The id of a key that takes the place of `previous`.
    #[must_use]
    pub fn new(name: KeyName, public_key: PublicKey, previous: Option<&Self>) -> Self {
        let previous = previous.and_then(|previous| previous.public_keys.first().cloned());
        Self { name, public_keys: [public_key].into_iter().chain(previous).collect() }
    }
}

impl std::str::FromStr for KeyId {
    type Err = NotAKeyId;

    fn from_str(text: &str) -> Result<Self, NotAKeyId> {
        let mut parts = text.split('#');
        let name = parts.next().unwrap_or_default().parse().map_err(|_| NotAKeyId)?;
        let public_keys: Vec<PublicKey> = parts.map(str::parse).collect::<Result<_, _>>().map_err(|_| NotAKeyId)?;
        if public_keys.len() > MOST_PUBLIC_KEYS { Err(NotAKeyId) } else { Ok(Self { name, public_keys }) }
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.name)?;
        self.public_keys.iter().try_for_each(|public_key| write!(formatter, "#{public_key}"))
    }
}

/// The text is no [`KeyId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the physical id of an invitation key, `NAME#PUBLIC_KEY`")]
pub struct NotAKeyId;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invitation::SigningKey;

    const NAME: &str = "/poolkeeper/shop/invitation-key/5b5a1c2e/1";

    fn public_key(seed: u8) -> PublicKey {
        SigningKey::from_seed(&[seed; 32]).public_key()
    }

    #[test]
    fn an_id_holds_the_public_keys_of_the_key_and_of_the_one_before() {
        let first = KeyId::new(NAME.parse().unwrap(), public_key(1), None);
        let second = KeyId::new(NAME.parse().unwrap(), public_key(2), Some(&first));
        let third = KeyId::new(NAME.parse().unwrap(), public_key(3), Some(&second));
        assert_eq!(third.to_string(), format!("{NAME}#{}#{}", public_key(3), public_key(2)));
        for id in [first, second, third] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert_eq!(NAME.parse(), Ok(KeyId { name: NAME.parse().unwrap(), public_keys: Vec::new() }));
    }

    #[test]
    fn text_that_resembles_an_id_is_rejected() {
        let key = public_key(1);
        for text in [
            String::new(),
            format!("{NAME}#"),
            format!("{NAME}#x"),
            format!("#{key}"),
            format!("{NAME}#{key}#{key}#{key}"),
            format!("{NAME}/#{key}"),
        ] {
            assert_eq!(text.parse::<KeyId>(), Err(NotAKeyId), "{text}");
        }
    }

    #[test]
    fn only_all_tags_together_prove_who_created_a_key() {
        let owner = KeyOwner {
            pool: "shop".to_owned().try_into().unwrap(),
            stack_id: "stack/shop/1".to_owned(),
            request_id: "request-1".to_owned(),
        };
        let tags: BTreeMap<String, String> =
            owner.tags().into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        assert!(owner.created(&tags) && is_of_stack(&tags, &owner.stack_id));
        for key in [TAG_KEY, STACK_TAG, REQUEST_TAG] {
            let mut other = tags.clone();
            other.insert(key.to_owned(), "other".to_owned());
            let mut absent = tags.clone();
            absent.remove(key);
            for tags in [other, absent] {
                assert!(!owner.created(&tags), "{tags:?}");
                assert_eq!(is_of_stack(&tags, &owner.stack_id), key != STACK_TAG, "{tags:?}");
            }
        }
    }
}
