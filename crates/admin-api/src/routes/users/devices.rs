//! Devices of a user that Cognito remembers, and their keys.

pub(crate) mod forget;
pub(crate) mod list;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::fields::text::DeviceKey;
use crate::http::error::ApiError;
use crate::http::path;

pub(crate) struct TargetDevice(String);

impl<S: Sync> FromRequestParts<S> for TargetDevice {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let key: DeviceKey = path::parameter(parts, "key").await?;
        Ok(Self(key.into()))
    }
}
