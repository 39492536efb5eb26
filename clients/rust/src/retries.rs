//! Which responses are retried, and when.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, Request, StatusCode};
use serde::Deserialize;

/// The header that makes a creation safe to repeat.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The limits of retries.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// The maximum number of retries of an operation. The default is 4.
    pub limit: u32,
    /// The maximum delay. A response with a longer `Retry-After` is not retried. The default is 30 seconds.
    pub max_delay: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { limit: 4, max_delay: Duration::from_secs(30) }
    }
}

impl Retries {
    /// The delay before the retry with this number, from 0. `None` if the request must not be retried.
    pub(crate) fn delay(&self, retry: u32, outcome: &Outcome, is_repeatable: bool) -> Option<Duration> {
        let may_retry = match outcome {
            Outcome::Rejected { .. } => true,
            Outcome::Ambiguous { .. } => is_repeatable,
            Outcome::Final => false,
        };
        if !may_retry || retry >= self.limit {
            return None;
        }
        match outcome {
            Outcome::Rejected { retry_after: Some(delay) } | Outcome::Ambiguous { retry_after: Some(delay) } => {
                (*delay <= self.max_delay).then_some(*delay)
            }
            _ => Some(backoff(retry).min(self.max_delay)),
        }
    }
}

/// Exponential backoff with full jitter, from half a second.
fn backoff(retry: u32) -> Duration {
    Duration::from_millis(500 << retry.min(10)).mul_f64(fastrand::f64())
}

/// Whether a request can be repeated if it is unknown whether it took effect.
pub(crate) fn is_repeatable(request: &Request) -> bool {
    request.method() == Method::GET || request.headers().contains_key(IDEMPOTENCY_KEY)
}

/// What a response means for a retry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The request had no effect.
    Rejected { retry_after: Option<Duration> },
    /// The request may have taken effect.
    Ambiguous { retry_after: Option<Duration> },
    /// A retry would have the same result.
    Final,
}

/// The fields of an error body that determine the outcome. A message of API Gateway has no code.
#[derive(Default, Deserialize)]
struct Body {
    code: Option<String>,
    completed: Option<Vec<String>>,
}

impl Outcome {
    pub(crate) fn of(response: &http::Response<Bytes>) -> Self {
        let Body { code, completed } = serde_json::from_slice(response.body()).unwrap_or_default();
        let is_problem = code.is_some();
        match response.status() {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE if completed.is_some() => Self::Final,
            StatusCode::TOO_MANY_REQUESTS => Self::Rejected { retry_after: retry_after(response) },
            StatusCode::SERVICE_UNAVAILABLE if is_problem => Self::Rejected { retry_after: retry_after(response) },
            // API Gateway itself responds if the function fails or exceeds the timeout.
            StatusCode::INTERNAL_SERVER_ERROR if is_problem => Self::Final,
            StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Self::Ambiguous { retry_after: retry_after(response) },
            _ => Self::Final,
        }
    }
}

/// Whether the response is a problem with this code.
pub(crate) fn has_code(response: &http::Response<Bytes>, expected: &str) -> bool {
    serde_json::from_slice::<Body>(response.body()).is_ok_and(|body| body.code.as_deref() == Some(expected))
}

fn retry_after(response: &http::Response<Bytes>) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_RESPONSE: Outcome = Outcome::Ambiguous { retry_after: None };

    const LIMITS: Retries = Retries { limit: 2, max_delay: Duration::from_secs(30) };

    fn outcome(status: u16, retry_after: Option<&str>, body: &str) -> Outcome {
        let mut response = http::Response::builder().status(status);
        if let Some(seconds) = retry_after {
            response = response.header(RETRY_AFTER, seconds);
        }
        Outcome::of(&response.body(Bytes::copy_from_slice(body.as_bytes())).unwrap())
    }

    #[test]
    fn outcome_depends_on_status_and_body() {
        let problem = r#"{"code": "throttled"}"#;
        let partial = r#"{"code": "throttled", "completed": ["create-user"]}"#;
        let gateway = r#"{"message": "Service Unavailable"}"#;
        let rejected = |seconds| Outcome::Rejected { retry_after: Some(Duration::from_secs(seconds)) };
        let rows = [
            (429, Some("7"), problem, rejected(7)),
            (429, Some("7"), partial, Outcome::Final),
            (429, None, gateway, Outcome::Rejected { retry_after: None }),
            (429, Some("soon"), problem, Outcome::Rejected { retry_after: None }),
            (503, Some("1"), problem, rejected(1)),
            (503, Some("1"), partial, Outcome::Final),
            (503, None, gateway, Outcome::Ambiguous { retry_after: None }),
            (500, None, problem, Outcome::Final),
            (500, None, gateway, Outcome::Ambiguous { retry_after: None }),
            (502, None, problem, Outcome::Ambiguous { retry_after: None }),
            (504, None, "<html>", Outcome::Ambiguous { retry_after: None }),
            (501, None, problem, Outcome::Final),
            (409, None, problem, Outcome::Final),
            (200, None, problem, Outcome::Final),
        ];
        for (status, retry_after, body, expected) in rows {
            assert_eq!(outcome(status, retry_after, body), expected, "{status} {retry_after:?} {body}");
        }
    }

    #[test]
    fn obeys_retry_after_up_to_the_maximum_delay() {
        let rejected = |seconds| Outcome::Rejected { retry_after: Some(Duration::from_secs(seconds)) };
        assert_eq!(LIMITS.delay(0, &rejected(30), false), Some(Duration::from_secs(30)));
        assert_eq!(LIMITS.delay(0, &rejected(31), true), None);
        let ambiguous = |seconds| Outcome::Ambiguous { retry_after: Some(Duration::from_secs(seconds)) };
        assert_eq!(LIMITS.delay(0, &ambiguous(7), true), Some(Duration::from_secs(7)));
        assert_eq!(LIMITS.delay(0, &ambiguous(31), true), None);
    }

    #[test]
    fn retries_ambiguous_results_of_repeatable_requests_only() {
        assert!(LIMITS.delay(0, &NO_RESPONSE, true).is_some());
        assert_eq!(LIMITS.delay(0, &NO_RESPONSE, false), None);
        assert_eq!(LIMITS.delay(0, &Outcome::Final, true), None);
    }

    #[test]
    fn stops_at_the_limit() {
        assert!(LIMITS.delay(1, &NO_RESPONSE, true).is_some());
        assert_eq!(LIMITS.delay(2, &NO_RESPONSE, true), None);
    }

    #[test]
    fn backoff_doubles_and_does_not_exceed_the_maximum_delay() {
        for retry in 0..40 {
            let delay = backoff(retry);
            assert!(delay <= Duration::from_millis(500 << retry.min(10)), "{retry}: {delay:?}");
            let limits = Retries { limit: 40, ..LIMITS };
            assert!(limits.delay(retry, &NO_RESPONSE, true).unwrap() <= LIMITS.max_delay);
        }
    }
}
