use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use thiserror::Error;
use token_verifier::{KeyCache, KeySet, KeySource, Rejection, VerifyError};

use crate::pool::{ISSUED_AT, KEY_ID, OTHER_POOL, POOL, access_claims, at, key_set, policy};

#[derive(Debug, Error)]
#[error("unreachable")]
struct Unreachable;

/// Answers with the keys, or with an error.
#[derive(Default)]
struct Source {
    keys: Mutex<Option<KeySet>>,
    requests: AtomicUsize,
}

impl Source {
    fn answer(&self, keys: Option<KeySet>) {
        *self.keys.lock().unwrap() = keys;
    }
}

impl KeySource for &Source {
    type Error = Unreachable;

    async fn keys(&self) -> Result<KeySet, Unreachable> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        // Lets other tasks run, as a request does.
        tokio::task::yield_now().await;
        self.keys.lock().unwrap().clone().ok_or(Unreachable)
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
async fn verify(cache: &KeyCache<&Source>, token: &str, seconds: u64) -> Result<(), String> {
    let verified = cache.verify(&policy(), token, at(ISSUED_AT + seconds)).await;
    verified.map(|_| ()).map_err(|error| match error {
        VerifyError::Rejected(Rejection::UnknownKey) => "unknown key".to_owned(),
        error => error.to_string(),
    })
}

#[tokio::test]
async fn known_keys_cause_no_request() {
    let source = Source::default();
    let cache = KeyCache::new(&source, POOL.keys());
    for seconds in 0..100 {
        assert_eq!(verify(&cache, &POOL.token(&access_claims()), seconds).await, Ok(()));
    }
    assert_eq!(verify(&cache, "a.b.c", 0).await, Err("the token is malformed".to_owned()));
    assert_eq!(source.requests.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn concurrent_requests_share_one_request_for_keys() {
    let source = Source::default();
    source.answer(Some(POOL.keys()));
    let cache = KeyCache::new(&source, KeySet::default());
    let token = POOL.token(&access_claims());
    let (first, second, third) =
        tokio::join!(verify(&cache, &token, 0), verify(&cache, &token, 0), verify(&cache, &token, 0));
    assert_eq!([first, second, third], [Ok(()), Ok(()), Ok(())]);
    assert_eq!(source.requests.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn unknown_keys_cause_one_request_per_minute() {
    let source = Source::default();
    source.answer(Some(POOL.keys()));
    let cache = KeyCache::new(&source, POOL.keys());
    for (seconds, requests) in [(100, 1), (101, 1), (159, 1), (160, 2), (219, 2), (220, 3)] {
        assert_eq!(verify(&cache, &rotated(), seconds).await, Err("unknown key".to_owned()));
        assert_eq!(source.requests.load(Ordering::Relaxed), requests, "after {seconds} s");
    }
    source.answer(Some(rotated_keys()));
    assert_eq!(verify(&cache, &rotated(), 279).await, Err("unknown key".to_owned()));
    assert_eq!(verify(&cache, &rotated(), 280).await, Ok(()));
}

#[tokio::test]
async fn clock_that_was_set_back_does_not_prevent_requests() {
    let source = Source::default();
    source.answer(Some(POOL.keys()));
    let cache = KeyCache::new(&source, POOL.keys());
    assert!(verify(&cache, &rotated(), 3000).await.is_err());
    source.answer(Some(rotated_keys()));
    assert_eq!(verify(&cache, &rotated(), 0).await, Ok(()));
}

#[tokio::test]
async fn known_keys_remain_in_use_if_the_source_fails() {
    let source = Source::default();
    let cache = KeyCache::new(&source, POOL.keys());
    assert_eq!(verify(&cache, &rotated(), 0).await, Err("cannot read the keys".to_owned()));
    assert_eq!(verify(&cache, &rotated(), 59).await, Err("unknown key".to_owned()));
    assert_eq!(verify(&cache, &POOL.token(&access_claims()), 59).await, Ok(()));
    source.answer(Some(rotated_keys()));
    assert_eq!(verify(&cache, &rotated(), 60).await, Ok(()));
}

#[tokio::test]
async fn withdrawn_keys_are_no_longer_accepted() {
    let source = Source::default();
    source.answer(Some(key_set(&[OTHER_POOL.jwk("key-2=")]).unwrap()));
    let cache = KeyCache::new(&source, POOL.keys());
    assert_eq!(verify(&cache, &rotated(), 0).await, Ok(()));
    assert_eq!(verify(&cache, &POOL.token(&access_claims()), 1).await, Err("unknown key".to_owned()));
}
