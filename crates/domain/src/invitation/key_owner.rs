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

/// What CloudFormation keeps about a key, as the resource's physical id: `NAME#PUBLIC_KEY#PREVIOUS_NAME#PREVIOUS_PUBLIC_KEY`. A public key
/// proves later that the key stored under its name is the one that was reported. The previous one is needed if an update to this key
/// is rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId {
    /// The name of the key.
    pub name: KeyName,
    /// Its public half. None if the id has only a name.
    public_key: Option<PublicKey>,
    /// The key before it.
    previous: Option<(KeyName, PublicKey)>,
}

impl KeyId {
    /// The id of a key that takes the place of `previous`.
    #[must_use]
    pub fn new(name: KeyName, public_key: PublicKey, previous: Option<Self>) -> Self {
        let previous = previous.and_then(|previous| Some((previous.name, previous.public_key?)));
        Self { name, public_key: Some(public_key), previous }
    }

    /// The public half of the key of this name, if the id has it.
    #[must_use]
    pub fn public_key_of(&self, name: &KeyName) -> Option<&PublicKey> {
        if *name == self.name {
            return self.public_key.as_ref();
        }
        self.previous.as_ref().filter(|(previous, _)| previous == name).map(|(_, public_key)| public_key)
    }
}

impl std::str::FromStr for KeyId {
    type Err = NotAKeyId;

    fn from_str(text: &str) -> Result<Self, NotAKeyId> {
        let name = |text: &str| text.parse().map_err(|_| NotAKeyId);
        let public_key = |text: &str| text.parse().map_err(|_| NotAKeyId);
        let (own, public, previous) = match text.split('#').collect::<Vec<_>>()[..] {
            [own] => (own, None, None),
            [own, public] => (own, Some(public), None),
            [own, public, before, public_before] => (own, Some(public), Some((before, public_before))),
            _ => return Err(NotAKeyId),
        };
        let previous = previous.map(|(before, public)| Ok((name(before)?, public_key(public)?))).transpose()?;
        Ok(Self { name: name(own)?, public_key: public.map(public_key).transpose()?, previous })
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.name)?;
        self.public_key.iter().try_for_each(|public_key| write!(formatter, "#{public_key}"))?;
        self.previous.iter().try_for_each(|(name, public_key)| write!(formatter, "#{name}#{public_key}"))
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

    fn public_key(seed: u8) -> PublicKey {
        SigningKey::from_seed(&[seed; 32]).public_key()
    }

    fn name(version: u32) -> KeyName {
        format!("/poolkeeper/shop/invitation-key/5b5a1c2e/{version}").parse().unwrap()
    }

    #[test]
    fn an_id_knows_its_key_and_the_one_before_by_their_names() {
        let first = KeyId::new(name(1), public_key(1), None);
        let second = KeyId::new(name(2), public_key(2), Some(first.clone()));
        let third = KeyId::new(name(3), public_key(3), Some(second.clone()));
        let known = |id: &KeyId| [1, 2, 3].map(|version| id.public_key_of(&name(version)).cloned());
        assert_eq!(known(&first), [Some(public_key(1)), None, None]);
        assert_eq!(known(&second), [Some(public_key(1)), Some(public_key(2)), None]);
        assert_eq!(known(&third), [None, Some(public_key(2)), Some(public_key(3))]);
        for id in [first, second, third] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        let only_name: KeyId = name(1).as_str().parse().unwrap();
        assert_eq!((&only_name.name, known(&only_name)), (&name(1), [None, None, None]));
    }

    #[test]
    fn text_that_resembles_an_id_is_rejected() {
        let (name, key) = (name(1), public_key(1));
        for text in [
            String::new(),
            format!("{name}#"),
            format!("{name}#x"),
            format!("#{key}"),
            format!("{name}#{key}#{name}"),
            format!("{name}#{key}#x#{key}"),
            format!("{name}#{key}#{name}#{key}#{key}"),
            format!("{name}/#{key}"),
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
