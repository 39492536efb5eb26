//! Compares the rows of a file with the rows of an export.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::Serialize;

use super::pool_facts::PoolFacts;
use super::row::UserRow;
use crate::user_pool::user::{UserStatus, Username, has_value};

/// A row that the pool does not contain, or contains with other values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// The number of the line.
    pub line: u64,
    /// The user name.
    pub username: Username,
    /// The fields that differ. Empty if the user is missing.
    pub differences: Vec<String>,
}

/// The rows of a file that were not found yet. Keeps them in memory.
pub struct Comparison<'a> {
    facts: &'a PoolFacts,
    expected: HashMap<String, (u64, UserRow)>,
    is_exact: bool,
    /// The users of the pool that are in no row.
    pub others: u64,
}

impl<'a> Comparison<'a> {
    /// An empty comparison with a pool.
    #[must_use]
    pub fn new(facts: &'a PoolFacts) -> Self {
        Self { facts, expected: HashMap::new(), is_exact: false, others: 0 }
    }

    /// An empty comparison in which rows describe users completely, as in an export: attributes and groups that a row
    /// does not contain are differences, and unconfirmed and federated users are compared.
    #[must_use]
    pub fn exact(facts: &'a PoolFacts) -> Self {
        Self { is_exact: true, ..Self::new(facts) }
    }

    /// Adds a row of the file. Returns false for a row that an import skips: an unconfirmed or federated user, or a user
    /// with an earlier row.
    pub fn expect(&mut self, line: u64, row: UserRow) -> bool {
        let status = row.origin.as_ref().map(|origin| &origin.status);
        if !self.is_exact && matches!(status, Some(UserStatus::Unconfirmed | UserStatus::ExternalProvider)) {
            return false;
        }
        match self.expected.entry(self.facts.key(&row.username)) {
            Entry::Vacant(entry) => {
                entry.insert((line, row));
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// Compares a user of the pool with its row.
    pub fn found(&mut self, user: &UserRow) -> Option<Mismatch> {
        let Some((line, row)) = self.expected.remove(&self.facts.key(&user.username)) else {
            self.others += 1;
            return None;
        };
        let mut differences = differences(&row, user);
        if self.is_exact {
            differences.extend(additional(&row, user));
        }
        (!differences.is_empty()).then_some(Mismatch { line, username: row.username, differences })
    }

    /// The rows whose users are missing, in the order of the file.
    #[must_use]
    pub fn missing(self) -> Vec<Mismatch> {
        let rows = self.expected.into_values();
        let missing = rows.map(|(line, row)| Mismatch { line, username: row.username, differences: Vec::new() });
        let mut missing: Vec<_> = missing.collect();
        missing.sort_by_key(|mismatch| mismatch.line);
        missing
    }
}

/// The fields of `row` that `user` lacks or has with another value.
fn differences(row: &UserRow, user: &UserRow) -> Vec<String> {
    let differs = |(name, value): &(&String, &String)| !has_value(name, user.attributes.get(*name), value);
    let attributes = row.attributes.iter().filter(differs).map(|(name, _)| format!("attributes.{name}"));
    let enabled = row.enabled.is_some_and(|enabled| user.enabled != Some(enabled)).then(|| "enabled".to_owned());
    let groups = row.groups.difference(&user.groups).map(|group| format!("groups.{group}"));
    attributes.chain(enabled).chain(groups).collect()
}

/// The attributes and groups of `user` that `row` does not contain.
fn additional(row: &UserRow, user: &UserRow) -> Vec<String> {
    let is_new = |(name, value): &(&String, &String)| !value.is_empty() && !row.attributes.contains_key(*name);
    let attributes = user.attributes.iter().filter(is_new).map(|(name, _)| format!("attributes.{name}"));
    let groups = user.groups.difference(&row.groups).map(|group| format!("groups.{group}"));
    attributes.chain(groups).collect()
}
