//! That there is a private key, exactly one under its name; and that there is none any more.
//!
//! The service takes no second key under a name, so whoever is second finds the first one's: two runs at once, a repeat after a lost
//! answer and one after a crash all end with the same key. What is there is never replaced: invitations may have been signed with it.
//!
//! Whoever makes the first key of a stack may have been given the right to it by the same deployment, so a missing right is awaited for a
//! while.

use std::sync::Arc;
use std::time::Duration;

use super::{InvitationKeys, KeyName, PublicKey, SigningKey};
use crate::platform::PlatformError;
use crate::provision::Outcome;
use crate::retry::{Attempted, Classified, Clock, ErrorClass, GaveUp, Listener, Rights, Situation, patiently};
use crate::spec::PoolName;

/// How often a create is sent that left nothing to be found.
const ROUNDS: u32 = 5;

/// How long it is waited before the next one: the one before may still be under way.
const STILL_UNDER_WAY: Duration = Duration::from_secs(1);

/// Makes private keys and takes them away, with the retry that each call deserves.
#[derive(Clone)]
pub struct KeyKeeper<'a> {
    /// Where they are kept.
    pub keys: &'a dyn InvitationKeys,
    /// Time and chance.
    pub clock: Arc<dyn Clock>,
    /// Who hears of calls that are made again.
    pub listener: &'a dyn Listener,
}

/// A key that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its public half.
    pub public_key: PublicKey,
    /// How it came to be there: created, adopted or unchanged.
    pub outcome: Outcome,
}

impl KeyKeeper<'_> {
    /// Makes sure that there is a key of `pool` under this name: the one that is, or `fresh`. Safe to repeat, also after a crash and at
    /// the same moment: everybody hears of the same key.
    ///
    /// # Errors
    /// Where the key cannot be read or made, with the attempts; of class [`ErrorClass::Invalid`] where something else has its name.
    pub async fn ensure(
        &self,
        name: &KeyName,
        pool: &PoolName,
        fresh: &SigningKey,
    ) -> Result<Kept, GaveUp<PlatformError>> {
        if let Some(public_key) = self.find(name).await? {
            return Ok(Kept { public_key, outcome: Outcome::Unchanged });
        }
        let mut round = 0;
        loop {
            round += 1;
            let create = || self.keys.create(name, pool, fresh);
            let Err(gave_up) = self.call(Situation::Creating, create).await else {
                return Ok(Kept { public_key: fresh.public_key(), outcome: Outcome::Created });
            };
            if !matches!(gave_up.last.class(), ErrorClass::OutcomeUnknown | ErrorClass::AlreadyExists) {
                return Err(gave_up);
            }
            if let Some(public_key) = self.find(name).await? {
                return Ok(Kept { public_key, outcome: Outcome::Adopted });
            }
            if round == ROUNDS || STILL_UNDER_WAY >= self.clock.time_left() {
                return Err(gave_up);
            }
            self.clock.sleep(STILL_UNDER_WAY).await;
        }
    }

    /// Makes sure that there is no key under this name. Safe to repeat.
    ///
    /// # Errors
    /// Where it cannot be deleted, with the attempts.
    pub async fn remove(&self, name: &KeyName) -> Result<Outcome, GaveUp<PlatformError>> {
        match self.call(Situation::Settled, || self.keys.delete(name)).await {
            Ok(_) => Ok(Outcome::Deleted),
            // Where an attempt was made before, its answer may have been lost: then it was that one.
            Err(gave_up) if gave_up.last.class() == ErrorClass::NotFound => {
                Ok(if gave_up.attempts > 1 { Outcome::Deleted } else { Outcome::Absent })
            }
            Err(gave_up) => Err(gave_up),
        }
    }

    async fn find(&self, name: &KeyName) -> Result<Option<PublicKey>, GaveUp<PlatformError>> {
        let found = self.call(Situation::Settled, || self.keys.read(name)).await?;
        Ok(found.value.map(|key| key.public_key()))
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
        patiently(&self.clock, situation.with(Rights::JustGranted), call, self.listener).await
    }
}
