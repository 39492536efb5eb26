//! The search conditions in the query parameters.

use std::fmt::Display;

use domain::search::{CustomAttribute, Query};
use domain::user_pool::user::{CREATION_ATTRIBUTE, UserStatus};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::fields::text::AttributeValue;
use crate::http::error::{ApiError, sentence};
use crate::http::query::Parameters;

/// Takes the search conditions out of the parameters.
pub(super) fn take_query(parameters: &mut Parameters) -> Result<Query, ApiError> {
    Ok(Query {
        username: take(parameters, "username")?,
        email: take(parameters, "email")?,
        email_prefix: take(parameters, "email_prefix")?,
        phone_number: take(parameters, "phone_number")?,
        name: take(parameters, "name")?,
        status: take(parameters, "status")?.map(|StatusName(status)| status),
        enabled: take(parameters, "enabled")?.map(|Flag(enabled)| enabled),
        group: take(parameters, "group")?,
        custom_attributes: (parameters.take_all(CUSTOM_ATTRIBUTE).into_iter())
            .map(|text| read(CUSTOM_ATTRIBUTE, text).map(|CustomAttributeText(attribute)| attribute))
            .collect::<Result<_, _>>()?,
        created_after: take(parameters, "created_after")?.map(|Timestamp(timestamp)| timestamp),
        created_before: take(parameters, "created_before")?.map(|Timestamp(timestamp)| timestamp),
    })
}

const CUSTOM_ATTRIBUTE: &str = "custom_attribute";

fn take<T>(parameters: &mut Parameters, name: &'static str) -> Result<Option<T>, ApiError>
where
    T: TryFrom<String, Error: Display>,
{
    parameters.take(name)?.map(|text| read(name, text)).transpose()
}

fn read<T>(name: &str, text: String) -> Result<T, ApiError>
where
    T: TryFrom<String, Error: Display>,
{
    text.try_into().map_err(|refusal| ApiError::invalid(name, sentence(&refusal)))
}

/// Every status that Cognito documents.
const STATUSES: [&str; 8] = [
    "UNCONFIRMED",
    "CONFIRMED",
    "ARCHIVED",
    "COMPROMISED",
    "UNKNOWN",
    "RESET_REQUIRED",
    "FORCE_CHANGE_PASSWORD",
    "EXTERNAL_PROVIDER",
];

pub(super) struct StatusName(UserStatus);

impl TryFrom<String> for StatusName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let known = STATUSES.contains(&text.as_str()).then(|| serde_json::from_value(text.into()));
        known.and_then(Result::ok).map(Self).ok_or("must be a status as Cognito spells it, e.g. `CONFIRMED`")
    }
}

impl PartialSchema for StatusName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(STATUSES)).into()
    }
}

impl ToSchema for StatusName {}

pub(super) struct Flag(bool);

impl TryFrom<String> for Flag {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        text.parse().map(Self).map_err(|_| "must be `true` or `false`")
    }
}

impl PartialSchema for Flag {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Boolean).into()
    }
}

impl ToSchema for Flag {}

/// An RFC 3339 timestamp.
pub(super) struct Timestamp(OffsetDateTime);

impl TryFrom<String> for Timestamp {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let timestamp = OffsetDateTime::parse(&text, &Rfc3339);
        timestamp.map(Self).map_err(|_| "must be an RFC 3339 timestamp, e.g. `2026-01-31T12:00:00Z`, with `+` as `%2B`")
    }
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        let text = ObjectBuilder::new().schema_type(Type::String).format(Some(format));
        text.examples(["2026-01-31T12:00:00Z"]).into()
    }
}

impl ToSchema for Timestamp {}

/// A custom attribute as `NAME=VALUE`.
pub(super) struct CustomAttributeText(CustomAttribute);

impl TryFrom<String> for CustomAttributeText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        const REFUSAL: &str = "must be `NAME=VALUE` with a name of 1–20 characters that is not reserved and a value of at most 2048 characters";
        let (name, value) = text.split_once('=').ok_or(REFUSAL)?;
        let name = name.strip_prefix(CUSTOM).unwrap_or(name);
        let fits = (1..=MAX_CUSTOM_NAME_CHARS).contains(&name.chars().count());
        let clean = !name.chars().any(|character| character.is_whitespace() || character.is_control());
        let value = AttributeValue::try_from(value.to_owned()).map_err(|_| REFUSAL)?;
        let name = format!("{CUSTOM}{name}");
        if fits && clean && name != CREATION_ATTRIBUTE {
            Ok(Self(CustomAttribute { name, value: value.into() }))
        } else {
            Err(REFUSAL)
        }
    }
}

/// The prefix of the names of custom attributes.
const CUSTOM: &str = "custom:";

/// Cognito's limit, without the prefix.
const MAX_CUSTOM_NAME_CHARS: usize = 20;

impl PartialSchema for CustomAttributeText {
    fn schema() -> RefOr<Schema> {
        let pattern = r"^(?!custom:=)(?!(custom:)?poolkeeper_created=)(custom:)?[^\s\u0000-\u001F\u007F-\u009F=]{1,20}=[\s\S]{0,2048}$";
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
        text.examples(["team=blue"]).into()
    }
}

impl ToSchema for CustomAttributeText {}
