//! Calls to Cognito as front ends make them: without a signature, and without the SDK, which would neither send everything that has to
//! be refused nor show the words of a refusal.

use serde_json::Value;

use crate::local_aws::LocalAwsError;

/// What Cognito answered. May hold tokens, so it has no `Debug`.
pub struct Answer {
    /// The status: 200, or 400 for nearly everything else.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Answer {
    /// The kind of an error, without its namespace; empty where it is none.
    #[must_use]
    pub fn error(&self) -> &str {
        let kind = self.body["__type"].as_str().unwrap_or_default();
        kind.rsplit('#').next().unwrap_or(kind)
    }

    /// What an error tells the person in front of the screen; empty where it tells nothing.
    #[must_use]
    pub fn message(&self) -> &str {
        let message = self.body.get("message").or_else(|| self.body.get("Message"));
        message.and_then(Value::as_str).unwrap_or_default()
    }
}

/// Sends an operation to the Cognito at `url`.
///
/// # Errors
/// Returns an error if the answer is missing or is not JSON. A refusal is an answer.
pub async fn call(http: &reqwest::Client, url: &str, operation: &str, body: &Value) -> Result<Answer, LocalAwsError> {
    let request = http
        .post(url)
        .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
        .header("content-type", "application/x-amz-json-1.1")
        .body(body.to_string());
    let answer = request.send().await.map_err(LocalAwsError::NoAnswer)?;
    let status = answer.status().as_u16();
    let body = answer.bytes().await.map_err(LocalAwsError::NoAnswer)?;
    let body =
        serde_json::from_slice(&body).map_err(|_| LocalAwsError::Unreadable(format!("no JSON to {operation}")))?;
    Ok(Answer { status, body })
}
