//! The target of a write: the user in the path, as the check before the handler found them.

use axum::extract::FromRequestParts;
use domain::user_pool::user::{User, Username};
use http::request::Parts;

use crate::authz::access::Authorized;
use crate::http::error::ApiError;
use crate::http::path;

/// The user in the path of a write, as the check has found them: whom the change is for, whatever name was typed.
#[derive(Debug, Clone)]
pub(crate) struct TargetUser(pub(crate) User);

impl<S: Sync> FromRequestParts<S> for TargetUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        if let Some(target) = parts.extensions.get() {
            return Ok(Self::clone(target));
        }
        // The check leaves nobody where the path names nobody.
        path::parameter::<Username>(parts, "username").await?;
        Err(ApiError::Internal("the route has no user"))
    }
}

/// The same for a write that callers cannot do to themselves.
#[derive(Debug, Clone)]
pub(crate) struct OtherUser(pub(crate) User);

impl<S: Sync> FromRequestParts<S> for OtherUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let TargetUser(user) = TargetUser::from_request_parts(parts, state).await?;
        Authorized::from_request_parts(parts, state).await?.ensure_not_self(&user)?;
        Ok(Self(user))
    }
}

/// The same for a write that assigns groups. The path must hold the real user name or the `sub`: users choose their aliases
/// themselves, and an alias can belong to another user by the time the caller types it.
#[derive(Debug, Clone)]
pub(crate) struct NamedUser(pub(crate) User);

impl<S: Sync> FromRequestParts<S> for NamedUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let TargetUser(user) = TargetUser::from_request_parts(parts, state).await?;
        let typed = path::parameter::<Username>(parts, "username").await?;
        if typed == user.username || user.attributes.get("sub").is_some_and(|sub| sub == typed.as_str()) {
            return Ok(Self(user));
        }
        Err(ApiError::invalid("username", "Expected the user name or the `sub` of the user. An alias is not accepted."))
    }
}
