//! What came back from AWS in place of an answer, stripped to what can be decided on and safely logged.

use std::fmt;

use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentityprovider::operation::RequestId;
use domain::error_chain::causes;

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The operation, as AWS names it.
    pub(crate) operation: &'static str,
    /// What happened.
    pub(crate) kind: Kind,
    /// AWS's id of the request.
    pub(crate) request_id: Option<String>,
}

/// What happened to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The service answered with an error.
    Service {
        /// Its code, e.g. `UserNotFoundException`.
        code: String,
        /// Its text, without the values that AWS quotes from the request.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// The service could not be reached, or the connection broke. Whether the call took effect is unknown.
    Unreachable(String),
    /// No answer in time. Whether the call took effect is unknown.
    TimedOut,
    /// The answer could not be understood. The call may well have taken effect.
    Unreadable(String),
    /// The request was never sent: a parameter or the credentials are missing.
    NotSent(String),
}

impl Failure {
    /// Takes an SDK error apart.
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
                _ => Kind::Unreadable("the answer could not be read".to_owned()),
            },
            SdkError::ConstructionFailure(_) => Kind::NotSent(causes(error)),
            _ => Kind::Unreadable("an unknown kind of error".to_owned()),
        };
        Self { operation, kind, request_id }
    }

    /// Whether the service refused with a text that holds this.
    pub(crate) fn says(&self, text: &str) -> bool {
        matches!(&self.kind, Kind::Service { message, .. } if message.contains(text))
    }

    /// An answer that lacks a field which the service always sends.
    pub(crate) fn missing(operation: &'static str, field: &str) -> Self {
        Self { operation, kind: Kind::Unreadable(format!("the answer holds no {field}")), request_id: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Service { code, message, status } if code.is_empty() => write!(formatter, "HTTP {status} {message}"),
            Kind::Service { code, message, .. } => write!(formatter, "{code}: {message}"),
            Kind::Unreachable(why) => write!(formatter, "AWS could not be reached: {why}"),
            Kind::TimedOut => formatter.write_str("AWS did not answer in time"),
            Kind::Unreadable(why) | Kind::NotSent(why) => formatter.write_str(why),
        }
    }
}

impl std::error::Error for Failure {}

/// AWS's validation errors quote what was sent ("Value 'x' at 'username' failed to satisfy constraint"). What was sent can be
/// anything, a password in the wrong field for instance: it stays out of logs.
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
