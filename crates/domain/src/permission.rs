//! Permissions of the admin API.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

/// A permission. Each route requires one; [`Roles`](crate::roles::Roles) grants them to groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "&'static str")]
pub enum Permission {
    /// Create users.
    UsersCreate,
    /// Look users up and list them.
    UsersRead,
    /// Change attributes of users.
    UsersUpdate,
    /// Delete users.
    UsersDelete,
    /// Set passwords of users.
    UsersPassword,
    /// Confirm, enable and disable users.
    UsersState,
    /// Sign users out, and see and forget their devices.
    UsersSessions,
    /// See and change which groups users are in. [`Roles`](crate::roles::Roles) can limit which groups may be assigned.
    UsersGroups,
    /// See and set which second factors users have.
    UsersMfa,
    /// Look groups up, and who is in them.
    GroupsRead,
    /// Create, change and delete groups.
    GroupsWrite,
    /// Assign, change and delete groups that carry an IAM role, and change the users in them.
    GroupsRoles,
    /// See how the pool is set up.
    PoolRead,
    /// Invite people to sign up.
    InvitationsCreate,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 14] = [
        Self::UsersCreate,
        Self::UsersRead,
        Self::UsersUpdate,
        Self::UsersDelete,
        Self::UsersPassword,
        Self::UsersState,
        Self::UsersSessions,
        Self::UsersGroups,
        Self::UsersMfa,
        Self::GroupsRead,
        Self::GroupsWrite,
        Self::GroupsRoles,
        Self::PoolRead,
        Self::InvitationsCreate,
    ];

    /// The name in settings and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UsersCreate => "users:create",
            Self::UsersRead => "users:read",
            Self::UsersUpdate => "users:update",
            Self::UsersDelete => "users:delete",
            Self::UsersPassword => "users:password",
            Self::UsersState => "users:state",
            Self::UsersSessions => "users:sessions",
            Self::UsersGroups => "users:groups",
            Self::UsersMfa => "users:mfa",
            Self::GroupsRead => "groups:read",
            Self::GroupsWrite => "groups:write",
            Self::GroupsRoles => "groups:roles",
            Self::PoolRead => "pool:read",
            Self::InvitationsCreate => "invitations:create",
        }
    }
}

impl From<Permission> for &'static str {
    fn from(permission: Permission) -> Self {
        permission.as_str()
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text is not a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no such permission")]
pub struct NotAPermission;

impl FromStr for Permission {
    type Err = NotAPermission;

    fn from_str(text: &str) -> Result<Self, NotAPermission> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == text).ok_or(NotAPermission)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_every_permission_by_its_name_only() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(permission));
            assert_eq!(
                (permission.to_string().as_str(), <&str>::from(permission)),
                (permission.as_str(), permission.as_str())
            );
        }
        for wrong in ["", "*", "all", "users:*", "Users:Create", "users:create ", "users"] {
            assert_eq!(wrong.parse::<Permission>(), Err(NotAPermission), "{wrong:?}");
        }
    }
}
