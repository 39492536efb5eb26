//! Creates the private key of a name exactly once, adopts it only if it provably belongs to this stack, and deletes it.
//!
//! The service takes no second key under a name. Two runs at once, a repeat after a lost answer and one after a crash all end with the
//! same key. A stored key is never replaced, because invitations may have been signed with it.
//!
//! The deployment that runs this may have granted the rights to it moments ago, so a missing right is retried for a while.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::key_owner::{is_of_stack, vouches};
use super::{InvitationKeys, KeyId, KeyName, KeyOwner, PublicKey, SigningKey, StoredKey};
use crate::platform::PlatformError;
use crate::provision::Outcome;
use crate::retry::{Attempted, Classified, Clock, ErrorClass, GaveUp, Listener, Rights, Situation, retry};

/// How often a create is sent that left nothing to be found.
const ROUNDS: u32 = 5;

/// How long it is waited before the next one: the one before may still be under way.
const STILL_UNDER_WAY: Duration = Duration::from_secs(1);

/// Makes private keys and takes them away, with the retry that each call deserves.
#[derive(Clone)]
pub struct KeyProvisioner<'a> {
    /// Where they are kept.
    pub keys: &'a dyn InvitationKeys,
    /// Time and chance.
    pub clock: Arc<dyn Clock>,
    /// Who hears of calls that are made again.
    pub listener: &'a dyn Listener,
}

/// A key that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnsuredKey {
    /// Its public half.
    pub public_key: PublicKey,
    /// How it came to be there: created, adopted or unchanged.
    pub outcome: Outcome,
}

/// Why there is no key to use.
#[derive(Debug, Error)]
pub enum KeyError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] GaveUp<PlatformError>),
    /// The stored key was not created by this stack, or was changed since. It is left unchanged.
    #[error(
        "the parameter {0} exists, but this stack did not create it, or it was changed since; find out who did, and deploy with a \
         higher InvitationKeyVersion, which creates a new key"
    )]
    Foreign(KeyName),
}

impl KeyProvisioner<'_> {
    /// Ensures that a key exists under this name, and stores `fresh` if none does. Safe to repeat, also after a crash and at the same
    /// time: every run returns the same key.
    ///
    /// `current` is the id that CloudFormation has of the resource. A key that exists is returned only if its tags name the stack, and if
    /// they prove that this very request created it, or `current` has its public half, or the key of `current` vouches for it.
    ///
    /// # Errors
    ///
    /// [`KeyError::Foreign`] for any other key. If the key cannot be read or created, or something else has its name.
    pub async fn ensure(
        &self,
        name: &KeyName,
        owner: &KeyOwner,
        current: Option<&KeyId>,
        fresh: &SigningKey,
    ) -> Result<EnsuredKey, KeyError> {
        if let Some(public_key) = self.find(name, owner, current).await? {
            return Ok(EnsuredKey { public_key, outcome: Outcome::Unchanged });
        }
        let tags = owner.tags(fresh, current);
        let mut round = 0;
        loop {
            round += 1;
            let create = || self.keys.create(name, &tags, fresh);
            let Err(gave_up) = self.call(Situation::Creating, create).await else {
                return Ok(EnsuredKey { public_key: fresh.public_key(), outcome: Outcome::Created });
            };
            if !matches!(gave_up.last.class(), ErrorClass::OutcomeUnknown | ErrorClass::AlreadyExists) {
                return Err(gave_up.into());
            }
            if let Some(public_key) = self.find(name, owner, current).await? {
                return Ok(EnsuredKey { public_key, outcome: Outcome::Adopted });
            }
            if round == ROUNDS || STILL_UNDER_WAY >= self.clock.time_left() {
                return Err(gave_up.into());
            }
            self.clock.sleep(STILL_UNDER_WAY).await;
        }
    }

    /// Deletes the key of this name if its tags name the stack. Safe to repeat.
    ///
    /// # Errors
    ///
    /// If its tags cannot be read or it cannot be deleted, with the attempts.
    pub async fn remove(&self, name: &KeyName, stack_id: &str) -> Result<Outcome, GaveUp<PlatformError>> {
        match self.call(Situation::Settled, || self.keys.tags(name)).await?.value {
            None => return Ok(Outcome::Absent),
            Some(tags) if !is_of_stack(&tags, stack_id) => return Ok(Outcome::Retained),
            Some(_) => {}
        }
        match self.call(Situation::Settled, || self.keys.delete(name)).await {
            Ok(_) => Ok(Outcome::Deleted),
            // It was there a moment ago: an attempt whose answer was lost has deleted it, or another run has.
            Err(gave_up) if gave_up.last.class() == ErrorClass::NotFound => Ok(Outcome::Deleted),
            Err(gave_up) => Err(gave_up),
        }
    }

    async fn find(
        &self,
        name: &KeyName,
        owner: &KeyOwner,
        current: Option<&KeyId>,
    ) -> Result<Option<PublicKey>, KeyError> {
        let stored = self.call(Situation::Settled, || self.keys.read(name)).await?.value;
        let Some(StoredKey { key, is_original }) = stored else { return Ok(None) };
        let Some(tags) = self.call(Situation::Settled, || self.keys.tags(name)).await?.value else { return Ok(None) };
        let public_key = key.public_key();
        let found = KeyId { name: name.clone(), public_key: Some(public_key.clone()) };
        let is_created = is_original && owner.created(&tags);
        if is_created || (is_of_stack(&tags, &owner.stack_id) && self.is_known(&found, current).await?) {
            Ok(Some(public_key))
        } else {
            Err(KeyError::Foreign(name.clone()))
        }
    }

    /// Whether the resource has this key, or had it before the update that is rolled back now.
    async fn is_known(&self, found: &KeyId, current: Option<&KeyId>) -> Result<bool, KeyError> {
        let Some(current) = current else { return Ok(false) };
        if current.name == found.name {
            return Ok(current == found);
        }
        let Some(public_key) = &current.public_key else { return Ok(false) };
        // The holder of a stolen key could sign for a key to come.
        if found.name.version() >= current.name.version() {
            return Ok(false);
        }
        let tags = self.call(Situation::Settled, || self.keys.tags(&current.name)).await?.value;
        Ok(tags.is_some_and(|tags| vouches(public_key, &tags, found)))
    }

    async fn call<T, Call, Answer>(
        &self,
        situation: Situation,
        call: Call,
    ) -> Result<Attempted<T>, GaveUp<PlatformError>>
    where
        T: Send,
        Call: FnMut() -> Answer + Send,
        Answer: Future<Output = Result<T, PlatformError>> + Send,
    {
        retry(&self.clock, situation.with(Rights::JustGranted), call, self.listener).await
    }
}
