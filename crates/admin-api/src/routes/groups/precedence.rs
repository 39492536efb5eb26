//! The precedence of a group in request bodies.

use serde::Deserialize;
use serde_json::Number;
use thiserror::Error;

use crate::http::json::integer;

/// The precedence of a group. Lower values come first.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "Number")]
pub(super) struct Precedence(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a whole number between 0 and 2147483647")]
pub(super) struct InvalidPrecedence;

impl TryFrom<Number> for Precedence {
    type Error = InvalidPrecedence;

    fn try_from(number: Number) -> Result<Self, InvalidPrecedence> {
        integer(&number).filter(|number| *number <= 2_147_483_647).map(Self).ok_or(InvalidPrecedence)
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
    fn accepts_values_within_the_limits_of_cognito() {
        for (number, is_valid) in [
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
            assert_eq!(found.is_ok(), is_valid, "{number}");
        }
    }
}
