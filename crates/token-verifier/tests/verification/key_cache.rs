use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use thiserror::Error;
use token_verifier::{KeyCache, KeySet, KeySource, VerifyError};
use tokio::sync::Semaphore;

use crate::pool::{ISSUED_AT, KEY_ID, OTHER_POOL, POOL, access_claims, at, key_set, policy};

#[derive(Debug, Error)]
#[error("unreachable")]
struct Unreachable;

/// Answers with the keys, or with an error.
#[derive(Clone)]
struct Source(Arc<Shared>);

struct Shared {
    keys: Mutex<Option<KeySet>>,
    requests: AtomicUsize,
    /// A request waits for a permit.
    permits: Semaphore,
}

impl Source {
    fn new(keys: Option<KeySet>) -> Self {
        let permits = Semaphore::new(Semaphore::MAX_PERMITS);
        Self(Arc::new(Shared { keys: Mutex::new(keys), requests: AtomicUsize::new(0), permits }))
    }

    fn answer(&self, keys: KeySet) {
        *self.0.keys.lock().unwrap() = Some(keys);
    }

    fn requests(&self) -> usize {
        self.0.requests.load(Ordering::Relaxed)
    }
}

impl KeySource for Source {
    type Error = Unreachable;

    async fn keys(&self) -> Result<KeySet, Unreachable> {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        // Lets other tasks run, as a request does.
        tokio::task::yield_now().await;
        let _permit = self.0.permits.acquire().await.unwrap();
        self.0.keys.lock().unwrap().clone().ok_or(Unreachable)
    }
}

/// Signs a token with the key `key-2=` of [`OTHER_POOL`].
fn rotated() -> String {
    OTHER_POOL.sign(r#"{"kid":"key-2=","alg":"RS256"}"#, &access_claims().to_string())
}

fn rotated_keys() -> KeySet {
    key_set(&[POOL.jwk(KEY_ID), OTHER_POOL.jwk("key-2=")]).unwrap()
}

/// Verifies a token `seconds` after it was issued.
async fn verify(cache: &KeyCache<Source>, token: &str, seconds: u64) -> Result<(), String> {
    let verified = cache.verify(&policy(), token, at(ISSUED_AT + seconds)).await;
    verified.map(|_| ()).map_err(|error| match error {
        VerifyError::Rejected(rejection) => rejection.to_string(),
        error => format!("{error}: {}", std::error::Error::source(&error).unwrap()),
    })
}

fn unknown<T>() -> Result<T, String> {
    Err("the key is unknown".to_owned())
}

fn unavailable<T>() -> Result<T, String> {
    Err("cannot read the keys: unreachable".to_owned())
}

#[tokio::test]
async fn known_keys_cause_no_request() {
    let source = Source::new(None);
    let cache = KeyCache::new(source.clone(), POOL.keys());
    for seconds in [0, 100, 3000] {
        assert_eq!(verify(&cache, &POOL.token(&access_claims()), seconds).await, Ok(()));
    }
    assert_eq!(verify(&cache, "a.b.c", 0).await, Err("the token is malformed".to_owned()));
    assert_eq!(source.requests(), 0);
}

#[tokio::test]
async fn concurrent_calls_share_one_request() {
    let token = POOL.token(&access_claims());
    for (keys, expected) in [(Some(POOL.keys()), Ok(())), (None, unavailable())] {
        let source = Source::new(keys);
        let cache = KeyCache::new(source.clone(), KeySet::default());
        // The times can be in another order than the requests.
        let calls = tokio::join!(verify(&cache, &token, 2), verify(&cache, &token, 1), verify(&cache, &token, 0));
        assert_eq!(calls, (expected.clone(), expected.clone(), expected));
        assert_eq!(source.requests(), 1);
    }
}

#[tokio::test]
async fn unknown_keys_cause_one_request_per_minute() {
    let source = Source::new(Some(POOL.keys()));
    let cache = KeyCache::new(source.clone(), POOL.keys());
    for (seconds, requests) in [(100, 1), (101, 1), (159, 1), (160, 2), (219, 2), (220, 3)] {
        assert_eq!(verify(&cache, &rotated(), seconds).await, unknown());
        assert_eq!(source.requests(), requests, "after {seconds} s");
    }
    source.answer(rotated_keys());
    assert_eq!(verify(&cache, &rotated(), 279).await, unknown());
    assert_eq!(verify(&cache, &rotated(), 280).await, Ok(()));
}

#[tokio::test]
async fn clock_that_was_set_back_does_not_prevent_requests() {
    let source = Source::new(Some(POOL.keys()));
    let cache = KeyCache::new(source.clone(), POOL.keys());
    assert_eq!(verify(&cache, &rotated(), 3000).await, unknown());
    source.answer(rotated_keys());
    assert_eq!(verify(&cache, &rotated(), 0).await, Ok(()));
}

/// Otherwise a client that disconnects could prevent a rotation.
#[tokio::test]
async fn dropped_calls_continue_with_the_next_call() {
    let source = Source::new(Some(rotated_keys()));
    source.0.permits.forget_permits(Semaphore::MAX_PERMITS);
    let cache = KeyCache::new(source.clone(), POOL.keys());
    let token = rotated();
    tokio::select! {
        biased;
        _ = verify(&cache, &token, 0) => unreachable!("there is no permit"),
        () = async { while source.requests() == 0 { tokio::task::yield_now().await } } => {}
    }
    source.0.permits.add_permits(1);
    assert_eq!(verify(&cache, &token, 1).await, Ok(()));
    assert_eq!(source.requests(), 1);
}

#[tokio::test]
async fn known_keys_remain_in_use_if_the_source_fails() {
    let source = Source::new(None);
    let cache = KeyCache::new(source.clone(), POOL.keys());
    for seconds in [0, 59] {
        assert_eq!(verify(&cache, &rotated(), seconds).await, unavailable());
        assert_eq!(verify(&cache, &POOL.token(&access_claims()), seconds).await, Ok(()));
    }
    assert_eq!(source.requests(), 1);
    source.answer(rotated_keys());
    assert_eq!(verify(&cache, &rotated(), 60).await, Ok(()));
}

#[tokio::test]
async fn keys_missing_in_a_response_are_no_longer_accepted() {
    let source = Source::new(Some(key_set(&[OTHER_POOL.jwk("key-2=")]).unwrap()));
    let cache = KeyCache::new(source, POOL.keys());
    assert_eq!(verify(&cache, &rotated(), 0).await, Ok(()));
    assert_eq!(verify(&cache, &POOL.token(&access_claims()), 1).await, unknown());
}
