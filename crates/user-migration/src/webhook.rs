//! Signs requests as in the [Standard Webhooks specification].
//!
//! [Standard Webhooks specification]: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

/// The prefix of a secret for HMAC-SHA256.
const PREFIX: &str = "whsec_";

/// The lengths of a key that the specification allows, in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A key that signs requests.
#[derive(Clone)]
pub(crate) struct SigningKey(Hmac<Sha256>);

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(…)")
    }
}

/// The secret is not a signing key. Contains no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the secret must be `whsec_` and the base64 of 24 to 64 bytes")]
pub(crate) struct InvalidSigningKey;

impl SigningKey {
    /// Parses `whsec_` and the base64 of the key. Whitespace around the secret is ignored, because editors add line ends.
    pub(crate) fn parse(secret: &Secret) -> Result<Self, InvalidSigningKey> {
        let encoded = secret.expose().trim().strip_prefix(PREFIX).ok_or(InvalidSigningKey)?;
        let key = STANDARD.decode(encoded).map_err(|_| InvalidSigningKey)?;
        if !KEY_BYTES.contains(&key.len()) {
            return Err(InvalidSigningKey);
        }
        Hmac::new_from_slice(&key).map(Self).map_err(|_| InvalidSigningKey)
    }

    /// The headers of a request. `id` must not contain a dot, which separates the parts of the signed text.
    pub(crate) fn headers(&self, id: &str, timestamp: i64, body: &str) -> [(&'static str, String); 3] {
        let mut mac = self.0.clone();
        for part in [id, ".", &timestamp.to_string(), ".", body] {
            mac.update(part.as_bytes());
        }
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", format!("v1,{signature}")),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published example of <https://docs.svix.com/receiving/verifying-payloads/how-manual>, whose 18 bytes are fewer than
    /// the specification requires.
    #[test]
    fn signature_is_that_of_a_published_example() {
        let key = STANDARD.decode("plJ3nmyCDGBKInavdOK15jsl").unwrap();
        let key = SigningKey(Hmac::new_from_slice(&key).unwrap());
        let body = r#"{"event_type":"ping","data":{"success":true}}"#;
        let headers = key.headers("msg_loFOjxBNrRLzqYUf", 1_731_705_121, body);
        let expected = [
            ("webhook-id", "msg_loFOjxBNrRLzqYUf"),
            ("webhook-timestamp", "1731705121"),
            ("webhook-signature", "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="),
        ];
        assert_eq!(headers, expected.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn accepts_secrets_of_the_specified_length_only() {
        let secret = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for text in [secret(24), secret(64), format!("{}\n", secret(32))] {
            assert!(SigningKey::parse(&Secret::new(text.clone())).is_ok(), "{text}");
        }
        for text in [secret(23), secret(65), secret(32).replace("whsec_", ""), "whsec_!".to_owned(), String::new()] {
            assert_eq!(SigningKey::parse(&Secret::new(text.clone())).err(), Some(InvalidSigningKey), "{text}");
        }
    }
}
