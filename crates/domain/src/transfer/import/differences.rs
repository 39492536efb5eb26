//! Compares a row with an existing user.

use std::collections::BTreeSet;

use super::{missing_groups, movable_mfa};
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
}

impl Differences {
    /// `has` are the groups of the user, and `mfa` the second factors if the row has any.
    pub(super) fn between(row: &UserRow, user: &User, has: &[Membership], mfa: Option<&Mfa>) -> Self {
        let differs = |(name, value): &(&String, &String)| !has_value(name, user.attributes.get(*name), value);
        let attributes = row.attributes.iter().filter(differs);
        Self {
            attributes: attributes.map(|(name, value)| (name.clone(), value.clone())).collect(),
            enabled: row.enabled.filter(|enabled| *enabled != user.enabled),
            groups: missing_groups(row, has).into_iter().cloned().collect(),
            mfa: movable_mfa(row).filter(|wanted| mfa.is_none_or(|mfa| !is_enabled(wanted, mfa))),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.attributes.is_empty() && self.enabled.is_none() && self.groups.is_empty() && self.mfa.is_none()
    }

    /// The changes of attributes, if there are any. An empty value removes the attribute.
    pub(super) fn attributes(&self) -> Option<AttributeChanges> {
        let (removed, set): (Vec<_>, Vec<_>) = self.attributes.iter().partition(|(_, value)| value.is_empty());
        let set = set.into_iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let remove = removed.into_iter().map(|(name, _)| name.clone()).collect();
        (!self.attributes.is_empty()).then_some(AttributeChanges { set, remove })
    }

    /// The paths of the differing attributes.
    pub(super) fn attribute_names(&self) -> impl Iterator<Item = String> + '_ {
        self.attributes.keys().map(|name| format!("attributes.{name}"))
    }

    /// The paths of all differences.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.attribute_names().collect();
        names.extend(self.enabled.map(|_| "enabled".to_owned()));
        names.extend(self.groups.iter().map(|group| format!("groups.{group}")));
        names.extend(self.mfa.as_ref().map(|_| "mfa".to_owned()));
        names
    }
}

/// Whether the wanted factors are enabled. Other factors of the user, such as an authenticator app, are kept.
fn is_enabled(wanted: &Mfa, mfa: &Mfa) -> bool {
    let enabled: BTreeSet<_> = mfa.enabled.iter().collect();
    let prefers = wanted.preferred.is_none_or(|preferred| mfa.preferred == Some(preferred));
    wanted.enabled.iter().all(|factor| enabled.contains(factor)) && prefers
}
