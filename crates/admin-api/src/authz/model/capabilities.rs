//! What an account can do, by a reading of `ROLES` that shares nothing with the program's own.

use std::collections::{BTreeMap, BTreeSet};

use domain::permission::Permission;
use serde_json::{Value, json};
use testkit::in_memory::Snapshot;

/// One thing that an account can do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Capability {
    Permission(String),
    /// Assign any group within one's own capabilities.
    AssignAny,
    /// Assign this group, if it is within one's own capabilities.
    Assign(String),
    /// Use this IAM role.
    Role(String),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Capabilities(BTreeSet<Capability>);

const GROUPS: &str = "users:groups";
const ROLES: &str = "groups:roles";

impl Capabilities {
    pub(super) fn has(&self, permission: &str) -> bool {
        self.0.iter().any(|capability| matches!(capability, Capability::Permission(name) if name == permission))
    }

    pub(super) fn assigns(&self, group: &str) -> bool {
        self.has(GROUPS) && self.covers_one(&Capability::Assign(group.to_owned()))
    }

    /// Whether the owner of these may hand the others out, or act as an account that has them.
    pub(super) fn covers(&self, others: &Self) -> bool {
        others.0.iter().all(|other| self.covers_one(other))
    }

    fn covers_one(&self, other: &Capability) -> bool {
        match other {
            Capability::Permission(_) | Capability::AssignAny => self.0.contains(other),
            Capability::Assign(_) => self.0.contains(&Capability::AssignAny) || self.0.contains(other),
            // A role counts as more than its members have, except for those who may handle roles.
            Capability::Role(_) => self.has(ROLES),
        }
    }

    /// What is in these and in no way among the others.
    pub(super) fn beyond(&self, others: &Self) -> Vec<&Capability> {
        self.0.iter().filter(|one| !others.0.contains(one) && !others.covers_one(one)).collect()
    }

    pub(super) fn add(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}

/// The setting `ROLES`: names of permissions by group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Roles(BTreeMap<String, Vec<String>>);

impl Roles {
    pub(super) fn new([team1, team2]: [Vec<String>; 2], club: Option<Vec<String>>) -> Self {
        let all = Permission::ALL.into_iter().map(|permission| permission.as_str().to_owned()).collect();
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

    /// What membership in these groups of the pool gives.
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
