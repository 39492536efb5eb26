//! Compares a row with an existing user.

use std::collections::BTreeSet;

use super::creation::{missing_groups, movable_mfa};
use crate::transfer::row::UserRow;
use crate::user_pool::directory::AttributeChanges;
use crate::user_pool::groups::{GroupName, Membership};
use crate::user_pool::sign_in_security::Mfa;
use crate::user_pool::user::{Attributes, User, has_value};

/// What must change so that a user is as in its row.
#[derive(Debug, Default)]
pub(super) struct Differences {
    attributes: Attributes,
    pub(super) enabled: Option<bool>,
    pub(super) groups: Vec<GroupName>,
    pub(super) mfa: Option<Mfa>,
    /// Whether the user has only a temporary password of an interrupted import.
    pub(super) password: bool,
}

/// Attributes that Cognito resets when the attribute beside them changes.
const VERIFIED: [(&str, &str); 2] = [("email", "email_verified"), ("phone_number", "phone_number_verified")];

impl Differences {
    /// `has` are the groups of the user, and `mfa` the second factors if the row has any.
    pub(super) fn between(row: &UserRow, user: &User, has: &[Membership], mfa: Option<&Mfa>) -> Self {
        let differs = |(name, value): &(&String, &String)| !has_value(name, user.attributes.get(*name), value);
        let differing = row.attributes.iter().filter(differs);
        let mut attributes: Attributes = differing.map(|(name, value)| (name.clone(), value.clone())).collect();
        for (name, verified) in VERIFIED {
            if let Some(value) = row.attributes.get(verified).filter(|_| attributes.contains_key(name)) {
                attributes.insert(verified.to_owned(), value.clone());
            }
        }
        Self {
            attributes,
            enabled: row.enabled.filter(|enabled| *enabled != user.enabled),
            groups: missing_groups(row, has).into_iter().cloned().collect(),
            mfa: movable_mfa(row).zip(mfa).and_then(|(wanted, mfa)| added(&wanted, mfa)),
            password: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.password
            && self.attributes.is_empty()
            && self.enabled.is_none()
            && self.groups.is_empty()
            && self.mfa.is_none()
    }

    /// The changes of attributes, each of which takes one request. An empty value removes the attribute.
    pub(super) fn attributes(&self) -> Vec<AttributeChanges> {
        let (removed, set): (Vec<_>, Vec<_>) = self.attributes.iter().partition(|(_, value)| value.is_empty());
        let set: Attributes = set.into_iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let remove: Vec<_> = removed.into_iter().map(|(name, _)| name.clone()).collect();
        let changes = [
            AttributeChanges { set, ..AttributeChanges::default() },
            AttributeChanges { remove, ..AttributeChanges::default() },
        ];
        changes.into_iter().filter(|changes| *changes != AttributeChanges::default()).collect()
    }

    /// The paths of the differing attributes.
    pub(super) fn attribute_names(&self) -> impl Iterator<Item = String> + '_ {
        self.attributes.keys().map(|name| format!("attributes.{name}"))
    }

    /// The paths of all differences.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.attribute_names().collect();
        names.extend(self.password.then(|| "password".to_owned()));
        names.extend(self.enabled.map(|_| "enabled".to_owned()));
        names.extend(self.groups.iter().map(|group| format!("groups.{group}")));
        names.extend(self.mfa.as_ref().map(|_| "mfa".to_owned()));
        names
    }
}

/// The factors of a user with the wanted ones, or `None` if the user has them. Other factors, such as an authenticator
/// app, are kept.
fn added(wanted: &Mfa, mfa: &Mfa) -> Option<Mfa> {
    let enabled: BTreeSet<_> = mfa.enabled.iter().chain(&wanted.enabled).copied().collect();
    let preferred = wanted.preferred.or(mfa.preferred);
    let is_same = enabled.len() == mfa.enabled.len() && preferred == mfa.preferred;
    (!is_same).then(|| Mfa { enabled: enabled.into_iter().collect(), preferred })
}
