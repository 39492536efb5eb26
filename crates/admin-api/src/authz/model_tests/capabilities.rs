//! The capabilities of an account, computed by an implementation of `ROLES` that shares no code with the program.

use std::collections::{BTreeMap, BTreeSet};

use domain::permission::Permission;
use serde_json::{Value, json};
use testkit::in_memory::Snapshot;

/// A capability of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Capability {
    Permission(String),
    /// Assign any group whose capabilities the caller has.
    AssignAny,
    /// Assign this group, if the caller has its capabilities.
    Assign(String),
    /// Assume this IAM role.
    Role(String),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Capabilities(BTreeSet<Capability>);

const GROUPS: &str = "users:groups";
const ROLES: &str = "groups:roles";

impl Capabilities {
    /// All capabilities that `ROLES` can grant.
    pub(super) fn everything() -> Self {
        let permissions = Permission::ALL.iter().map(|permission| Capability::Permission(permission.to_string()));
        Self(permissions.chain([Capability::AssignAny]).collect())
    }

    pub(super) fn has(&self, permission: &str) -> bool {
        self.0.iter().any(|capability| matches!(capability, Capability::Permission(name) if name == permission))
    }

    pub(super) fn assigns(&self, group: &str) -> bool {
        self.has(GROUPS) && self.covers_one(&Capability::Assign(group.to_owned()))
    }

    /// Whether an owner of these capabilities can grant the others, or act as an account that has them.
    pub(super) fn covers(&self, others: &Self) -> bool {
        others.0.iter().all(|other| self.covers_one(other))
    }

    fn covers_one(&self, other: &Capability) -> bool {
        match other {
            Capability::Permission(_) | Capability::AssignAny => self.0.contains(other),
            Capability::Assign(_) => self.0.contains(&Capability::AssignAny) || self.0.contains(other),
            // Without `groups:roles`, no capabilities cover an IAM role.
            Capability::Role(_) => self.has(ROLES),
        }
    }

    /// The capabilities that the others neither contain nor cover.
    pub(super) fn excess_over(&self, others: &Self) -> Vec<&Capability> {
        self.0.iter().filter(|one| !others.0.contains(one) && !others.covers_one(one)).collect()
    }

    pub(super) fn add(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}

/// The setting `ROLES`: permissions by group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Roles(BTreeMap<String, Vec<String>>);

impl Roles {
    pub(super) fn new([team1, team2]: [Vec<String>; 2], club: Option<Vec<String>>) -> Self {
        let all = Permission::ALL.iter().copied().map(|permission| permission.as_str().to_owned()).collect();
        let mut roles: BTreeMap<_, _> = [("admins", all), ("team1", team1), ("team2", team2)].into();
        roles.extend(club.map(|club| ("club", club)));
        Self(roles.into_iter().map(|(group, names)| (group.to_owned(), names)).collect())
    }

    pub(super) fn json(&self) -> Value {
        json!(self.0)
    }

    pub(super) fn names(&self, group: &str) -> bool {
        self.0.contains_key(group)
    }

    /// The capabilities of the members of these groups.
    pub(super) fn capabilities<'a>(
        &self,
        groups: impl IntoIterator<Item = &'a String>,
        pool: &Snapshot,
    ) -> Capabilities {
        let mut found = BTreeSet::new();
        for group in groups {
            for name in self.0.get(group).into_iter().flatten() {
                let permission = match name.strip_prefix(GROUPS) {
                    Some("") => {
                        found.insert(Capability::AssignAny);
                        GROUPS
                    }
                    Some(assigned) => {
                        found.insert(Capability::Assign(assigned.trim_start_matches(':').to_owned()));
                        GROUPS
                    }
                    None => name,
                };
                found.insert(Capability::Permission(permission.to_owned()));
            }
            let role = pool.groups.get(group).and_then(|group| group.role_arn.clone());
            found.extend(role.map(Capability::Role));
        }
        Capabilities(found)
    }
}
