//! The grants of a caller: permissions, and the groups that the caller can assign.

use std::collections::BTreeSet;

use crate::permission::Permission;

/// The permissions of one or more groups. The default has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    permissions: BTreeSet<Permission>,
    assignable: Assignable,
}

/// The groups that can be assigned with [`Permission::UsersGroups`].
#[derive(Debug, Clone, PartialEq, Eq)]
enum Assignable {
    Any,
    Only(BTreeSet<String>),
}

impl Default for Assignable {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

impl Grants {
    /// Every permission, and assignment of any group.
    #[must_use]
    pub fn all() -> Self {
        Self { permissions: Permission::ALL.iter().copied().collect(), assignable: Assignable::Any }
    }

    /// Adds a permission. [`Permission::UsersGroups`] includes the assignment of any group.
    pub(super) fn allow(&mut self, permission: Permission) {
        if permission == Permission::UsersGroups {
            self.assignable = Assignable::Any;
        }
        self.permissions.insert(permission);
    }

    /// Adds [`Permission::UsersGroups`] for one group.
    pub(super) fn allow_assigning(&mut self, group: &str) {
        self.permissions.insert(Permission::UsersGroups);
        if let Assignable::Only(groups) = &mut self.assignable {
            groups.insert(group.to_owned());
        }
    }

    /// All permissions.
    #[must_use]
    pub fn permissions(&self) -> &BTreeSet<Permission> {
        &self.permissions
    }

    /// Whether the permission is granted.
    #[must_use]
    pub fn allows(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// The only groups that can be assigned; `None` if any group can.
    #[must_use]
    pub fn assignable_groups(&self) -> Option<&BTreeSet<String>> {
        match &self.assignable {
            Assignable::Any => None,
            Assignable::Only(groups) => Some(groups),
        }
    }

    /// Whether the group can be assigned. The caller must also compare the group's permissions with [`Grants::covers`].
    #[must_use]
    pub fn may_assign(&self, group: &str) -> bool {
        self.assignable_groups().is_none_or(|groups| groups.contains(group))
    }

    /// Whether these grants include all of `other`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let assignable = match (&self.assignable, &other.assignable) {
            (Assignable::Any, _) => true,
            (Assignable::Only(_), Assignable::Any) => false,
            (Assignable::Only(own), Assignable::Only(others)) => others.is_subset(own),
        };
        assignable && other.permissions.is_subset(&self.permissions)
    }

    /// Returns the combined grants.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let assignable = match (&self.assignable, &other.assignable) {
            (Assignable::Only(own), Assignable::Only(others)) => Assignable::Only(own | others),
            _ => Assignable::Any,
        };
        Self { permissions: &self.permissions | &other.permissions, assignable }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::Roles;

    fn grants(tokens: &str) -> Grants {
        format!("group={tokens}").parse::<Roles>().unwrap_or_default().grants_of(["group"])
    }

    #[test]
    fn covers_grants_that_it_includes() {
        let table = [
            ("all", "users:groups", true),
            ("users:groups", "users:groups:visitors", true),
            ("users:groups:visitors+users:groups:guests", "users:groups:guests", true),
            ("users:groups:visitors", "users:groups:guests", false),
            ("users:groups:visitors", "users:groups", false),
            ("users:groups", "users:groups+users:read", false),
        ];
        for (own, other, expected) in table {
            assert_eq!(grants(own).covers(&grants(other)), expected, "{own} {other}");
        }
        assert!(Grants::default().covers(&Grants::default()));
        assert!(!Grants::default().covers(&grants("users:read")));
    }

    #[test]
    fn a_union_combines_permissions_and_assignable_groups() {
        let (any, visitors, guests) =
            (grants("users:groups"), grants("users:groups:visitors+users:read"), grants("users:groups:guests"));
        assert_eq!(any.union(&visitors), grants("users:groups+users:read"));
        assert_eq!(guests.union(&visitors), grants("users:groups:visitors+users:groups:guests+users:read"));
        assert_eq!(visitors.union(&visitors), visitors);
    }
}
