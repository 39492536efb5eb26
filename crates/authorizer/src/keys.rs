//! Downloads the public keys of the user pool.

use std::time::Duration;

use aws::{HttpRequestError, HttpRequests};
use thiserror::Error;
use token_verifier::{KeySet, KeySetError, KeySource};

/// Less than the time of a check, so that the check reports the failure.
const TIMEOUT: Duration = Duration::from_millis(900);

/// The public keys at one URL.
#[derive(Debug, Clone)]
pub struct PublicKeys {
    requests: HttpRequests,
    url: String,
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
    /// Downloads keys from this URL.
    #[must_use]
    pub fn new(requests: HttpRequests, url: &str) -> Self {
        Self { requests, url: url.to_owned() }
    }
}

impl KeySource for PublicKeys {
    type Error = PublicKeysError;

    async fn keys(&self) -> Result<KeySet, PublicKeysError> {
        Ok(KeySet::parse(&self.requests.get(&self.url, TIMEOUT).await?)?)
    }
}
