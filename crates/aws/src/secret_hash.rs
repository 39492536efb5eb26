//! Computes `SECRET_HASH`, which proves that a client knows its secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// base64(HMAC-SHA256(client secret, user name + client id)).
///
/// `username` must be the user name in the same request. For a refresh, it must be the real name, not an alias.
/// Source: "Computing secret hash values" in the Amazon Cognito developer guide.
pub(crate) fn secret_hash(client_secret: &Secret, username: &str, client_id: &str) -> String {
    // If the hash is empty, Cognito rejects the call.
    keyed_hash(client_secret, &[username, client_id]).map(|hash| STANDARD.encode(hash)).unwrap_or_default()
}

/// Returns the HMAC-SHA256 of the concatenated parts. HMAC accepts keys of any length, so the result is never `None`.
pub(crate) fn keyed_hash(key: &Secret, parts: &[&str]) -> Option<impl AsRef<[u8]> + use<>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).ok()?;
    for part in parts {
        mac.update(part.as_bytes());
    }
    Some(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_that_of_an_independent_implementation() {
        // printf '%s' 'miaclient-1' | openssl dgst -sha256 -hmac 'secret-1' -binary | base64
        assert_eq!(
            secret_hash(&Secret::new("secret-1"), "mia", "client-1"),
            "U6q2TThoHY8uL1RVbnvdYg0FiMb0xY6FxerDfHqKSiY="
        );
    }
}
