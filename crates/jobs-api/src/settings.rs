//! The settings of the HTTP API of jobs: those of the admin API, and the bucket and state machine.

use admin_api::Served;
use startup::{SettingError, required};

const ROUTES: &str = "ROUTES";
const BUCKET: &str = "BUCKET";
const STATE_MACHINE_ARN: &str = "STATE_MACHINE_ARN";

/// The settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The settings of the admin API, without `ROUTES`.
    pub api: admin_api::Settings,
    /// `BUCKET`: the bucket with the files of jobs.
    pub bucket: String,
    /// `STATE_MACHINE_ARN`: the state machine that runs jobs.
    pub state_machine_arn: String,
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// Returns the first missing or invalid setting.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let with_routes = |name: &str| if name == ROUTES { Some("all".to_owned()) } else { lookup(name) };
        let expectation = "must be the ARN of a state machine, arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME";
        let state_machine_arn = required(&lookup, STATE_MACHINE_ARN, expectation)?;
        // The ARNs of executions are derived from this ARN.
        if state_machine_arn.split(':').nth(5) != Some("stateMachine") || state_machine_arn.split(':').count() != 7 {
            return Err(SettingError::wrong(STATE_MACHINE_ARN, expectation));
        }
        Ok(Self {
            api: admin_api::Settings { served: Served::Jobs, ..admin_api::Settings::read(with_routes)? },
            bucket: required(&lookup, BUCKET, "must be the name of the bucket of jobs")?,
            state_machine_arn,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_with(variable: &str, value: &str) -> Result<Settings, SettingError> {
        Settings::read(|name| {
            let good = match name {
                "AWS_REGION" => "eu-west-1",
                "USER_POOL_ID" => "eu-west-1_aBcDeFgHi",
                "COGNITO_CLIENT_ID" => "1example23456789",
                "ISSUER" => "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHi",
                BUCKET => "shop-jobs",
                STATE_MACHINE_ARN => "arn:aws:states:eu-west-1:123456789012:stateMachine:shop-jobs",
                _ => "",
            };
            Some(if name == variable { value } else { good }.to_owned())
        })
    }

    #[test]
    fn serves_only_jobs_whatever_the_environment_contains() {
        for routes in ["", "all", "admin"] {
            assert_eq!(read_with(ROUTES, routes).unwrap().api.served, Served::Jobs, "{routes}");
        }
    }

    #[test]
    fn names_missing_and_invalid_settings() {
        for (variable, value) in [
            (BUCKET, ""),
            (STATE_MACHINE_ARN, ""),
            (STATE_MACHINE_ARN, "shop-jobs"),
            (STATE_MACHINE_ARN, "arn:aws:states:eu-west-1:123456789012:execution:shop-jobs:1"),
            (STATE_MACHINE_ARN, "arn:aws:states:eu-west-1:123456789012:stateMachine:shop-jobs:1"),
            ("USER_POOL_ID", ""),
        ] {
            assert_eq!(read_with(variable, value).unwrap_err().variable, variable, "{value}");
        }
    }
}
