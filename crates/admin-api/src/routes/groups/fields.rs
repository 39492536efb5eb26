//! What bodies say about a group, within the limits of Cognito.

use serde::Deserialize;
use serde_json::Number;
use thiserror::Error;

use crate::http::json::whole;

/// What a group is for.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Description(String);

/// Whose role counts for a user of several groups.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "Number")]
pub(super) struct Precedence(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the description of a group has at most 2048 characters")]
pub(super) struct NotADescription;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the precedence of a group is a whole number from 0 to 2147483647")]
pub(super) struct NotAPrecedence;

impl TryFrom<String> for Description {
    type Error = NotADescription;

    fn try_from(text: String) -> Result<Self, NotADescription> {
        if text.chars().count() <= 2048 { Ok(Self(text)) } else { Err(NotADescription) }
    }
}

impl TryFrom<Number> for Precedence {
    type Error = NotAPrecedence;

    fn try_from(number: Number) -> Result<Self, NotAPrecedence> {
        whole(&number).filter(|number| *number <= 2_147_483_647).map(Self).ok_or(NotAPrecedence)
    }
}

impl From<Description> for String {
    fn from(description: Description) -> Self {
        description.0
    }
}

impl From<Precedence> for u32 {
    fn from(precedence: Precedence) -> Self {
        precedence.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_and_precedences_keep_to_the_limits_of_cognito() {
        for (text, is_one) in [(String::new(), true), ("ü".repeat(2048), true), ("x".repeat(2049), false)] {
            assert_eq!(Description::try_from(text.clone()).is_ok(), is_one, "{} characters", text.chars().count());
        }
        for (number, is_one) in [
            ("0", true),
            ("2147483647", true),
            ("870.0", true),
            ("1e2", true),
            ("-0.0", false),
            ("2147483648", false),
            ("4294967296", false),
            ("-1", false),
            ("0.5", false),
            ("1e30", false),
        ] {
            let found: Result<Precedence, _> = serde_json::from_str(number);
            assert_eq!(found.is_ok(), is_one, "{number}");
        }
    }
}
