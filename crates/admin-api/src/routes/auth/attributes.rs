//! Verification of the user's own e-mail address and phone number.

pub(crate) mod code;
pub(crate) mod verify;

use axum::extract::FromRequestParts;
use domain::user_pool::error::{Reason, UserPoolError};
use http::request::Parts;
use thiserror::Error;
use utoipa::ToSchema;

use crate::http::error::ApiError;
use crate::http::path;

/// The attribute in the path, to which codes can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(as = ContactAttribute, rename_all = "snake_case")]
pub(crate) enum Contact {
    Email,
    PhoneNumber,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be `email` or `phone_number`")]
pub(crate) struct InvalidContact;

impl Contact {
    fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::PhoneNumber => "phone_number",
        }
    }
}

impl TryFrom<String> for Contact {
    type Error = InvalidContact;

    fn try_from(text: String) -> Result<Self, InvalidContact> {
        [Self::Email, Self::PhoneNumber].into_iter().find(|contact| contact.as_str() == text).ok_or(InvalidContact)
    }
}

impl<S: Sync> FromRequestParts<S> for Contact {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        path::parameter(parts, "name").await
    }
}

/// The attribute and the code are already validated, so `InvalidRequest` means that the user lacks the attribute.
fn map_error(error: UserPoolError) -> ApiError {
    match error.reason {
        Reason::InvalidRequest => UserPoolError { reason: Reason::WrongState, ..error }.into(),
        _ => error.into(),
    }
}
