//! Reading single settings, and the error that says which one is wrong and what was expected. Which settings there are, and
//! what they mean, is the business of each function's own `settings.rs`.
//!
//! **An empty value counts as absent.** A template hands a parameter that was left empty on as an empty variable; a person
//! who did that meant "not set". A blank is a value: it is most often a slip, and is refused where it does not fit.

use std::str::FromStr;

use thiserror::Error;

/// A setting that is missing or wrong. Never holds the value: it may be a secret, or the wrong variable's content.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the setting {variable} {problem}: expected {expectation}")]
pub struct SettingError {
    /// The name of the environment variable.
    pub variable: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
    /// What it should be, e.g. "`everyone` or `nobody`".
    pub expectation: String,
}

/// What is wrong with a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Problem {
    /// It has no value, and there is no default.
    #[error("is not set")]
    Missing,
    /// It has a value that does not fit.
    #[error("has a wrong value")]
    Wrong,
}

impl SettingError {
    /// The variable has no value, and there is no default.
    #[must_use]
    pub fn missing(variable: &'static str, expectation: impl Into<String>) -> Self {
        Self { variable, problem: Problem::Missing, expectation: expectation.into() }
    }

    /// The variable has a value that does not fit.
    #[must_use]
    pub fn wrong(variable: &'static str, expectation: impl Into<String>) -> Self {
        Self { variable, problem: Problem::Wrong, expectation: expectation.into() }
    }
}

/// The value of a setting that may be left out.
pub fn optional(lookup: impl Fn(&str) -> Option<String>, variable: &'static str) -> Option<String> {
    lookup(variable).filter(|value| !value.is_empty())
}

/// The value of a setting that must be there.
///
/// # Errors
/// [`Problem::Missing`] where it is absent or empty.
pub fn required(
    lookup: impl Fn(&str) -> Option<String>,
    variable: &'static str,
    expectation: &str,
) -> Result<String, SettingError> {
    optional(lookup, variable).ok_or_else(|| SettingError::missing(variable, expectation))
}

/// The value of a setting that may be left out, as a type; the caller adds the default, or refuses its absence with
/// [`SettingError::missing`].
///
/// # Errors
/// [`Problem::Wrong`] where the value is none of that type. What the type's own error says is left out, as it may quote the value.
pub fn parsed<T: FromStr>(
    lookup: impl Fn(&str) -> Option<String>,
    variable: &'static str,
    expectation: &str,
) -> Result<Option<T>, SettingError> {
    optional(lookup, variable)
        .map(|value| value.parse().map_err(|_| SettingError::wrong(variable, expectation)))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "USER_POOL_ID";
    const POOL_EXPECTATION: &str = "the id of a user pool, e.g. eu-central-1_Ab12Cd34E";
    const LIMIT: &str = "LIMIT";
    const LIMIT_EXPECTATION: &str = "a number from 0 to 255";

    fn with(value: Option<&'static str>) -> impl Fn(&str) -> Option<String> {
        move |_| value.map(str::to_owned)
    }

    #[test]
    fn an_empty_value_counts_as_absent_and_a_blank_one_does_not() {
        for (value, expected) in [(None, None), (Some(""), None), (Some(" "), Some(" ")), (Some("a"), Some("a"))] {
            assert_eq!(optional(with(value), POOL).as_deref(), expected, "{value:?}");
        }
    }

    #[test]
    fn a_required_setting_that_is_absent_or_empty_is_refused_by_name() {
        assert_eq!(required(with(Some("pool")), POOL, POOL_EXPECTATION), Ok("pool".to_owned()));
        for absent in [None, Some("")] {
            let error = required(with(absent), POOL, POOL_EXPECTATION).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the setting USER_POOL_ID is not set: expected the id of a user pool, e.g. eu-central-1_Ab12Cd34E"
            );
        }
    }

    #[test]
    fn a_typed_setting_is_absent_right_or_refused_without_its_value() {
        assert_eq!(parsed::<u8>(with(None), LIMIT, LIMIT_EXPECTATION), Ok(None));
        assert_eq!(parsed::<u8>(with(Some("")), LIMIT, LIMIT_EXPECTATION), Ok(None));
        assert_eq!(parsed::<u8>(with(Some("60")), LIMIT, LIMIT_EXPECTATION), Ok(Some(60)));
        for wrong in ["256", " 60", "hunter2"] {
            let error = parsed::<u8>(with(Some(wrong)), LIMIT, LIMIT_EXPECTATION).unwrap_err();
            assert_eq!(error.to_string(), "the setting LIMIT has a wrong value: expected a number from 0 to 255");
        }
    }
}
