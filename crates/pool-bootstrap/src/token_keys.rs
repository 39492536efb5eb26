//! Reads the public keys that verify the tokens of the pool, so that the authorizer starts without a download.

use std::time::Duration;

use async_trait::async_trait;
use aws::TokenKeys;
use serde_json::Value;

/// The keys take one kilobyte and arrive within milliseconds.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The environment variables of a function have at most 4 KB.
const MAX_BYTES: usize = 2048;

/// Reads public keys.
#[async_trait]
pub trait PublicKeys: Send + Sync {
    /// Reads the JWKS document of the user pool with this issuer.
    ///
    /// # Errors
    ///
    /// Returns the reason as text, without secrets.
    async fn jwks(&self, issuer: &str) -> Result<Vec<u8>, String>;
}

#[async_trait]
impl PublicKeys for TokenKeys {
    async fn jwks(&self, issuer: &str) -> Result<Vec<u8>, String> {
        Self::jwks(self, issuer, TIMEOUT).await.map_err(|error| startup::causes(&error))
    }
}

/// Returns the JWKS document without whitespace, or an empty text if it cannot be read or is too large. Without the
/// document, the authorizer downloads it at startup, so this is no reason to fail the deployment.
pub(crate) async fn jwks(keys: &dyn PublicKeys, issuer: &str) -> String {
    let read = keys.jwks(issuer).await.and_then(|document| compact(&document).ok_or_else(|| UNUSABLE.to_owned()));
    read.unwrap_or_else(|error| {
        tracing::warn!(error, "cannot read the public keys of the pool; the authorizer downloads them at startup");
        String::new()
    })
}

const UNUSABLE: &str = "the document is not a JWKS document, or too large";

fn compact(document: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(document).ok()?;
    let has_keys = document.get("keys")?.as_array().is_some_and(|keys| !keys.is_empty());
    Some(document.to_string()).filter(|text| has_keys && text.len() <= MAX_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_documents_with_keys_that_fit_into_a_setting() {
        let of_length = |length: usize| {
            let empty = r#"{"keys":[{"kid":""}]}"#;
            format!(r#"{{"keys":[{{"kid":"{}"}}]}}"#, "x".repeat(length - empty.len()))
        };
        for (document, expected) in [
            ("{\n \"keys\": [ {\"kid\": \"a\"} ]\n}".to_owned(), Some(r#"{"keys":[{"kid":"a"}]}"#.to_owned())),
            (of_length(MAX_BYTES), Some(of_length(MAX_BYTES))),
            (of_length(MAX_BYTES + 1), None),
            (r#"{"keys":[]}"#.to_owned(), None),
            (r#"{"keys":{}}"#.to_owned(), None),
            ("[]".to_owned(), None),
            ("<html>".to_owned(), None),
        ] {
            assert_eq!(compact(document.as_bytes()), expected, "{document}");
        }
    }
}
