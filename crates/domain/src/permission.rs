//! Permissions of the admin API.

use serde::Serialize;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};
use thiserror::Error;

/// A permission. Each route requires one; [`Roles`](crate::roles::Roles) grants them to groups.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(parse_err_ty = InvalidPermission, parse_err_fn = invalid)]
#[serde(into = "&'static str")]
pub enum Permission {
    /// Create users.
    #[strum(serialize = "users:create")]
    UsersCreate,
    /// Read and list users.
    #[strum(serialize = "users:read")]
    UsersRead,
    /// Change users' attributes.
    #[strum(serialize = "users:update")]
    UsersUpdate,
    /// Delete users.
    #[strum(serialize = "users:delete")]
    UsersDelete,
    /// Set users' passwords.
    #[strum(serialize = "users:password")]
    UsersPassword,
    /// Confirm, enable and disable users.
    #[strum(serialize = "users:state")]
    UsersState,
    /// Sign users out, and list and forget their devices.
    #[strum(serialize = "users:sessions")]
    UsersSessions,
    /// Read and change the groups of users. [`Roles`](crate::roles::Roles) can limit which groups may be assigned.
    #[strum(serialize = "users:groups")]
    UsersGroups,
    /// Read and set users' second factors.
    #[strum(serialize = "users:mfa")]
    UsersMfa,
    /// Read groups and list their members.
    #[strum(serialize = "groups:read")]
    GroupsRead,
    /// Create, change and delete groups.
    #[strum(serialize = "groups:write")]
    GroupsWrite,
    /// Assign, change and delete groups with an IAM role, and change their members.
    #[strum(serialize = "groups:roles")]
    GroupsRoles,
    /// Read the pool's configuration.
    #[strum(serialize = "pool:read")]
    PoolRead,
    /// End all sessions of the pool, or of one app client.
    #[strum(serialize = "pool:revoke")]
    PoolRevoke,
    /// Issue invitations to sign up.
    #[strum(serialize = "invitations:create")]
    InvitationsCreate,
    /// Start and stop jobs. Starting one also requires every other permission.
    #[strum(serialize = "jobs:write")]
    JobsWrite,
    /// Read jobs and the results of imports, which contain user names.
    #[strum(serialize = "jobs:read")]
    JobsRead,
}

impl Permission {
    /// Every permission.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in settings and responses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The text is not a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("unknown permission")]
pub struct InvalidPermission;

fn invalid(_: &str) -> InvalidPermission {
    InvalidPermission
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_every_permission_by_its_name_only() {
        for permission in Permission::ALL.iter().copied() {
            assert_eq!(permission.as_str().parse(), Ok(permission));
            assert_eq!(
                (permission.to_string().as_str(), <&str>::from(permission)),
                (permission.as_str(), permission.as_str())
            );
        }
        for wrong in ["", "*", "all", "users:*", "Users:Create", "users:create ", "users"] {
            assert_eq!(wrong.parse::<Permission>(), Err(InvalidPermission), "{wrong:?}");
        }
    }
}
