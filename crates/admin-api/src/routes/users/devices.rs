//! Devices of a user that Cognito remembers, and their keys.

pub(crate) mod forget;
pub(crate) mod list;

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use http::request::Parts;
use thiserror::Error;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::http::error::ApiError;
use crate::http::path;

/// A device key in Cognito's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DeviceKey(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a device key of at most 55 characters: a region, `_` and hexadecimal digits with hyphens")]
pub(super) struct InvalidDeviceKey;

impl TryFrom<String> for DeviceKey {
    type Error = InvalidDeviceKey;

    fn try_from(text: String) -> Result<Self, InvalidDeviceKey> {
        let is_region = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        let is_id = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte) || byte == b'-')
        };
        // The id contains no underscore, so the last one ends the region.
        let is_key = text
            .rsplit_once('_')
            .is_some_and(|(region, id)| !region.is_empty() && !id.is_empty() && is_region(region) && is_id(id));
        if is_key && text.len() <= 55 { Ok(Self(text)) } else { Err(InvalidDeviceKey) }
    }
}

impl PartialSchema for DeviceKey {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The key of a device."))
            .min_length(Some(1))
            .max_length(Some(55))
            .pattern(Some("^[A-Za-z0-9_-]+_[0-9a-f-]+$"))
            .examples(["eu-central-1_0b7a4a54-3f6e-4f1f-8a51-9d7d5ce6f1a2"])
            .into()
    }
}

impl ToSchema for DeviceKey {
    fn name() -> Cow<'static, str> {
        "DeviceKey".into()
    }
}

pub(crate) struct TargetDevice(DeviceKey);

impl<S: Sync> FromRequestParts<S> for TargetDevice {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        path::parameter(parts, "key").await.map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_device_keys_in_cognitos_format() {
        let longest = format!("{}_0", "x".repeat(53));
        for good in ["eu-central-1_0b7a4a54-3f6e-4f1f-8a51-9d7d5ce6f1a2", "a_0", "a_b_c", "-_-", "__a", &longest] {
            assert!(DeviceKey::try_from(good.to_owned()).is_ok(), "{good}");
        }
        let too_long = format!("{}_0", "x".repeat(54));
        for bad in ["", "_", "a_", "_0", "a", "a_g", "a_A", "a.b_0", "a b_0", "ü_0", "a_0\n", &too_long] {
            assert_eq!(DeviceKey::try_from(bad.to_owned()), Err(InvalidDeviceKey), "{bad:?}");
        }
    }
}
