//! Keys that are requested again when Cognito rotates them.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use thiserror::Error;
use tokio::sync::Mutex;

use crate::claims::Claims;
use crate::key_set::KeySet;
use crate::policy::Policy;
use crate::rejection::Rejection;

/// The minimum time between two requests for keys. Tokens with an unknown key, which anyone can send, cause no more.
const REQUEST_INTERVAL: Duration = Duration::from_mins(1);

/// Requests the keys of a user pool, e.g. from `{issuer}/.well-known/jwks.json`.
pub trait KeySource: Send + Sync {
    /// Why the keys could not be read.
    type Error: Error + Send + Sync + 'static;

    /// Requests the keys. Bound the time, because requests with an unknown key wait for the response.
    fn keys(&self) -> impl Future<Output = Result<KeySet, Self::Error>> + Send;
}

/// Keys that are requested again for a token with an unknown key, at most once per minute. Share it between requests.
///
/// If the source fails, the known keys remain in use.
pub struct KeyCache<S> {
    source: S,
    keys: RwLock<Arc<KeySet>>,
    /// When the keys were last requested. The lock is held during a request, so that concurrent requests wait for it.
    requested_at: Mutex<Option<SystemTime>>,
}

/// Why a token could not be verified.
#[derive(Debug, Error)]
pub enum VerifyError<E: Error + 'static> {
    /// The token is rejected.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The key of the token is unknown, and the source of keys failed. The same token can be valid later.
    #[error("cannot read the keys")]
    Keys(#[source] E),
}

impl<S: KeySource> KeyCache<S> {
    /// Creates a cache with keys that are known at startup, or with [`KeySet::default`].
    pub fn new(source: S, known: KeySet) -> Self {
        Self { source, keys: RwLock::new(Arc::new(known)), requested_at: Mutex::new(None) }
    }

    /// Verifies a token at this time. Requests the keys if the key of the token is unknown.
    ///
    /// # Errors
    ///
    /// Returns an error if the policy rejects the token, or if its key is unknown and the source fails.
    pub async fn verify(&self, policy: &Policy, token: &str, now: SystemTime) -> Result<Claims, VerifyError<S::Error>> {
        match policy.verify(token, &self.keys(), now) {
            Err(Rejection::UnknownKey) => {
                self.request_keys(now).await.map_err(VerifyError::Keys)?;
                Ok(policy.verify(token, &self.keys(), now)?)
            }
            verified => Ok(verified?),
        }
    }

    /// Requests the keys, unless they were requested less than a minute ago.
    async fn request_keys(&self, now: SystemTime) -> Result<(), S::Error> {
        let mut requested_at = self.requested_at.lock().await;
        // A clock that was set back must not prevent requests.
        let age = requested_at.map(|requested_at| now.duration_since(requested_at).unwrap_or(REQUEST_INTERVAL));
        if age.is_some_and(|age| age < REQUEST_INTERVAL) {
            return Ok(());
        }
        *requested_at = Some(now);
        let keys = self.source.keys().await?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S> fmt::Debug for KeyCache<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeyCache").field("keys", &self.keys).finish_non_exhaustive()
    }
}
