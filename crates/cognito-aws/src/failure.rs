//! What came back from AWS in place of an answer, stripped to what can be decided on and safely logged.

use std::fmt;

use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentityprovider::operation::RequestId;

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
        /// Its text. AWS's texts name users and resources, never passwords or tokens.
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
                message: context.err().message().unwrap_or_default().to_owned(),
                status: context.raw().status().as_u16(),
            },
            SdkError::TimeoutError(_) => Kind::TimedOut,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Kind::TimedOut,
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(connector) if connector.is_user() => Kind::NotSent(chain(connector)),
                Some(connector) if connector.is_other() || connector.is_io() => Kind::Unreachable(chain(connector)),
                Some(connector) => Kind::NotSent(chain(connector)),
                None => Kind::Unreachable("the connection failed".to_owned()),
            },
            SdkError::ResponseError(context) => match context.raw().status().as_u16() {
                status @ 500..=599 => Kind::Service { code: String::new(), message: String::new(), status },
                _ => Kind::Unreadable("the answer could not be read".to_owned()),
            },
            SdkError::ConstructionFailure(_) => Kind::NotSent(chain(error)),
            _ => Kind::Unreadable("an unknown kind of error".to_owned()),
        };
        Self { operation, kind, request_id }
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

/// An error with all its causes in one line: the innermost one is what tells the operator something.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}
