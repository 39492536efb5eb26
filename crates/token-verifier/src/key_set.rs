//! The public keys of a user pool (RFC 7517).

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use thiserror::Error;

use crate::jws::Jws;
use crate::rejection::Rejection;

/// The size of an RSA modulus in bytes: 2,048 to 8,192 bits.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// The public keys of a user pool by their id. `Debug` prints the ids only.
#[derive(Clone, Default)]
pub struct KeySet(BTreeMap<String, ParsedPublicKey>);

/// Why a JWKS document is rejected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeySetError {
    /// The document is not a JWKS.
    #[error("not a JWKS document")]
    Malformed,
    /// An RSA key for RS256 has no id or invalid components, or fewer than 2,048 bits.
    #[error("invalid key `{0}`")]
    Key(String),
    /// Two keys have the same id.
    #[error("duplicate key id `{0}`")]
    Duplicate(String),
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl KeySet {
    /// Parses a JWKS document: the response of `{issuer}/.well-known/jwks.json`. Keys of other types, purposes and
    /// algorithms are ignored.
    ///
    /// # Errors
    ///
    /// Returns an error if the document is malformed, or contains an invalid key or two keys with the same id.
    pub fn parse(jwks: &[u8]) -> Result<Self, KeySetError> {
        let document: Document = serde_json::from_slice(jwks).map_err(|_| KeySetError::Malformed)?;
        let mut keys = BTreeMap::new();
        for jwk in document.keys.into_iter().filter(Jwk::is_for_rs256) {
            let key = jwk.public_key().ok_or_else(|| KeySetError::Key(jwk.kid.clone()))?;
            if keys.insert(jwk.kid.clone(), key).is_some() {
                return Err(KeySetError::Duplicate(jwk.kid));
            }
        }
        Ok(Self(keys))
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

    fn public_key(&self) -> Option<ParsedPublicKey> {
        let component = |encoded: &Option<String>| URL_SAFE_NO_PAD.decode(encoded.as_ref()?).ok();
        let (n, e) = (component(&self.n)?, component(&self.e)?);
        if self.kid.is_empty() || !MODULUS_BYTES.contains(&n.len()) {
            return None;
        }
        RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()
    }
}
