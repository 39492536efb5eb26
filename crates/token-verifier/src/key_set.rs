//! The public keys of a user pool (RFC 7517).

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::jws::Jws;
use crate::rejection::Rejection;

/// The size of an RSA modulus: 2,048 to 8,192 bits.
const MODULUS_BYTES: RangeInclusive<usize> = 256..=1024;

/// The public keys of a user pool by their id. `Debug` prints the ids only.
#[derive(Clone, Default)]
pub struct KeySet(BTreeMap<String, ParsedPublicKey>);

/// Why a JWKS document is rejected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// The document is not a JWKS.
    #[error("not a JWKS document")]
    Malformed,
    /// The document contains no usable key.
    #[error("no usable key")]
    Empty,
    /// Two keys have the same id.
    #[error("duplicate key id `{0}`")]
    Duplicate(String),
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    n: String,
    e: String,
}

impl KeySet {
    /// Parses a JWKS document: the response of `{issuer}/.well-known/jwks.json`. Ignores keys that are not for RS256,
    /// have no id, or do not have 2,048 to 8,192 bits (RFC 7517, section 5).
    ///
    /// # Errors
    ///
    /// Returns an error if the document is malformed, or contains no usable key or two with the same id.
    pub fn parse(jwks: &[u8]) -> Result<Self, KeySetError> {
        let document: Document = serde_json::from_slice(jwks).map_err(|_| KeySetError::Malformed)?;
        let mut keys = BTreeMap::new();
        for jwk in document.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok()) {
            let Some(key) = jwk.public_key() else { continue };
            if keys.insert(jwk.kid.clone(), key).is_some() {
                return Err(KeySetError::Duplicate(jwk.kid));
            }
        }
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self(keys)) }
    }

    /// Whether the set has a key with this id.
    #[must_use]
    pub fn contains(&self, key_id: &str) -> bool {
        self.0.contains_key(key_id)
    }

    pub(crate) fn verify(&self, jws: &Jws<'_>) -> Result<(), Rejection> {
        let key = self.0.get(&jws.key_id).ok_or(Rejection::UnknownKey)?;
        key.verify_sig(jws.message, &jws.signature).map_err(|_| Rejection::Signature)
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("KeySet").field(&self.0.keys()).finish()
    }
}

impl Jwk {
    fn is_for_rs256(&self) -> bool {
        self.kty == "RSA"
            && self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.alg.as_deref().is_none_or(|alg| alg == "RS256")
    }

    /// Returns `None` if the key is not usable.
    fn public_key(&self) -> Option<ParsedPublicKey> {
        let component = |encoded: &str| URL_SAFE_NO_PAD.decode(encoded).ok();
        let (n, e) = (component(&self.n)?, component(&self.e)?);
        let has_size = MODULUS_BYTES.contains(&n.len()) && (n.len() > *MODULUS_BYTES.start() || n[0] >= 0x80);
        if !self.is_for_rs256() || self.kid.is_empty() || !has_size {
            return None;
        }
        RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()
    }
}
