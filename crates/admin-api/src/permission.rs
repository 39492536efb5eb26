//! Permissions, and which groups have them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// What a caller can be allowed to do. Routes name the one they ask for, `ROLES` gives them to groups.
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
    /// See and change which groups users are in.
    UsersGroups,
    /// See and set which second factors users have.
    UsersMfa,
    /// Look groups up, and who is in them.
    GroupsRead,
    /// Create, change and delete groups.
    GroupsWrite,
    /// See how the pool is set up.
    PoolRead,
    /// Invite people to sign up.
    InvitationsCreate,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 13] = [
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
            Self::PoolRead => "pool:read",
            Self::InvitationsCreate => "invitations:create",
        }
    }
}

impl PartialSchema for Permission {
    fn schema() -> RefOr<Schema> {
        let names = Self::ALL.map(Self::as_str);
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl ToSchema for Permission {
    fn name() -> Cow<'static, str> {
        "Permission".into()
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

/// The text is no permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no such permission")]
pub struct NotAPermission;

impl FromStr for Permission {
    type Err = NotAPermission;

    fn from_str(text: &str) -> Result<Self, NotAPermission> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == text).ok_or(NotAPermission)
    }
}

/// Which group has which permissions. What is not in here is not allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(BTreeMap<String, BTreeSet<Permission>>);

/// The text says no roles.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RoleError {
    /// Not a JSON object of lists of texts.
    #[error("not a JSON object of groups with lists of permissions")]
    Shape,
    /// A group is given what does not exist.
    #[error("unknown permission `{permission}` for the group `{group}`")]
    UnknownPermission {
        /// Who should have had it.
        group: String,
        /// What it was called.
        permission: String,
    },
}

impl Roles {
    /// All permissions that these groups have together.
    pub fn permissions_of<'a>(&self, groups: impl IntoIterator<Item = &'a str>) -> BTreeSet<Permission> {
        groups.into_iter().filter_map(|group| self.0.get(group)).flatten().copied().collect()
    }
}

impl FromStr for Roles {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        let named: BTreeMap<String, Vec<String>> = serde_json::from_str(text).map_err(|_| RoleError::Shape)?;
        let mut roles = BTreeMap::new();
        for (group, permissions) in named {
            let parsed: Result<BTreeSet<_>, _> = permissions
                .into_iter()
                .map(|permission| permission.parse::<Permission>().map_err(|_| (group.clone(), permission)))
                .collect();
            let permissions =
                parsed.map_err(|(group, permission)| RoleError::UnknownPermission { group, permission })?;
            roles.insert(group, permissions);
        }
        Ok(Self(roles))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_is_found_by_its_own_name_only() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(permission));
        }
        for wrong in ["", "*", "users:*", "Users:Create", "users:create ", "users"] {
            assert_eq!(wrong.parse::<Permission>(), Err(NotAPermission), "{wrong:?}");
        }
    }

    #[test]
    fn groups_add_up_and_unknown_groups_have_nothing() {
        let roles: Roles = r#"{"admins": ["users:create", "users:read"], "support": ["users:read", "users:password"]}"#
            .parse()
            .unwrap();
        assert_eq!(roles.permissions_of(["support"]), [Permission::UsersRead, Permission::UsersPassword].into());
        assert_eq!(roles.permissions_of(["admins", "support"]).len(), 3);
        for stranger in ["", "admin", "Admins", "admins-x", "x,admins"] {
            assert!(roles.permissions_of([stranger]).is_empty(), "{stranger:?}");
        }
    }

    #[test]
    fn an_unknown_permission_is_named_with_its_group() {
        let error = r#"{"admins": ["users:read", "users:fly"]}"#.parse::<Roles>().unwrap_err();
        assert_eq!(error.to_string(), "unknown permission `users:fly` for the group `admins`");
    }

    #[test]
    fn other_shapes_are_refused() {
        for wrong in ["", "[]", "null", r#"{"admins": "users:read"}"#, r#"{"admins": [1]}"#, r#"{"admins": {}}"#] {
            assert_eq!(wrong.parse::<Roles>(), Err(RoleError::Shape), "{wrong}");
        }
    }
}
