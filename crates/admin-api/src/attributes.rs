//! Attribute names and values in request bodies, within the lengths that Cognito takes.

use std::collections::BTreeMap;

use domain::user::Attributes;
use serde::Deserialize;
use thiserror::Error;

/// The name of an attribute, its prefix (`custom:`) included.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AttributeName(String);

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AttributeValue(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the name of an attribute has 1 to 32 characters, without blanks and control characters")]
pub(crate) struct NotAnAttributeName;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the value of an attribute has at most 2048 characters")]
pub(crate) struct NotAnAttributeValue;

impl TryFrom<String> for AttributeName {
    type Error = NotAnAttributeName;

    fn try_from(text: String) -> Result<Self, NotAnAttributeName> {
        let fits = (1..=32).contains(&text.chars().count());
        let clean = !text.chars().any(|character| character.is_whitespace() || character.is_control());
        if fits && clean { Ok(Self(text)) } else { Err(NotAnAttributeName) }
    }
}

impl TryFrom<String> for AttributeValue {
    type Error = NotAnAttributeValue;

    fn try_from(text: String) -> Result<Self, NotAnAttributeValue> {
        if text.chars().count() <= 2048 { Ok(Self(text)) } else { Err(NotAnAttributeValue) }
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

/// Attributes as a body holds them.
pub(crate) type AttributesBody = BTreeMap<AttributeName, AttributeValue>;

/// The attributes that the body means.
pub(crate) fn attributes(body: AttributesBody) -> Attributes {
    body.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_keep_to_the_lengths_of_cognito() {
        for good in ["a", "custom:team", &"x".repeat(32), &"ü".repeat(32)] {
            assert!(AttributeName::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "two words", "line\n", &"x".repeat(33)] {
            assert_eq!(AttributeName::try_from(bad.to_owned()), Err(NotAnAttributeName), "{bad:?}");
        }
        assert!(AttributeValue::try_from(String::new()).is_ok());
        assert!(AttributeValue::try_from("ü".repeat(2048)).is_ok());
        assert_eq!(AttributeValue::try_from("x".repeat(2049)), Err(NotAnAttributeValue));
    }
}
