//! Attribute names and values in request bodies, with Cognito's length limits.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::user_pool::user::{Attributes, CREATION_ATTRIBUTE};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The name of an attribute, with its prefix (`custom:`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AttributeName(String);

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AttributeValue(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1–32 characters without whitespace or control characters, and not a reserved name")]
pub(crate) struct InvalidAttributeName;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be at most 2048 characters")]
pub(crate) struct InvalidAttributeValue;

impl TryFrom<String> for AttributeName {
    type Error = InvalidAttributeName;

    fn try_from(text: String) -> Result<Self, InvalidAttributeName> {
        let fits = (1..=32).contains(&text.chars().count());
        let clean = !text.chars().any(|character| character.is_whitespace() || character.is_control());
        let is_reserved = text == CREATION_ATTRIBUTE;
        if fits && clean && !is_reserved { Ok(Self(text)) } else { Err(InvalidAttributeName) }
    }
}

impl TryFrom<String> for AttributeValue {
    type Error = InvalidAttributeValue;

    fn try_from(text: String) -> Result<Self, InvalidAttributeValue> {
        if text.chars().count() <= 2048 { Ok(Self(text)) } else { Err(InvalidAttributeValue) }
    }
}

impl From<AttributeName> for String {
    fn from(name: AttributeName) -> Self {
        name.0
    }
}

impl From<AttributeValue> for String {
    fn from(value: AttributeValue) -> Self {
        value.0
    }
}

impl PartialSchema for AttributeName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The name of an attribute, with its prefix."))
            .min_length(Some(1))
            .max_length(Some(32))
            .pattern(Some(r"^(?!custom:poolkeeper_created$)[^\s\u0000-\u001F\u007F-\u009F]+$"))
            .examples(["email", "custom:team"])
            .into()
    }
}

impl PartialSchema for AttributeValue {
    fn schema() -> RefOr<Schema> {
        value([Type::String]).into()
    }
}

fn value(types: impl IntoIterator<Item = Type>) -> ObjectBuilder {
    let value = ObjectBuilder::new().schema_type(SchemaType::from_iter(types)).max_length(Some(2048));
    value.description(Some("The value of an attribute. All values are strings."))
}

/// Attributes of a body, by name.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct AttributesBody(BTreeMap<AttributeName, AttributeValue>);

/// Attributes to set, or to remove if the value is null.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct AttributeChangesBody(pub(crate) BTreeMap<AttributeName, Option<AttributeValue>>);

/// Converts the attributes of a body.
pub(crate) fn attributes(body: AttributesBody) -> Attributes {
    body.0.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn object_by_name(value: RefOr<Schema>) -> ObjectBuilder {
    let RefOr::T(name) = AttributeName::schema() else { return ObjectBuilder::new() };
    let object = ObjectBuilder::new().property_names(Some(name)).additional_properties(Some(value));
    object.examples([json!({"email": "mia@example.com"})])
}

impl PartialSchema for AttributesBody {
    fn schema() -> RefOr<Schema> {
        object_by_name(AttributeValue::schema()).into()
    }
}

impl ToSchema for AttributesBody {
    fn name() -> Cow<'static, str> {
        "Attributes".into()
    }
}

impl PartialSchema for AttributeChangesBody {
    fn schema() -> RefOr<Schema> {
        object_by_name(value([Type::String, Type::Null]).into()).min_properties(Some(1)).into()
    }
}

impl ToSchema for AttributeChangesBody {
    fn name() -> Cow<'static, str> {
        "AttributeChanges".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enforces_length_limits_of_cognito() {
        for good in ["a", "custom:team", &"x".repeat(32), &"ü".repeat(32)] {
            assert!(AttributeName::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "two words", "line\n", &"x".repeat(33)] {
            assert_eq!(AttributeName::try_from(bad.to_owned()), Err(InvalidAttributeName), "{bad:?}");
        }
        assert!(AttributeValue::try_from(String::new()).is_ok());
        assert!(AttributeValue::try_from("ü".repeat(2048)).is_ok());
        assert_eq!(AttributeValue::try_from("x".repeat(2049)), Err(InvalidAttributeValue));
    }
}
