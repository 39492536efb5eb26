//! Creates an invitation signing key exactly once, adopts it only if it provably belongs to this stack, and deletes it.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::key_owner::{is_of_stack, vouches};
use super::{InvitationKeys, KeyId, KeyName, KeyOwner, PublicKey, SigningKey, StoredKey};
use crate::platform::PlatformError;
use crate::provision::Outcome;
use crate::retry::{Attempted, Classified, Clock, ErrorClass, GaveUp, Listener, Rights, Situation, retry};

/// The maximum number of create calls.
const ROUNDS: u32 = 5;

/// The delay before the next create call. The previous call may still be in progress.
const CREATE_DELAY: Duration = Duration::from_secs(1);

/// Creates and deletes invitation signing keys, and retries failed calls. Denied calls are also retried, because the
/// deployment may just have granted the permissions.
#[derive(Clone)]
pub struct KeyProvisioner<'a> {
    /// The store of the keys.
    pub keys: &'a dyn InvitationKeys,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
    /// Receives each retry.
    pub listener: &'a dyn Listener,
}

/// A key that exists in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnsuredKey {
    /// The public key.
    pub public_key: PublicKey,
    /// Whether the key was created, adopted or unchanged.
    pub outcome: Outcome,
}

/// Why a key cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] GaveUp<PlatformError>),
    /// The stored key was not created by this stack, or its value was changed. Poolkeeper leaves the key unchanged.
    #[error(
        "the parameter {0} exists, but this stack did not create it or its value was changed; find out who created or \
         changed the parameter, then deploy with a higher InvitationKeyVersion to create a new key"
    )]
    Foreign(KeyName),
}

impl KeyProvisioner<'_> {
    /// Ensures that a key exists under this name. Stores `fresh` if none exists. Safe to run concurrently, and to
    /// repeat after a crash or a lost response: every run returns the same key. A stored key is never replaced, because
    /// invitations may have been signed with it.
    ///
    /// `current` is the resource's physical id in CloudFormation. An existing key is returned only if its tags name the
    /// stack and one of these conditions holds:
    ///
    /// - The tags prove that this request created the key.
    /// - `current` contains the key's public key.
    /// - The key of `current` vouches for the key.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::Foreign`] for any other key, and [`KeyError::Call`] if the key cannot be read or created.
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
            if round == ROUNDS || CREATE_DELAY >= self.clock.time_left() {
                return Err(gave_up.into());
            }
            self.clock.sleep(CREATE_DELAY).await;
        }
    }

    /// Deletes the key of this name if its tags name the stack. Safe to repeat.
    ///
    /// # Errors
    ///
    /// Returns an error with the number of attempts if the tags cannot be read or the key cannot be deleted.
    pub async fn remove(&self, name: &KeyName, stack_id: &str) -> Result<Outcome, GaveUp<PlatformError>> {
        match self.call(Situation::Settled, || self.keys.tags(name)).await?.value {
            None => return Ok(Outcome::Absent),
            Some(tags) if !is_of_stack(&tags, stack_id) => return Ok(Outcome::Retained),
            Some(_) => {}
        }
        match self.call(Situation::Settled, || self.keys.delete(name)).await {
            Ok(_) => Ok(Outcome::Deleted),
            // The key existed before this call, so another run, or an attempt with a lost response, deleted it.
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

    /// Whether the resource has this key, or had it before the update that is being rolled back.
    async fn is_known(&self, found: &KeyId, current: Option<&KeyId>) -> Result<bool, KeyError> {
        let Some(current) = current else { return Ok(false) };
        if current.name == found.name {
            return Ok(current == found);
        }
        let Some(public_key) = &current.public_key else { return Ok(false) };
        // A stolen key could vouch for a future key.
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
