//! Tests which attempts the observer receives.

use std::cell::RefCell;

use domain::user_pool::directory::Directory as _;
use serde_json::json;

use super::fake_aws::{FakeAws, offline_aws};
use super::response;
use crate::{Attempt, Aws};

thread_local! {
    static OBSERVED: RefCell<Vec<Attempt>> = const { RefCell::new(Vec::new()) };
}

/// Reads a user while Cognito responds with this error.
async fn observed(aws: impl FnOnce(Aws) -> Aws, status: u16, code: &'static str) -> Vec<Attempt> {
    OBSERVED.take();
    let fake = FakeAws::new(move |_| Ok(response(status, json!({"__type": code}).to_string())));
    let observe = |attempt| OBSERVED.with_borrow_mut(|observed| observed.push(attempt));
    let pool = aws(offline_aws().await.with_http_client(fake).observed_by(observe)).directory("pool");
    pool.get(&"mia".parse().unwrap()).await.unwrap_err();
    OBSERVED.take()
}

#[tokio::test(start_paused = true)]
async fn observer_receives_throttled_and_repeated_attempts() {
    let throttled = Attempt::Throttled { category: "UserRead" };
    let (repeated, standard) = (Attempt::Repeated, |aws| aws);
    for code in ["TooManyRequestsException", "com.amazonaws.cognito#TooManyRequestsException"] {
        let expected = [throttled, repeated, throttled, repeated, throttled];
        assert_eq!(observed(standard, 400, code).await, expected, "{code}");
    }
    assert_eq!(observed(standard, 500, "InternalErrorException").await, [repeated, repeated]);
    assert_eq!(observed(standard, 400, "UserNotFoundException").await, []);
    assert_eq!(observed(|aws| aws.without_retries(), 400, "TooManyRequestsException").await, [throttled]);
}
