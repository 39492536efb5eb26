//! The first administrator: invited once, and promoted only if the account is the one that was created for the invitation.
//!
//! Before the account is created, a tag of the pool records the hash of a random proof, and the account is created with the proof in its
//! reserved attribute, which no client can write. So a later run recognizes the account of an interrupted one. When the account is an
//! administrator, the tag records that this address is done, so a later run never puts a removed administrator back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::deployment::short_hash;
use super::discover::FirstAdmin;
use super::{Done, Outcome, ProvisionError, Provisioner, diff};
use crate::platform::UserPool;
use crate::retry::{Classified, ErrorClass, Situation};
use crate::secret::Secret;
use crate::spec::{ADMINS, Spec, SpecError};
use crate::user_pool::directory::{Directory, Invitation, NewUser};
use crate::user_pool::error::Reason;
use crate::user_pool::groups::Membership;
use crate::user_pool::user::{Attributes, CREATION_ATTRIBUTE, User, Username};

/// What the keys of the tags begin with that record invitations. The hash of the address follows, so that the record of an address outlives
/// a change to another address and back.
const TAG: &str = "poolkeeper:first-admin";

/// How many proofs the tag holds, so that a create that AWS finishes after its run was killed is still recognized.
const MOST_PROOFS: usize = 4;

/// How often, and in which interval, an account that another run has created is looked at until it is an administrator.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// What the tag of a pool records about the invitation of one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    /// The address was never invited.
    Absent,
    /// The account may have been created, with one of the proofs that have these hashes.
    Pending(Vec<String>),
    /// The account was an administrator.
    Done,
}

impl Record {
    pub(super) fn of(pool: &UserPool, address: &str) -> Self {
        let value = pool.tags.get(&tag_of(address)).map(String::as_str).unwrap_or_default();
        let mut parts = value.split(' ');
        match parts.next() {
            Some("done") => Self::Done,
            Some("pending") => Self::Pending(parts.map(str::to_owned).collect()),
            _ => Self::Absent,
        }
    }

    fn with(self, proof: &Secret) -> Self {
        let mut hashes = match self {
            Self::Pending(hashes) => hashes,
            Self::Absent | Self::Done => Vec::new(),
        };
        hashes.push(short_hash(proof.expose()));
        let oldest = hashes.len().saturating_sub(MOST_PROOFS);
        Self::Pending(hashes.split_off(oldest))
    }

    fn value(&self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Pending(hashes) => format!("pending {}", hashes.join(" ")),
            Self::Done => "done".to_owned(),
        }
    }

    /// Whether the account was created for the invitation.
    pub(super) fn proves(&self, user: &User) -> bool {
        let Self::Pending(hashes) = self else { return false };
        user.attributes.get(CREATION_ATTRIBUTE).is_some_and(|proof| hashes.contains(&short_hash(proof)))
    }
}

/// The key of the tag that records the invitation of an address.
fn tag_of(address: &str) -> String {
    format!("{TAG}:{}", short_hash(&address.to_lowercase()))
}

pub(super) fn parsed(username: &str) -> Result<Username, SpecError> {
    let no_username = |_| SpecError { field: "first_admin", problem: "expected an e-mail address".to_owned() };
    username.parse().map_err(no_username)
}

impl Provisioner<'_> {
    pub(super) async fn ensure_first_admin(
        &self,
        spec: &Spec,
        pool: &UserPool,
        address: &str,
        username: &str,
        found: Option<FirstAdmin>,
    ) -> Result<Done<()>, ProvisionError> {
        let mut record = Record::of(pool, address);
        if record == Record::Done {
            return Ok(Done::new((), Outcome::Unchanged));
        }
        let directory = self.platform.directory(&pool.id);
        let name = parsed(username)?;
        let (mut there, outcome) = if let Some(there) = found {
            (there, Outcome::Updated)
        } else {
            let proof = self.clock.nonce();
            record = record.with(&proof);
            self.record(spec, pool, &record, address).await?;
            let (user, outcome) = self.invite(&*directory, &name, address, &proof).await?;
            let groups = match outcome {
                Outcome::Created => Vec::new(),
                _ => self.groups_of(&*directory, &user.id()).await?,
            };
            (FirstAdmin { user, groups }, outcome)
        };
        // The name can be given to another account by the time this one is promoted.
        let id = there.user.id();
        if outcome == Outcome::Adopted && !record.proves(&there.user) {
            self.wait_for_another_run(&*directory, &id, &mut there).await?;
        }
        let is_admin = outcome != Outcome::Created && diff::first_admin(spec, username, &there, &record)?;
        if !is_admin {
            self.users(Situation::Settled, || directory.add_to_group(&id, ADMINS)).await?;
        }
        self.record(spec, pool, &Record::Done, address).await?;
        if is_admin {
            return Ok(Done::new((), Outcome::Unchanged));
        }
        let detail = if outcome == Outcome::Updated { "put into" } else { "invited into" };
        Ok(Done::new((), outcome).because(format!("{detail} {ADMINS}")))
    }

    async fn record(&self, spec: &Spec, pool: &UserPool, record: &Record, address: &str) -> Result<(), ProvisionError> {
        let tags = BTreeMap::from([(tag_of(address), record.value())]);
        self.call(Situation::Settled, || self.platform.tag_user_pool(&pool.arn, &spec.name, &tags)).await?;
        Ok(())
    }

    async fn groups_of(&self, directory: &dyn Directory, name: &Username) -> Result<Vec<String>, ProvisionError> {
        let memberships = self.users(Situation::Settled, || directory.groups(name)).await?.value;
        Ok(Membership::names(&memberships).map(str::to_owned).collect())
    }

    /// Another run may have created the account a moment ago, with a proof of its own, and be about to promote it.
    async fn wait_for_another_run(
        &self,
        directory: &dyn Directory,
        name: &Username,
        there: &mut FirstAdmin,
    ) -> Result<(), ProvisionError> {
        for _ in 0..LOOKS {
            if there.groups.iter().any(|group| group == ADMINS) || BETWEEN_LOOKS >= self.clock.time_left() {
                break;
            }
            self.clock.sleep(BETWEEN_LOOKS).await;
            there.groups = self.groups_of(directory, name).await?;
        }
        Ok(())
    }

    /// Creates the account and sends the invitation, once. If the name is taken, or the answer is lost, the account that now has the name
    /// is returned, which then has to be proved.
    async fn invite(
        &self,
        directory: &dyn Directory,
        username: &Username,
        address: &str,
        proof: &Secret,
    ) -> Result<(User, Outcome), ProvisionError> {
        let new = invitation(username, address, proof);
        let error = match self.users(Situation::Creating, || directory.create(&new)).await {
            Ok(created) => return Ok((created.value, Outcome::Created)),
            Err(error) => error,
        };
        if !matches!(error.last.class(), ErrorClass::AlreadyExists | ErrorClass::OutcomeUnknown) {
            return Err(error.into());
        }
        match self.users(Situation::Settled, || directory.get(username)).await {
            Ok(found) => Ok((found.value, Outcome::Adopted)),
            // The create did nothing, and is safe to send again.
            Err(look) if look.last.reason == Reason::UserNotFound => {
                let created = self.users(Situation::Creating, || directory.create(&new)).await?;
                Ok((created.value, Outcome::Created))
            }
            Err(look) => Err(look.into()),
        }
    }
}

fn invitation(username: &Username, address: &str, proof: &Secret) -> NewUser {
    // The operator named the address: it counts as verified, so that a forgotten password can be reset.
    let attributes = [("email", address), ("email_verified", "true"), (CREATION_ATTRIBUTE, proof.expose())];
    NewUser {
        username: username.clone(),
        attributes: Attributes::from(attributes.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        temporary_password: None,
        invitation: Invitation::Send,
    }
}
