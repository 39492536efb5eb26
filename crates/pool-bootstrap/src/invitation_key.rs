//! The private key of the pool's invitations: sees that there is one, and takes it away, within the time that the invocation has.
//!
//! What is made once and never twice is the business of `domain::invitation`.

use std::sync::Arc;
use std::time::SystemTime;

use domain::invitation::{InvitationKeys, Kept, KeyKeeper, KeyName, SigningKey};
use domain::provision::Outcome;
use domain::retry::Clock;
use domain::spec::PoolName;
use rand::TryRng;
use rand::rngs::{SysError, SysRng};

use crate::run::{Log, RunError, in_time};

/// Sees that there is a key of this pool under this name. Gives what is public of it.
pub(crate) async fn ensure(
    keys: &Arc<dyn InvitationKeys>,
    name: &KeyName,
    pool: PoolName,
    deadline: SystemTime,
) -> Result<Kept, RunError> {
    let (keys, name) = (Arc::clone(keys), name.clone());
    let work = move |clock: Arc<dyn Clock>| async move {
        let fresh = fresh_key()?;
        let keeper = KeyKeeper { keys: &*keys, clock, listener: &Log };
        Ok(keeper.ensure(&name, &pool, &fresh).await?)
    };
    in_time(work, deadline).await?
}

/// Sees that there is no key of this name.
pub(crate) async fn remove(
    keys: &Arc<dyn InvitationKeys>,
    name: KeyName,
    deadline: SystemTime,
) -> Result<Outcome, RunError> {
    let keys = Arc::clone(keys);
    let work = move |clock: Arc<dyn Clock>| async move {
        let keeper = KeyKeeper { keys: &*keys, clock, listener: &Log };
        Ok(keeper.remove(&name).await?)
    };
    in_time(work, deadline).await?
}

/// A key that nobody can guess: of the system's own randomness.
fn fresh_key() -> Result<SigningKey, SysError> {
    let mut seed = [0; 32];
    SysRng.try_fill_bytes(&mut seed)?;
    Ok(SigningKey::from_seed(&seed))
}
