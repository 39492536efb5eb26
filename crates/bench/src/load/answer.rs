//! The HTTP response in the response of an invocation.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

/// An HTTP response.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// How long the client must wait, if a header says so.
    pub(super) retry_after: Option<Duration>,
    /// The JSON body, or null.
    pub(super) body: Value,
}

impl Answer {
    /// Reads the response of a function behind an HTTP API. Returns `None` if it is no HTTP response.
    pub(super) fn parse(response: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Response {
            status_code: u16,
            #[serde(default)]
            headers: Map<String, Value>,
            body: Option<String>,
        }
        let Response { status_code: status, headers, body } = serde_json::from_slice(response).ok()?;
        let retry_after = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        let retry_after = retry_after.and_then(|(_, value)| seconds(value.as_str()?));
        let body = body.and_then(|body| serde_json::from_str(&body).ok()).unwrap_or_default();
        Some(Self { status, retry_after, body })
    }
}

/// Parses the seconds in `Retry-After`. The API never sends a date.
fn seconds(text: &str) -> Option<Duration> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok().map(Duration::from_secs) } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn retry_after_is_a_number_of_seconds() {
        for (text, expected) in [("0", Some(0)), ("1", Some(1)), ("900", Some(900))] {
            assert_eq!(seconds(text), expected.map(Duration::from_secs), "{text}");
        }
        let too_large = "9".repeat(40);
        for text in ["", "-1", "+1", "1.5", "1 s", "Sun, 06 Nov 1994 08:49:37 GMT", &too_large] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn reads_status_delay_and_body() {
        let response = json!({
            "statusCode": 429, "headers": {"Retry-After": "2"}, "multiValueHeaders": {}, "isBase64Encoded": false,
            "body": json!({"code": "throttled"}).to_string(),
        });
        let answer = Answer::parse(response.to_string().as_bytes()).unwrap();
        assert_eq!((answer.status, answer.retry_after), (429, Some(Duration::from_secs(2))));
        assert_eq!(answer.body["code"], "throttled");
        let answer = Answer::parse(br#"{"statusCode": 204}"#).unwrap();
        assert_eq!((answer.status, answer.retry_after, answer.body), (204, None, Value::Null));
        assert!(Answer::parse(br#"{"errorMessage": "panicked"}"#).is_none());
    }
}
