//! Snapshots of the pool, for comparison.

use std::collections::{BTreeMap, BTreeSet};

use domain::user_pool::sessions::Factor;
use domain::user_pool::user::{Attributes, UserStatus};

use super::InMemoryPool;
use super::record::Record;

/// Everything in the pool that a request can change, except open challenges, which expire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Users by `sub`.
    pub users: BTreeMap<String, UserSnapshot>,
    /// Groups by name.
    pub groups: BTreeMap<String, GroupSnapshot>,
    /// The access and refresh tokens that the pool accepts.
    pub tokens: BTreeSet<String>,
}

/// One user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSnapshot {
    /// The user name.
    pub username: String,
    /// The status.
    pub status: UserStatus,
    /// Whether the user can sign in.
    pub enabled: bool,
    /// All attributes without `sub`.
    pub attributes: Attributes,
    /// The password; none if only a welcome message contains it.
    pub password: Option<String>,
    /// The groups.
    pub groups: BTreeSet<String>,
    /// The enabled second factors.
    pub factors: Vec<Factor>,
    /// Whether the user has an authenticator app.
    pub has_authenticator: bool,
    /// The keys of the user's devices.
    pub devices: BTreeSet<String>,
    /// How many welcome messages were sent.
    pub invitations: usize,
    /// Whether a password reset code was sent and not used.
    pub reset_is_open: bool,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSnapshot {
    /// The IAM role of the group.
    pub role_arn: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The precedence.
    pub precedence: Option<u32>,
}

impl InMemoryPool {
    /// Takes a snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let state = self.state();
        Snapshot {
            users: state.users.values().map(|record| (record.sub.clone(), record.snapshot())).collect(),
            groups: state.groups.iter().map(|(name, group)| (name.clone(), group.snapshot())).collect(),
            tokens: state.tokens.keys().cloned().collect(),
        }
    }
}

impl Record {
    fn snapshot(&self) -> UserSnapshot {
        UserSnapshot {
            username: self.username.as_str().to_owned(),
            status: self.status.clone(),
            enabled: self.enabled,
            attributes: self.attributes.clone(),
            password: self.password.clone(),
            groups: self.groups.clone(),
            factors: self.mfa.enabled.clone(),
            has_authenticator: self.has_authenticator,
            devices: self.devices.keys().cloned().collect(),
            invitations: self.invitations,
            reset_is_open: self.reset_is_open,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::user_pool::directory::Directory;

    use super::super::testing::{name, pool};

    #[tokio::test]
    async fn snapshot_changes_only_after_a_write() {
        let pool = pool();
        let before = pool.snapshot();
        pool.directory().get(&name("mia")).await.unwrap();
        assert_eq!(pool.snapshot(), before);
        pool.directory().remove_from_group(&name("mia"), "readers").await.unwrap();
        assert_ne!(pool.snapshot(), before);
    }
}
