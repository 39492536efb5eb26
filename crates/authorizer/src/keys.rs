//! Downloads the public keys of the user pool.

use std::time::Duration;

use aws::{HttpRequestError, TokenKeys};
use thiserror::Error;
use token_verifier::{KeySet, KeySetError, KeySource};

/// Less than the time of a check, so that the check reports the failure.
const TIMEOUT: Duration = Duration::from_millis(900);

/// The public keys of the user pool with one issuer.
#[derive(Debug, Clone)]
pub struct PublicKeys {
    keys: TokenKeys,
    issuer: String,
}

/// The keys cannot be used.
#[derive(Debug, Error)]
pub enum PublicKeysError {
    /// The download failed.
    #[error("cannot download the keys")]
    Download(#[from] HttpRequestError),
    /// The document contains no keys.
    #[error("cannot read the keys")]
    Document(#[from] KeySetError),
}

impl PublicKeys {
    /// Downloads the keys of this issuer.
    #[must_use]
    pub fn new(keys: TokenKeys, issuer: &str) -> Self {
        Self { keys, issuer: issuer.to_owned() }
    }
}

impl KeySource for PublicKeys {
    type Error = PublicKeysError;

    async fn keys(&self) -> Result<KeySet, PublicKeysError> {
        Ok(KeySet::parse(&self.keys.jwks(&self.issuer, TIMEOUT).await?)?)
    }
}
