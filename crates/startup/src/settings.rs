//! Reads single settings. Each function defines its settings in its own `settings.rs`.
//!
//! **An empty value counts as absent**, because a template passes an empty parameter as an empty variable. Whitespace
//! is a value.

use std::str::FromStr;

use thiserror::Error;

/// A missing or invalid setting. Never contains the value, which can be a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the setting {variable} {problem}: {expectation}")]
pub struct SettingError {
    /// The name of the environment variable.
    pub variable: &'static str,
    /// What is wrong with the setting.
    pub problem: Problem,
    /// What is expected, e.g. "must be `everyone` or `nobody`", or why the value is invalid.
    pub expectation: String,
}

/// What is wrong with a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Problem {
    /// The setting has no value and no default.
    #[error("is not set")]
    Missing,
    /// The value is invalid.
    #[error("has an invalid value")]
    Wrong,
}

impl SettingError {
    /// Returns the error for a variable without a value and without a default.
    #[must_use]
    pub fn missing(variable: &'static str, expectation: impl Into<String>) -> Self {
        Self { variable, problem: Problem::Missing, expectation: expectation.into() }
    }

    /// Returns the error for a variable with an invalid value.
    #[must_use]
    pub fn wrong(variable: &'static str, expectation: impl Into<String>) -> Self {
        Self { variable, problem: Problem::Wrong, expectation: expectation.into() }
    }
}

/// Returns the value of an optional setting.
pub fn optional(lookup: impl Fn(&str) -> Option<String>, variable: &'static str) -> Option<String> {
    lookup(variable).filter(|value| !value.is_empty())
}

/// Returns the value of a required setting.
///
/// # Errors
/// Returns [`Problem::Missing`] if the setting is absent or empty.
pub fn required(
    lookup: impl Fn(&str) -> Option<String>,
    variable: &'static str,
    expectation: &str,
) -> Result<String, SettingError> {
    optional(lookup, variable).ok_or_else(|| SettingError::missing(variable, expectation))
}

/// Parses the value of an optional setting. The caller adds the default, or returns [`SettingError::missing`].
///
/// # Errors
/// Returns [`Problem::Wrong`] if the value cannot be parsed. The parse error is omitted, because it can contain the
/// value.
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
    const POOL_EXPECTATION: &str = "must be the id of a user pool, e.g. eu-central-1_Ab12Cd34E";
    const LIMIT: &str = "LIMIT";
    const LIMIT_EXPECTATION: &str = "must be a number from 0 to 255";

    fn with(value: Option<&'static str>) -> impl Fn(&str) -> Option<String> {
        move |_| value.map(str::to_owned)
    }

    #[test]
    fn treats_empty_value_as_absent_but_not_whitespace() {
        for (value, expected) in [(None, None), (Some(""), None), (Some(" "), Some(" ")), (Some("a"), Some("a"))] {
            assert_eq!(optional(with(value), POOL).as_deref(), expected, "{value:?}");
        }
    }

    #[test]
    fn rejects_missing_required_setting_by_name() {
        assert_eq!(required(with(Some("pool")), POOL, POOL_EXPECTATION), Ok("pool".to_owned()));
        for absent in [None, Some("")] {
            let error = required(with(absent), POOL, POOL_EXPECTATION).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the setting USER_POOL_ID is not set: must be the id of a user pool, e.g. eu-central-1_Ab12Cd34E"
            );
        }
    }

    #[test]
    fn parses_setting_or_rejects_it_without_its_value() {
        assert_eq!(parsed::<u8>(with(None), LIMIT, LIMIT_EXPECTATION), Ok(None));
        assert_eq!(parsed::<u8>(with(Some("")), LIMIT, LIMIT_EXPECTATION), Ok(None));
        assert_eq!(parsed::<u8>(with(Some("60")), LIMIT, LIMIT_EXPECTATION), Ok(Some(60)));
        for wrong in ["256", " 60", "hunter2"] {
            let error = parsed::<u8>(with(Some(wrong)), LIMIT, LIMIT_EXPECTATION).unwrap_err();
            assert_eq!(error.to_string(), "the setting LIMIT has an invalid value: must be a number from 0 to 255");
        }
    }
}
