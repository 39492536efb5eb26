//! The first administrator: the record in the pool's tags, and the account.

use super::super::ProvisionError;
use super::super::deployment::short_hash;
use crate::platform::UserPool;
use crate::secret::Secret;
use crate::spec::{ADMINS, SignInWith, Spec, SpecError};
use crate::user_pool::user::{CREATION_ATTRIBUTE, User, Username};

/// The prefix of a record's tag key. The hash of the address follows, so the record of an address survives a change to
/// another address and back.
const TAG: &str = "poolkeeper:first-admin";

/// The maximum number of proofs in the tag. Several are kept because AWS may complete a create call after its run was
/// killed.
const MAX_PROOFS: usize = 4;

/// The user with the first administrator's name.
#[derive(Debug)]
pub(in crate::provision) struct FirstAdmin {
    pub(in crate::provision) user: User,
    pub(in crate::provision) groups: Vec<String>,
}

impl FirstAdmin {
    /// Whether the user is already an administrator. If not, the caller promotes the user.
    ///
    /// # Errors
    ///
    /// Returns [`ProvisionError::NotTheFirstAdmin`] if Poolkeeper did not create the user. Anyone can sign up with this
    /// name, and neither the status nor a verified address proves that Poolkeeper created the user.
    pub(in crate::provision) fn is_admin(
        &self,
        spec: &Spec,
        username: &str,
        record: &Record,
    ) -> Result<bool, ProvisionError> {
        if spec.sign_in == SignInWith::Username && self.user.username.as_str() != username {
            // The name is another user's alias.
            return Err(ProvisionError::NotTheFirstAdmin);
        }
        if self.groups.iter().any(|group| group == ADMINS) {
            return Ok(true);
        }
        if record.proves(&self.user) { Ok(false) } else { Err(ProvisionError::NotTheFirstAdmin) }
    }
}

/// The record of one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::provision) enum Record {
    /// The address was never invited.
    Absent,
    /// The account may have been created with a proof that has one of these hashes.
    Pending(Vec<String>),
    /// The account was promoted.
    Done,
}

impl Record {
    pub(in crate::provision) fn of(pool: &UserPool, address: &str) -> Self {
        let value = pool.tags.get(&tag_key(address)).map(String::as_str).unwrap_or_default();
        let mut parts = value.split(' ');
        match parts.next() {
            Some("done") => Self::Done,
            Some("pending") => Self::Pending(parts.map(str::to_owned).collect()),
            _ => Self::Absent,
        }
    }

    pub(super) fn with_proof(self, proof: &Secret) -> Self {
        let mut hashes = match self {
            Self::Pending(hashes) => hashes,
            Self::Absent | Self::Done => Vec::new(),
        };
        hashes.push(short_hash(proof.expose()));
        let oldest = hashes.len().saturating_sub(MAX_PROOFS);
        Self::Pending(hashes.split_off(oldest))
    }

    pub(super) fn tag_value(&self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Pending(hashes) => format!("pending {}", hashes.join(" ")),
            Self::Done => "done".to_owned(),
        }
    }

    /// Whether the account has a recorded proof.
    pub(in crate::provision) fn proves(&self, user: &User) -> bool {
        let Self::Pending(hashes) = self else { return false };
        user.attributes.get(CREATION_ATTRIBUTE).is_some_and(|proof| hashes.contains(&short_hash(proof)))
    }
}

/// The tag key of an address's record.
pub(super) fn tag_key(address: &str) -> String {
    format!("{TAG}:{}", short_hash(&address.to_lowercase()))
}

pub(in crate::provision) fn parse_username(username: &str) -> Result<Username, SpecError> {
    let invalid = |_| SpecError { field: "first_admin", problem: "must be an e-mail address".to_owned() };
    username.parse().map_err(invalid)
}
