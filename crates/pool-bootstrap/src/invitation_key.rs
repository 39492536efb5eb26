//! Ensures that the private key of the pool's invitations exists, and deletes it, within the time that the invocation has.
//!
//! `domain::invitation` creates it once and proves whose it is.

use std::sync::Arc;
use std::time::SystemTime;

use domain::invitation::{EnsuredKey, InvitationKeys, KeyError, KeyId, KeyName, KeyOwner, KeyProvisioner, SigningKey};
use domain::provision::Outcome;
use domain::retry::Clock;
use rand::TryRng;
use rand::rngs::{SysError, SysRng};

use crate::run::{Log, RunError, in_time};

/// Ensures that a key of this owner exists under this name. Returns its public half.
pub(crate) async fn ensure(
    keys: &Arc<dyn InvitationKeys>,
    name: &KeyName,
    owner: KeyOwner,
    current: Option<KeyId>,
    deadline: SystemTime,
) -> Result<EnsuredKey, RunError> {
    let (keys, name) = (Arc::clone(keys), name.clone());
    let work = move |clock: Arc<dyn Clock>| async move {
        let fresh = fresh_key()?;
        let keeper = KeyProvisioner { keys: &*keys, clock, listener: &Log };
        Ok(keeper.ensure(&name, &owner, current.as_ref(), &fresh).await?)
    };
    in_time(work, deadline).await?
}

/// Deletes the key of this name if it belongs to the stack.
pub(crate) async fn remove(
    keys: &Arc<dyn InvitationKeys>,
    name: KeyName,
    stack_id: String,
    deadline: SystemTime,
) -> Result<Outcome, RunError> {
    let keys = Arc::clone(keys);
    let work = move |clock: Arc<dyn Clock>| async move {
        let keeper = KeyProvisioner { keys: &*keys, clock, listener: &Log };
        Ok(keeper.remove(&name, &stack_id).await.map_err(KeyError::from)?)
    };
    in_time(work, deadline).await?
}

/// A key that nobody can guess: of the system's own randomness.
fn fresh_key() -> Result<SigningKey, SysError> {
    let mut seed = [0; 32];
    SysRng.try_fill_bytes(&mut seed)?;
    Ok(SigningKey::from_seed(&seed))
}
