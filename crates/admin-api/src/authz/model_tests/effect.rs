//! The differences between two snapshots of the pool.

use std::collections::BTreeSet;

use testkit::in_memory::{Snapshot, UserSnapshot};
use testkit::in_memory_jobs::InMemoryJobs;

/// A change. Users are identified by `sub`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    Created(String),
    Deleted(String),
    Joined(String, String),
    Left(String, String),
    /// The attribute was set, changed or removed.
    Wrote(String, String),
    Changed(String, Part),
    GroupCreated(String),
    GroupChanged(String),
    GroupDeleted(String),
    /// Tokens were issued or revoked.
    Tokens,
    /// A job was started or restarted.
    JobStarted,
    /// A job was stopped.
    JobStopped,
}

/// A part of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Password,
    Enabled,
    SecondFactors,
    Devices,
}

impl Effect {
    /// The changed user.
    pub(super) fn user(&self) -> Option<&str> {
        match self {
            Self::Created(sub)
            | Self::Deleted(sub)
            | Self::Joined(sub, _)
            | Self::Left(sub, _)
            | Self::Wrote(sub, _)
            | Self::Changed(sub, _) => Some(sub),
            Self::GroupCreated(_)
            | Self::GroupChanged(_)
            | Self::GroupDeleted(_)
            | Self::Tokens
            | Self::JobStarted
            | Self::JobStopped => None,
        }
    }
}

/// The names of executions, and the keys of files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct JobSnapshot {
    executions: Vec<String>,
    keys: Vec<String>,
}

impl JobSnapshot {
    pub(super) fn of(jobs: &InMemoryJobs) -> Self {
        Self { executions: jobs.executions().into_iter().map(|(name, _)| name).collect(), keys: jobs.keys() }
    }

    /// The change from an earlier snapshot.
    pub(super) fn effect_since(&self, before: &Self) -> Option<Effect> {
        if self.executions == before.executions {
            (self.keys != before.keys).then_some(Effect::JobStopped)
        } else {
            Some(Effect::JobStarted)
        }
    }
}

/// The changes from one snapshot to the other.
pub(super) fn diff(before: &Snapshot, after: &Snapshot) -> Vec<Effect> {
    let mut effects = Vec::new();
    for (sub, user) in &after.users {
        match before.users.get(sub) {
            None => {
                effects.push(Effect::Created(sub.clone()));
                effects.extend(user.attributes.keys().map(|name| Effect::Wrote(sub.clone(), name.clone())));
                effects.extend(user.groups.iter().map(|group| Effect::Joined(sub.clone(), group.clone())));
            }
            Some(old) if old != user => diff_user(sub, old, user, &mut effects),
            Some(_) => {}
        }
    }
    let gone = before.users.keys().filter(|sub| !after.users.contains_key(*sub));
    effects.extend(gone.map(|sub| Effect::Deleted(sub.clone())));
    for (name, group) in &after.groups {
        match before.groups.get(name) {
            None => effects.push(Effect::GroupCreated(name.clone())),
            Some(old) if old != group => effects.push(Effect::GroupChanged(name.clone())),
            Some(_) => {}
        }
    }
    let gone = before.groups.keys().filter(|name| !after.groups.contains_key(*name));
    effects.extend(gone.map(|name| Effect::GroupDeleted(name.clone())));
    if before.tokens != after.tokens {
        effects.push(Effect::Tokens);
    }
    effects
}

fn diff_user(sub: &str, old: &UserSnapshot, new: &UserSnapshot, effects: &mut Vec<Effect>) {
    let missing = |from: &BTreeSet<String>, other: &BTreeSet<String>| -> Vec<String> {
        from.difference(other).cloned().collect()
    };
    effects.extend(missing(&new.groups, &old.groups).into_iter().map(|group| Effect::Joined(sub.to_owned(), group)));
    effects.extend(missing(&old.groups, &new.groups).into_iter().map(|group| Effect::Left(sub.to_owned(), group)));
    let names: BTreeSet<&String> = old.attributes.keys().chain(new.attributes.keys()).collect();
    let written = names.into_iter().filter(|name| old.attributes.get(*name) != new.attributes.get(*name));
    effects.extend(written.map(|name| Effect::Wrote(sub.to_owned(), name.clone())));
    let password =
        |user: &UserSnapshot| (user.password.clone(), user.status.clone(), user.reset_is_open, user.invitations);
    let factors = |user: &UserSnapshot| (user.factors.clone(), user.has_authenticator);
    let parts = [
        (Part::Password, password(old) != password(new)),
        (Part::Enabled, old.enabled != new.enabled),
        (Part::SecondFactors, factors(old) != factors(new)),
        (Part::Devices, old.devices != new.devices),
    ];
    let changed = parts.into_iter().filter(|(_, changed)| *changed);
    effects.extend(changed.map(|(part, _)| Effect::Changed(sub.to_owned(), part)));
}
