//! Converts SDK errors to failures that are safe to log.

use std::fmt;

use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentityprovider::operation::RequestId;
use domain::error_chain::causes;

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// AWS's name of the operation.
    pub(crate) operation: &'static str,
    /// The kind of failure.
    pub(crate) kind: Kind,
    /// AWS's request id.
    pub(crate) request_id: Option<String>,
}

/// The kind of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The service returned an error.
    Service {
        /// The error code, e.g. `UserNotFoundException`.
        code: String,
        /// The message, without the values that AWS quotes from the request.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// The service could not be reached, or the connection broke. Whether the call took effect is unknown.
    Unreachable(String),
    /// The call timed out. Whether it took effect is unknown.
    TimedOut,
    /// The response could not be parsed. The call may have taken effect.
    Unreadable(String),
    /// The request was never sent, because a parameter or the credentials are missing.
    NotSent(String),
}

impl Failure {
    /// Converts an SDK error.
    pub(crate) fn of<E>(operation: &'static str, error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let request_id = error.request_id().map(str::to_owned);
        let kind = match error {
            SdkError::ServiceError(context) => Kind::Service {
                code: context.err().code().unwrap_or_default().to_owned(),
                message: without_values(context.err().message().unwrap_or_default()),
                status: context.raw().status().as_u16(),
            },
            SdkError::TimeoutError(_) => Kind::TimedOut,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Kind::TimedOut,
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(connector) if connector.is_user() => Kind::NotSent(causes(connector)),
                Some(connector) if connector.is_other() || connector.is_io() => Kind::Unreachable(causes(connector)),
                Some(connector) => Kind::NotSent(causes(connector)),
                None => Kind::Unreachable("the connection failed".to_owned()),
            },
            SdkError::ResponseError(context) => match context.raw().status().as_u16() {
                status @ 500..=599 => Kind::Service { code: String::new(), message: String::new(), status },
                _ => Kind::Unreadable("the response could not be read".to_owned()),
            },
            SdkError::ConstructionFailure(_) => Kind::NotSent(causes(error)),
            _ => Kind::Unreadable("an unknown kind of error".to_owned()),
        };
        Self { operation, kind, request_id }
    }

    /// Whether this is a service error whose message contains `text`.
    pub(crate) fn says(&self, text: &str) -> bool {
        matches!(&self.kind, Kind::Service { message, .. } if message.contains(text))
    }

    /// Returns the failure for a response without a mandatory field.
    pub(crate) fn missing(operation: &'static str, field: &str) -> Self {
        Self { operation, kind: Kind::Unreadable(format!("the response has no {field}")), request_id: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Service { code, message, status } if code.is_empty() => write!(formatter, "HTTP {status} {message}"),
            Kind::Service { code, message, .. } => write!(formatter, "{code}: {message}"),
            Kind::Unreachable(cause) => write!(formatter, "AWS could not be reached: {cause}"),
            Kind::TimedOut => formatter.write_str("AWS did not respond in time"),
            Kind::Unreadable(cause) | Kind::NotSent(cause) => formatter.write_str(cause),
        }
    }
}

impl std::error::Error for Failure {}

/// Removes request values from AWS's validation errors ("Value 'x' at 'username' failed to satisfy constraint"). A
/// value can be a password in the wrong field, so it must not reach the logs.
fn without_values(message: &str) -> String {
    let mut parts = message.split("alue '");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str("alue '…");
        text.push_str(part.find("' at '").map_or("", |end| &part[end..]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_quotes_from_a_request_is_left_out() {
        let table = [
            ("User does not exist.", "User does not exist."),
            (
                "2 validation errors detected: Value 'Pa' ss' at 'username' failed; Value 'x' at 'clientId' failed",
                "2 validation errors detected: Value '…' at 'username' failed; Value '…' at 'clientId' failed",
            ),
            ("Value 'canary", "Value '…"),
        ];
        for (message, expected) in table {
            assert_eq!(without_values(message), expected);
        }
    }
}
