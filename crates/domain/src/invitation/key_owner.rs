//! Proves that this stack created a stored key, so that a key planted by another principal is not adopted.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{KeyName, PublicKey, SigningKey};
use crate::platform::TAG_KEY;
use crate::provision::STACK_TAG;
use crate::spec::PoolName;

/// The name of the tag that contains the id of the CloudFormation request that created a key.
pub const REQUEST_TAG: &str = "poolkeeper:request";

/// The name of the tag that contains a key's signature over its predecessor.
pub const PREVIOUS_TAG: &str = "poolkeeper:previous-key";

/// The request that creates a key, recorded in the key's tags at creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOwner {
    /// The name of the user pool.
    pub pool: PoolName,
    /// The id of the stack.
    pub stack_id: String,
    /// The id of the CloudFormation request. The id cannot be guessed, so only this request can have created a key with
    /// this tag.
    pub request_id: String,
}

impl KeyOwner {
    /// The tags of a key that this request creates as the successor of `previous`.
    pub(super) fn tags(&self, key: &SigningKey, previous: Option<&KeyId>) -> BTreeMap<String, String> {
        let own = self.own_tags().map(|(key, value)| (key.to_owned(), value.to_owned()));
        let voucher = previous.map(|previous| (PREVIOUS_TAG.to_owned(), voucher(key, previous)));
        own.into_iter().chain(voucher).collect()
    }

    fn own_tags(&self) -> [(&'static str, &str); 3] {
        [(TAG_KEY, self.pool.as_str()), (STACK_TAG, self.stack_id.as_str()), (REQUEST_TAG, self.request_id.as_str())]
    }

    /// Whether this request created the key with these tags.
    pub(super) fn created(&self, tags: &BTreeMap<String, String>) -> bool {
        self.own_tags().into_iter().all(|(key, value)| tags.get(key).map(String::as_str) == Some(value))
    }
}

/// Whether a key with these tags belongs to the stack.
pub(super) fn is_of_stack(tags: &BTreeMap<String, String>, stack_id: &str) -> bool {
    tags.get(STACK_TAG).map(String::as_str) == Some(stack_id)
}

/// The signature by which a key vouches that `previous` belonged to the stack.
fn voucher(key: &SigningKey, previous: &KeyId) -> String {
    STANDARD.encode(key.sign(previous.message().as_bytes()))
}

/// Whether the key with these tags vouches for the key with the id `previous`.
pub(super) fn vouches(public_key: &PublicKey, tags: &BTreeMap<String, String>, previous: &KeyId) -> bool {
    let signature = tags.get(PREVIOUS_TAG).and_then(|text| STANDARD.decode(text).ok());
    let signature = signature.and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
    signature.is_some_and(|signature| public_key.has_signed(previous.message().as_bytes(), &signature))
}

/// The physical id of a key in CloudFormation: `NAME#PUBLIC_KEY`. The public key later shows whether the stored key is
/// still the reported one.
///
/// A key always has the same id. If a rollback returned a different id, CloudFormation would delete the resource with
/// the previous id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId {
    /// The name of the key.
    pub name: KeyName,
    /// The public key; `None` if the id contains only a name.
    pub public_key: Option<PublicKey>,
}

impl KeyId {
    /// The message that a successor signs. No invitation begins with this prefix.
    fn message(&self) -> String {
        format!("poolkeeper previous key {self}")
    }
}

impl std::str::FromStr for KeyId {
    type Err = InvalidKeyId;

    fn from_str(text: &str) -> Result<Self, InvalidKeyId> {
        let (name, public_key) = match text.split_once('#') {
            Some((name, public_key)) => (name, Some(public_key.parse().map_err(|_| InvalidKeyId)?)),
            None => (text, None),
        };
        Ok(Self { name: name.parse().map_err(|_| InvalidKeyId)?, public_key })
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.name)?;
        self.public_key.iter().try_for_each(|public_key| write!(formatter, "#{public_key}"))
    }
}

/// The text is not a [`KeyId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the physical id of an invitation key, `NAME#PUBLIC_KEY`")]
pub struct InvalidKeyId;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invitation::SigningKey;

    fn public_key(seed: u8) -> PublicKey {
        SigningKey::from_seed(&[seed; 32]).public_key()
    }

    fn id(version: u32, seed: u8) -> KeyId {
        let name = format!("/poolkeeper/shop/invitation-key/5b5a1c2e/{version}").parse().unwrap();
        KeyId { name, public_key: Some(public_key(seed)) }
    }

    #[test]
    fn key_id_survives_a_round_trip() {
        let with_key = id(1, 1);
        assert_eq!(with_key.to_string(), format!("{}#{}", with_key.name, public_key(1)));
        for id in [KeyId { public_key: None, ..with_key.clone() }, with_key] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn key_vouches_for_one_key_under_one_name_only() {
        let (key, other) = (SigningKey::from_seed(&[2; 32]), SigningKey::from_seed(&[3; 32]));
        let tags = |voucher: String| BTreeMap::from([(PREVIOUS_TAG.to_owned(), voucher)]);
        let signed = tags(voucher(&key, &id(1, 1)));
        assert!(vouches(&key.public_key(), &signed, &id(1, 1)));
        assert!(!vouches(&key.public_key(), &signed, &id(1, 7)));
        assert!(!vouches(&key.public_key(), &signed, &id(3, 1)));
        assert!(!vouches(&other.public_key(), &signed, &id(1, 1)));
        for wrong in [tags(String::new()), tags("AAAA".to_owned()), BTreeMap::new()] {
            assert!(!vouches(&key.public_key(), &wrong, &id(1, 1)), "{wrong:?}");
        }
    }

    #[test]
    fn rejects_text_that_resembles_a_key_id() {
        let (name, key) = (id(1, 1).name, public_key(1));
        for text in [
            String::new(),
            format!("{name}#"),
            format!("{name}#x"),
            format!("#{key}"),
            format!("{name}#{key}#{key}"),
            format!("{name}##{key}"),
            format!("{name}/#{key}"),
        ] {
            assert_eq!(text.parse::<KeyId>(), Err(InvalidKeyId), "{text}");
        }
    }

    #[test]
    fn only_all_tags_together_prove_who_created_a_key() {
        let owner = KeyOwner {
            pool: "shop".to_owned().try_into().unwrap(),
            stack_id: "stack/shop/1".to_owned(),
            request_id: "request-1".to_owned(),
        };
        let tags = owner.tags(&SigningKey::from_seed(&[1; 32]), None);
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
