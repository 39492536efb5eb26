//! The settings of the function.

use startup::{SettingError, required};

/// What the function must know before the first event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where everything is created. Lambda sets it.
    pub region: String,
}

impl Settings {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    ///
    /// The first setting that is missing, with what was expected.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        Ok(Self { region: required(&lookup, "AWS_REGION", "a region such as `eu-west-1`")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_asked_for_by_name() {
        let settings = Settings::read(|name| (name == "AWS_REGION").then(|| "eu-west-1".to_owned()));
        assert_eq!(settings.unwrap().region, "eu-west-1");
        assert_eq!(Settings::read(|_| None).unwrap_err().variable, "AWS_REGION");
    }
}
