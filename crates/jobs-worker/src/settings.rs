//! Reads the settings from the environment once at startup. Startup fails on an invalid setting and names it.

use std::num::NonZeroU16;

use startup::{SettingError, parsed, required};

const AWS_REGION: &str = "AWS_REGION";
const USER_POOL_ID: &str = "USER_POOL_ID";
const BUCKET: &str = "BUCKET";
const WORKERS: &str = "WORKERS";
const QUOTA_SHARE: &str = "QUOTA_SHARE";

/// The settings of the worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `AWS_REGION`: the Region of the user pool.
    pub region: String,
    /// `USER_POOL_ID`: the user pool that jobs change.
    pub user_pool_id: String,
    /// `BUCKET`: the bucket with the files of jobs.
    pub bucket: String,
    /// `WORKERS`: how many chunks the state machine runs at the same time, from 1 to 1000.
    pub workers: NonZeroU16,
    /// `QUOTA_SHARE`: the percentage of the account's request quotas that jobs use, from 1 to 100.
    pub quota_share: u8,
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// Returns the first missing or invalid setting.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        Ok(Self {
            region: required(&lookup, AWS_REGION, "must be the Region of the user pool, e.g. eu-central-1")?,
            user_pool_id: required(&lookup, USER_POOL_ID, "must be the id of the user pool")?,
            bucket: required(&lookup, BUCKET, "must be the name of the bucket of jobs")?,
            workers: number(&lookup, WORKERS, "must be a number from 1 to 1000", |number: &NonZeroU16| {
                number.get() <= 1000
            })?,
            quota_share: number(&lookup, QUOTA_SHARE, "must be a percentage from 1 to 100", |share: &u8| {
                (1..=100).contains(share)
            })?,
        })
    }
}

fn number<N: std::str::FromStr>(
    lookup: impl Fn(&str) -> Option<String>,
    variable: &'static str,
    expectation: &'static str,
    is_valid: impl Fn(&N) -> bool,
) -> Result<N, SettingError> {
    let number: N =
        parsed(lookup, variable, expectation)?.ok_or_else(|| SettingError::missing(variable, expectation))?;
    if is_valid(&number) { Ok(number) } else { Err(SettingError::wrong(variable, expectation)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 5] = [
        (AWS_REGION, "eu-west-1"),
        (USER_POOL_ID, "eu-west-1_aBcDeFgHi"),
        (BUCKET, "shop-jobs"),
        (WORKERS, "4"),
        (QUOTA_SHARE, "50"),
    ];

    fn read_with(variable: &str, value: &str) -> Result<Settings, SettingError> {
        Settings::read(|name| {
            let good = GOOD.iter().find(|(good, _)| *good == name).map(|(_, value)| (*value).to_owned());
            if name == variable { Some(value.to_owned()) } else { good }
        })
    }

    #[test]
    fn reads_valid_settings_and_names_others() {
        let settings = read_with(WORKERS, "1000").unwrap();
        assert_eq!((settings.workers.get(), settings.quota_share), (1000, 50));
        for (variable, values) in [
            (AWS_REGION, &[""][..]),
            (USER_POOL_ID, &[""]),
            (BUCKET, &[""]),
            (WORKERS, &["", "0", "1001", "x"]),
            (QUOTA_SHARE, &["", "0", "101", "0.5"]),
        ] {
            for value in values {
                assert_eq!(read_with(variable, value).unwrap_err().variable, variable, "{value}");
            }
        }
    }
}
