//! The settings of the function.

use domain::passable_roles::{EXPECTED_ROLE_ARNS, PassableRoles};
use startup::{SettingError, optional, parsed, required};

/// The settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The Region of the function. Lambda sets it.
    pub region: String,
    /// `PASSABLE_ROLE_ARNS`: the roles that the function has permission to pass, besides those that it creates. None by
    /// default.
    pub passable_roles: PassableRoles,
    /// `PERMISSIONS_BOUNDARY_ARN`: the permissions boundary of every role that the function creates or changes.
    pub permissions_boundary: Option<String>,
    /// `LOCAL_REPLY_HOST`: the host of an emulator that receives replies over HTTP. Not set on AWS.
    pub local_reply_host: Option<String>,
}

impl Settings {
    /// Reads the settings with `lookup`.
    ///
    /// # Errors
    ///
    /// Returns an error that names the first missing or invalid setting and the expected value.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        Ok(Self {
            region: required(&lookup, "AWS_REGION", "must be a region such as `eu-west-1`")?,
            passable_roles: parsed(&lookup, "PASSABLE_ROLE_ARNS", EXPECTED_ROLE_ARNS)?.unwrap_or_default(),
            permissions_boundary: optional(&lookup, "PERMISSIONS_BOUNDARY_ARN"),
            local_reply_host: optional(&lookup, "LOCAL_REPLY_HOST"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requires_the_region() {
        let settings = Settings::read(|name| (name == "AWS_REGION").then(|| "eu-west-1".to_owned()));
        assert_eq!(settings.unwrap().region, "eu-west-1");
        assert_eq!(Settings::read(|_| None).unwrap_err().variable, "AWS_REGION");
    }

    #[test]
    fn reads_passable_roles_and_allows_none_by_default() {
        let role = "arn:aws:iam::123456789012:role/sms";
        let read = |arns: Option<&str>| {
            Settings::read(|name| match name {
                "PASSABLE_ROLE_ARNS" => arns.map(str::to_owned),
                _ => Some("eu-west-1".to_owned()),
            })
        };
        assert!(read(Some(role)).unwrap().passable_roles.allow(role));
        for absent in [None, Some("")] {
            assert!(!read(absent).unwrap().passable_roles.allow(role));
        }
        assert_eq!(read(Some("sms")).unwrap_err().variable, "PASSABLE_ROLE_ARNS");
    }

    #[test]
    fn reads_the_boundary_and_the_local_reply_host() {
        let boundary = "arn:aws:iam::123456789012:policy/boundary";
        let set = Settings::read(|name| match name {
            "AWS_REGION" => Some("eu-west-1".to_owned()),
            "PERMISSIONS_BOUNDARY_ARN" => Some(boundary.to_owned()),
            "LOCAL_REPLY_HOST" => Some("localstack".to_owned()),
            _ => None,
        });
        let set = set.unwrap();
        assert_eq!(set.permissions_boundary.as_deref(), Some(boundary));
        assert_eq!(set.local_reply_host.as_deref(), Some("localstack"));
        let absent = Settings::read(|name| (name == "AWS_REGION").then(|| "eu-west-1".to_owned())).unwrap();
        assert_eq!((absent.permissions_boundary, absent.local_reply_host), (None, None));
    }
}
