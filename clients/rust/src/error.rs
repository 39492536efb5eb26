//! Access to the problem document of an error.

use crate::generated::Error;
use crate::generated::types::{ErrorBody, ErrorCode, Problem};

/// Typed access to the errors of operations.
pub trait ApiError {
    /// The problem document. `None` if the API did not return one, for example because API Gateway itself responded.
    fn problem(&self) -> Option<&Problem>;

    /// The stable code of the problem.
    fn code(&self) -> Option<ErrorCode> {
        self.problem().map(|problem| problem.code)
    }
}

impl ApiError for Error<ErrorBody> {
    fn problem(&self) -> Option<&Problem> {
        match self {
            Self::ErrorResponse(response) => match response.as_ref() {
                ErrorBody::Problem(problem) => Some(problem),
                ErrorBody::GatewayMessage(_) => None,
            },
            _ => None,
        }
    }
}
