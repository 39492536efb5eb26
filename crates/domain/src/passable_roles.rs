//! The IAM roles that a function has permission to pass to a service (`PASSABLE_ROLE_ARNS`).

use std::collections::BTreeSet;
use std::str::FromStr;

use thiserror::Error;

/// The IAM roles that a process has permission to pass to a service (`iam:PassRole`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassableRoles {
    /// The list is unknown, so AWS decides for each call.
    Unknown,
    /// The roles with these ARNs and no others.
    Only(BTreeSet<String>),
}

/// An empty list.
impl Default for PassableRoles {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

impl PassableRoles {
    /// Whether the process has permission to pass the role with this ARN. `true` if the list is unknown.
    #[must_use]
    pub fn allow(&self, role_arn: &str) -> bool {
        match self {
            Self::Unknown => true,
            Self::Only(arns) => arns.contains(role_arn),
        }
    }
}

/// The requirement for a setting with role ARNs.
pub const EXPECTED_ROLE_ARNS: &str =
    "must be ARNs of IAM roles, separated by commas, e.g. `arn:aws:iam::123456789012:role/sms`";

/// The text is not a list of role ARNs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{EXPECTED_ROLE_ARNS}")]
pub struct InvalidRoleArns;

/// Parses comma-separated ARNs.
impl FromStr for PassableRoles {
    type Err = InvalidRoleArns;

    fn from_str(text: &str) -> Result<Self, InvalidRoleArns> {
        let arns = text.split(',').map(str::trim);
        arns.map(|arn| if is_role_arn(arn) { Ok(arn.to_owned()) } else { Err(InvalidRoleArns) })
            .collect::<Result<_, _>>()
            .map(Self::Only)
    }
}

/// `arn:PARTITION:iam::ACCOUNT:role/PATH`, without wildcards, which would match other roles in a policy.
fn is_role_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let &["arn", partition, "iam", "", account, resource] = parts.as_slice() else { return false };
    let name = resource.strip_prefix("role/").unwrap_or_default();
    let is_clean = |text: &str, others: &str| {
        !text.is_empty()
            && text.chars().all(|character| character.is_ascii_alphanumeric() || others.contains(character))
    };
    is_clean(partition, "-")
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && is_clean(name, "/+=,.@_-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMS: &str = "arn:aws:iam::123456789012:role/sms";
    const DEEP: &str = "arn:aws-us-gov:iam::123456789012:role/service-role/group.admins";

    #[test]
    fn allows_the_listed_roles_and_no_others() {
        let roles: PassableRoles = format!("{SMS}, {DEEP}").parse().unwrap();
        assert!(roles.allow(SMS) && roles.allow(DEEP));
        for other in ["", "sms", "arn:aws:iam::123456789012:role/sms2", "arn:aws:iam::210987654321:role/sms"] {
            assert!(!roles.allow(other), "{other}");
        }
        assert!(!PassableRoles::default().allow(SMS));
        assert!(PassableRoles::Unknown.allow(SMS));
    }

    #[test]
    fn rejects_texts_that_are_not_role_arns() {
        for wrong in [
            "",
            "sms",
            "*",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::12345678901:role/sms",
            "arn:aws:iam:eu-west-1:123456789012:role/sms",
            "arn:aws:iam::123456789012:user/sms",
            "arn:aws:iam::123456789012:role/sms,",
            "arn:aws:iam::123456789012:role/a b",
        ] {
            assert_eq!(wrong.parse::<PassableRoles>(), Err(InvalidRoleArns), "{wrong:?}");
        }
    }
}
