//! Calls to Cognito without a signature, as front ends make them. The SDK cannot send every invalid request.

use serde_json::Value;

use crate::local_aws::LocalAwsError;

/// A response of Cognito. It can contain tokens, so it does not implement `Debug`.
pub struct Answer {
    /// The status: 200, or 400 for most errors.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Answer {
    /// The code of an error, without namespace; empty for a success.
    #[must_use]
    pub fn error(&self) -> &str {
        let kind = self.body["__type"].as_str().unwrap_or_default();
        kind.rsplit('#').next().unwrap_or(kind)
    }

    /// The message of an error, which front ends can show; empty without a message.
    #[must_use]
    pub fn message(&self) -> &str {
        let message = self.body.get("message").or_else(|| self.body.get("Message"));
        message.and_then(Value::as_str).unwrap_or_default()
    }
}

/// Calls an operation of Cognito at `url`.
///
/// # Errors
/// Returns an error if the response is missing or is not JSON. An error status is a response.
pub async fn call(http: &reqwest::Client, url: &str, operation: &str, body: &Value) -> Result<Answer, LocalAwsError> {
    let request = http
        .post(url)
        .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
        .header("content-type", "application/x-amz-json-1.1")
        .body(body.to_string());
    let answer = request.send().await.map_err(LocalAwsError::NoAnswer)?;
    let status = answer.status().as_u16();
    let body = answer.bytes().await.map_err(LocalAwsError::NoAnswer)?;
    let body = serde_json::from_slice(&body)
        .map_err(|_| LocalAwsError::Unreadable(format!("the response to {operation} is not JSON")))?;
    Ok(Answer { status, body })
}
