//! Keys that are requested again when Cognito rotates them.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use thiserror::Error;
use tokio::sync::Mutex;

use crate::claims::Claims;
use crate::key_set::KeySet;
use crate::policy::Policy;
use crate::rejection::Rejection;

/// The minimum time between two requests for keys. Anyone can send tokens with an unknown key.
const REQUEST_INTERVAL: Duration = Duration::from_mins(1);

/// Requests the keys of a user pool, e.g. from `{issuer}/.well-known/jwks.json`.
pub trait KeySource: Send + Sync + 'static {
    /// Why the keys could not be read.
    type Error: Error + Send + Sync + 'static;

    /// Requests the keys. Set a timeout of a few seconds, because tokens with an unknown key wait for the response.
    fn keys(&self) -> impl Future<Output = Result<KeySet, Self::Error>> + Send;
}

/// Keys that are requested again for a token with an unknown key, at most once per minute. Share a cache between all
/// requests of a process.
///
/// If the source fails, the known keys remain in use. They also remain in use until a token with an unknown key
/// arrives, so a key that Cognito withdraws without a successor is accepted until the process ends.
///
/// A dropped call continues with the next call, so clients that disconnect cannot prevent a rotation.
pub struct KeyCache<S: KeySource> {
    source: Arc<S>,
    keys: RwLock<Arc<KeySet>>,
    /// Locked during a request, so that concurrent calls wait for its response.
    requests: Mutex<Requests<S::Error>>,
}

type Response<E> = Pin<Box<dyn Future<Output = Result<KeySet, E>> + Send>>;

struct Requests<E> {
    /// When the last request was sent.
    last: Option<SystemTime>,
    /// A request whose call was dropped, or that is being awaited.
    pending: Option<Response<E>>,
    /// Why the last request failed.
    failure: Option<Arc<E>>,
}

/// Why a token could not be verified.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerifyError<E: Error + 'static> {
    /// The token is rejected.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The key of the token is unknown, and the source failed at most a minute ago. The token can be valid, so do not
    /// respond as to a rejected token. HTTP services respond with 503.
    #[error("cannot read the keys")]
    Keys(#[source] Arc<E>),
}

impl<S: KeySource> KeyCache<S> {
    /// Creates a cache with keys that are known at startup, or with [`KeySet::default`].
    pub fn new(source: S, known: KeySet) -> Self {
        let requests = Requests { last: None, pending: None, failure: None };
        Self { source: Arc::new(source), keys: RwLock::new(Arc::new(known)), requests: Mutex::new(requests) }
    }

    /// Verifies a token at this time. Requests the keys if the key of the token is unknown.
    ///
    /// # Errors
    ///
    /// Returns an error if the policy rejects the token, or if its key is unknown and the source fails.
    pub async fn verify(&self, policy: &Policy, token: &str, now: SystemTime) -> Result<Claims, VerifyError<S::Error>> {
        match policy.verify(token, &self.keys(), now) {
            Err(Rejection::UnknownKey) => {
                self.update(now).await.map_err(VerifyError::Keys)?;
                Ok(policy.verify(token, &self.keys(), now)?)
            }
            verified => Ok(verified?),
        }
    }

    /// Requests the keys, unless the last request is less than a minute old. Returns the failure of the last request.
    async fn update(&self, now: SystemTime) -> Result<(), Arc<S::Error>> {
        let mut requests = self.requests.lock().await;
        if requests.pending.is_none() && requests.last.is_some_and(|last| distance(last, now) < REQUEST_INTERVAL) {
            return requests.failure.clone().map_or(Ok(()), Err);
        }
        let Requests { last, pending, failure } = &mut *requests;
        let response = pending.get_or_insert_with(|| {
            *last = Some(now);
            let source = Arc::clone(&self.source);
            Box::pin(async move { source.keys().await })
        });
        let keys = response.await;
        *pending = None;
        *failure = match keys {
            Ok(keys) => {
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
                None
            }
            Err(error) => Some(Arc::new(error)),
        };
        failure.clone().map_or(Ok(()), Err)
    }

    fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The time between two times. Concurrent calls can have times in another order than their requests, and a clock can be
/// set back.
fn distance(one: SystemTime, other: SystemTime) -> Duration {
    other.duration_since(one).unwrap_or_else(|error| error.duration())
}

impl<S: KeySource> fmt::Debug for KeyCache<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeyCache").field("keys", &self.keys()).finish_non_exhaustive()
    }
}
