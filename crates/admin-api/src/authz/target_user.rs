//! The target of a write: the user in the path, which [`crate::authz::gate`] has read and checked.

use axum::extract::FromRequestParts;
use domain::user_pool::user::{User, Username};
use http::request::Parts;

use crate::authz::access::Authorized;
use crate::http::error::ApiError;
use crate::http::path;

/// The user in the path of a write. Handlers use it instead of the name or alias in the request.
#[derive(Debug, Clone)]
pub(crate) struct TargetUser(pub(crate) User);

impl<S: Sync> FromRequestParts<S> for TargetUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        if let Some(target) = parts.extensions.get() {
            return Ok(Self::clone(target));
        }
        // The gate reads no user if the path has no valid user name.
        path::parameter::<Username>(parts, "username").await?;
        Err(ApiError::Internal("the route has no user"))
    }
}

/// The user in the path of a write that callers cannot apply to their own account.
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

/// The user in the path of a write that assigns groups. The path must contain the user name or the `sub`, because users
/// choose their aliases, and an alias can move to another user before the request arrives.
#[derive(Debug, Clone)]
pub(crate) struct NamedUser(pub(crate) User);

impl<S: Sync> FromRequestParts<S> for NamedUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let TargetUser(user) = TargetUser::from_request_parts(parts, state).await?;
        let requested = path::parameter::<Username>(parts, "username").await?;
        if requested == user.username || user.attributes.get("sub").is_some_and(|sub| sub == requested.as_str()) {
            return Ok(Self(user));
        }
        Err(ApiError::invalid("username", "Must be the user name or the `sub` of the user, not an alias."))
    }
}
