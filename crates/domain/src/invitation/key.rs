//! The Ed25519 key pair that signs invitations, and its text formats.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use thiserror::Error;

use crate::secret::Secret;

/// The private key. `Debug` prints a placeholder, and the memory is wiped on drop.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

/// The text is not an Ed25519 private key in PKCS#8 PEM. The error does not contain the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an Ed25519 private key as PKCS#8 PEM")]
pub struct InvalidPrivateKey;

impl SigningKey {
    /// Derives the key from 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Parses PKCS#8 PEM, as [`SigningKey::to_pem`] and other key tools write it.
    ///
    /// # Errors
    /// Returns [`InvalidPrivateKey`] for any other text.
    pub fn from_pem(pem: &Secret) -> Result<Self, InvalidPrivateKey> {
        ed25519_dalek::SigningKey::from_pkcs8_pem(pem.expose().trim()).map(Self).map_err(|_| InvalidPrivateKey)
    }

    /// Encodes the key as PKCS#8 PEM without the public key, because OpenSSL 3.0 cannot read PKCS#8 with both keys.
    ///
    /// # Errors
    /// Returns the encoder's error. The current encoder never fails.
    pub fn to_pem(&self) -> Result<Secret, InvalidPrivateKey> {
        let key = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        key.to_pkcs8_pem(LineEnding::LF).map(|pem| Secret::new(pem.as_str())).map_err(|_| InvalidPrivateKey)
    }

    /// Returns the public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(…)")
    }
}

/// The public key (`INVITATION_PUBLIC_KEY`), which is not a secret.
///
/// `Display` writes the base64 of its 32 bytes; `FromStr` accepts base64 and SPKI PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// The text is not an Ed25519 public key, or the key is weak (signatures can be forged).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an Ed25519 public key, as SPKI PEM or as the base64 of its 32 bytes")]
pub struct InvalidPublicKey;

impl PublicKey {
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl std::str::FromStr for PublicKey {
    type Err = InvalidPublicKey;

    fn from_str(text: &str) -> Result<Self, InvalidPublicKey> {
        let text = text.trim();
        let key = if text.starts_with("-----") {
            VerifyingKey::from_public_key_pem(text).map_err(|_| InvalidPublicKey)?
        } else {
            let bytes = STANDARD.decode(text).map_err(|_| InvalidPublicKey)?;
            let bytes = bytes.try_into().map_err(|_| InvalidPublicKey)?;
            VerifyingKey::from_bytes(&bytes).map_err(|_| InvalidPublicKey)?
        };
        if key.is_weak() { Err(InvalidPublicKey) } else { Ok(Self(key)) }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&STANDARD.encode(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The key pair of RFC 8410, section 10.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";
    const PUBLIC_BASE64: &str = "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";

    #[test]
    fn parses_keys_written_by_other_tools() {
        let signing_key = SigningKey::from_pem(&Secret::new(PRIVATE)).unwrap();
        assert_eq!(signing_key.public_key().to_string(), PUBLIC_BASE64);
        for text in
            [PUBLIC, PUBLIC.trim(), &PUBLIC.replace('\n', "\r\n"), PUBLIC_BASE64, &format!(" {PUBLIC_BASE64}\n")]
        {
            assert_eq!(text.parse(), Ok(signing_key.public_key()), "{text}");
        }
    }

    #[test]
    fn private_key_survives_a_round_trip() {
        let key = SigningKey::from_seed(&[7; 32]);
        let pem = key.to_pem().unwrap();
        assert_eq!(SigningKey::from_pem(&pem).unwrap().public_key(), key.public_key());
    }

    #[test]
    fn writes_private_keys_as_rfc_8410_does() {
        let seed = STANDARD.decode("1O5y2/kTWErVttjx92n4rTr+fCjL8dT74Jeoj0R1WEI=").unwrap();
        let key = SigningKey::from_seed(&seed.try_into().unwrap());
        assert_eq!(key.to_pem().unwrap().expose(), PRIVATE);
    }

    #[test]
    fn rejects_invalid_public_keys() {
        let all_zeros = STANDARD.encode([0; 32]);
        let identity = STANDARD.encode({
            let mut bytes = [0; 32];
            bytes[0] = 1;
            bytes
        });
        let off_the_curve = STANDARD.encode({
            let mut bytes = [0; 32];
            bytes[0] = 2;
            bytes
        });
        for text in [
            "",
            "key",
            &PUBLIC_BASE64[1..],
            PUBLIC_BASE64.trim_end_matches('='),
            &PUBLIC_BASE64.replace('/', "_").replace("lshQ", "l-hQ"),
            &format!("{PUBLIC_BASE64}{PUBLIC_BASE64}"),
            PRIVATE,
            &PUBLIC.replace("PUBLIC KEY", "ED25519 PUBLIC KEY"),
            &PUBLIC.replace("MCowBQYDK2Vw", "MCowBQYDK2Vu"),
            &all_zeros,
            &identity,
            &off_the_curve,
        ] {
            assert_eq!(text.parse::<PublicKey>(), Err(InvalidPublicKey), "{text}");
        }
    }

    #[test]
    fn rejects_invalid_private_keys() {
        for text in ["", "key", PUBLIC, PUBLIC_BASE64, &PRIVATE.replace("MC4C", "MC4D")] {
            assert_eq!(SigningKey::from_pem(&Secret::new(text)).unwrap_err(), InvalidPrivateKey, "{text}");
        }
    }

    #[test]
    fn debug_output_omits_the_private_key() {
        assert_eq!(format!("{:?}", SigningKey::from_seed(&[7; 32])), "SigningKey(…)");
    }
}
