//! Extractors of the user and group in a path.

use axum::extract::FromRequestParts;
use domain::user_pool::groups::GroupName;
use domain::user_pool::user::Username;
use http::request::Parts;

use crate::http::error::ApiError;
use crate::http::path;

/// The user name, alias or `sub` in the path.
pub(super) struct Target(pub(super) Username);

impl<S: Sync> FromRequestParts<S> for Target {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        path::parameter(parts, "username").await.map(Self)
    }
}

/// The group name in the path.
pub(super) struct TargetGroup(pub(super) GroupName);

impl<S: Sync> FromRequestParts<S> for TargetGroup {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        path::parameter(parts, "group").await.map(Self)
    }
}
