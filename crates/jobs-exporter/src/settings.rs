//! Reads the settings from the environment once at startup. Startup fails on an invalid setting and names it.

use startup::{SettingError, parsed, required};

const AWS_REGION: &str = "AWS_REGION";
const USER_POOL_ID: &str = "USER_POOL_ID";
const BUCKET: &str = "BUCKET";
const QUOTA_SHARE: &str = "QUOTA_SHARE";

/// The settings of the worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `AWS_REGION`: the Region of the user pool.
    pub region: String,
    /// `USER_POOL_ID`: the user pool that jobs export.
    pub user_pool_id: String,
    /// `BUCKET`: the bucket with the files of jobs.
    pub bucket: String,
    /// `QUOTA_SHARE`: the percentage of the account's request quotas that jobs use, from 1 to 100.
    pub quota_share: u8,
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// Returns the first missing or invalid setting.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let expectation = "must be a percentage from 1 to 100";
        let quota_share: Option<u8> = parsed(&lookup, QUOTA_SHARE, expectation)?;
        Ok(Self {
            region: required(&lookup, AWS_REGION, "must be the Region of the user pool, e.g. eu-central-1")?,
            user_pool_id: required(&lookup, USER_POOL_ID, "must be the id of the user pool")?,
            bucket: required(&lookup, BUCKET, "must be the name of the bucket of jobs")?,
            quota_share: quota_share
                .filter(|share| (1..=100).contains(share))
                .ok_or_else(|| SettingError::wrong(QUOTA_SHARE, expectation))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 4] =
        [(AWS_REGION, "eu-west-1"), (USER_POOL_ID, "eu-west-1_aBcDeFgHi"), (BUCKET, "shop-jobs"), (QUOTA_SHARE, "50")];

    #[test]
    fn reads_valid_settings_and_names_others() {
        let read_with = |variable: &str, value: &str| {
            Settings::read(|name| {
                let good = GOOD.iter().find(|(good, _)| *good == name).map(|(_, value)| (*value).to_owned());
                if name == variable { Some(value.to_owned()) } else { good }
            })
        };
        assert_eq!(read_with(QUOTA_SHARE, "100").unwrap().quota_share, 100);
        for (variable, values) in
            [(AWS_REGION, &[""][..]), (USER_POOL_ID, &[""]), (BUCKET, &[""]), (QUOTA_SHARE, &["", "0", "101", "0.5"])]
        {
            for value in values {
                assert_eq!(read_with(variable, value).unwrap_err().variable, variable, "{value}");
            }
        }
    }
}
