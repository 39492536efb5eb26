//! One's own e-mail address and phone number, and the codes that verify them.

pub(crate) mod code;
pub(crate) mod verify;

use axum::extract::FromRequestParts;
use domain::user_pool::error::{Reason, UserPoolError};
use http::request::Parts;
use thiserror::Error;
use utoipa::ToSchema;

use crate::http::error::ApiError;
use crate::http::path;

/// An attribute that codes are sent to: the one in the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(as = ContactAttribute, rename_all = "snake_case")]
pub(crate) enum Contact {
    Email,
    PhoneNumber,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the attribute is `email` or `phone_number`")]
pub(crate) struct NotAContact;

impl Contact {
    fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::PhoneNumber => "phone_number",
        }
    }
}

impl TryFrom<String> for Contact {
    type Error = NotAContact;

    fn try_from(text: String) -> Result<Self, NotAContact> {
        [Self::Email, Self::PhoneNumber].into_iter().find(|contact| contact.as_str() == text).ok_or(NotAContact)
    }
}

impl<S: Sync> FromRequestParts<S> for Contact {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        path::parameter(parts, "name").await
    }
}

/// All of the request was checked before it went out: what the pool refuses in it is that this user has no such attribute.
fn refusal(error: UserPoolError) -> ApiError {
    match error.reason {
        Reason::InvalidRequest => UserPoolError { reason: Reason::WrongState, ..error }.into(),
        _ => error.into(),
    }
}
