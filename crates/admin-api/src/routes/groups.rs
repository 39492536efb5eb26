//! Groups of the pool.

use axum::extract::FromRequestParts;
use domain::group::GroupName;
use http::request::Parts;

use crate::error::ApiError;
use crate::path;

/// The group in the path.
pub(in crate::routes) struct TargetGroup(pub(in crate::routes) GroupName);

impl<S: Sync> FromRequestParts<S> for TargetGroup {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        path::parameter(parts, "group").await.map(Self)
    }
}
