//! Converts between Cognito's types and the types of `domain`.

use aws_sdk_cognitoidentityprovider::types::{AttributeType, UserStatusType, UserType};
use aws_smithy_types::DateTime;
use domain::user_pool::error::UserPoolError;
use domain::user_pool::sessions::Factor;
use domain::user_pool::user::{Attributes, User, UserStatus};
use time::OffsetDateTime;

use crate::failure::Failure;

pub(crate) fn to_user(operation: &'static str, user: UserType) -> Result<User, UserPoolError> {
    let missing = |field| Failure::missing(operation, field);
    Ok(User {
        username: user.username.and_then(|name| name.parse().ok()).ok_or_else(|| missing("Username"))?,
        status: to_status(&user.user_status.ok_or_else(|| missing("UserStatus"))?),
        enabled: user.enabled,
        attributes: to_attributes(user.attributes.unwrap_or_default()),
        created_at: user.user_create_date.and_then(to_time).ok_or_else(|| missing("UserCreateDate"))?,
        modified_at: user.user_last_modified_date.and_then(to_time).ok_or_else(|| missing("UserLastModifiedDate"))?,
    })
}

pub(crate) fn to_users(operation: &'static str, users: Option<Vec<UserType>>) -> Result<Vec<User>, UserPoolError> {
    users.unwrap_or_default().into_iter().map(|user| to_user(operation, user)).collect()
}

pub(crate) fn to_status(status: &UserStatusType) -> UserStatus {
    match status {
        UserStatusType::Unconfirmed => UserStatus::Unconfirmed,
        UserStatusType::Confirmed => UserStatus::Confirmed,
        UserStatusType::ExternalProvider => UserStatus::ExternalProvider,
        UserStatusType::ForceChangePassword => UserStatus::ForceChangePassword,
        UserStatusType::ResetRequired => UserStatus::ResetRequired,
        UserStatusType::UnknownValue => UserStatus::Unknown,
        // ARCHIVED and COMPROMISED, which are documented as unused, and future ones.
        other => UserStatus::Other(other.as_str().to_owned()),
    }
}

pub(crate) fn to_attributes(attributes: Vec<AttributeType>) -> Attributes {
    attributes.into_iter().map(|each| (each.name, each.value.unwrap_or_default())).collect()
}

pub(crate) fn to_attribute_types(attributes: &Attributes) -> Vec<AttributeType> {
    attributes
        .iter()
        // The builder fails only without a name.
        .filter_map(|(name, value)| AttributeType::builder().name(name).value(value).build().ok())
        .collect()
}

/// Parses Cognito's name of a second factor. Returns `None` for unsupported factors such as passkeys.
pub(crate) fn to_factor(name: &str) -> Option<Factor> {
    // Cognito's documentation uses both names.
    if name == "EMAIL_MFA" {
        return Some(Factor::EmailOtp);
    }
    name.parse().ok()
}

pub(crate) fn to_factors<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<Factor> {
    names.into_iter().filter_map(|name| to_factor(name)).collect()
}

pub(crate) fn to_time(timestamp: DateTime) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(timestamp.as_nanos()).ok()
}
