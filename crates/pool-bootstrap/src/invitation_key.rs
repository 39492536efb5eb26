//! Ensures or deletes the invitation signing key within the deadline of the invocation.

use std::sync::Arc;
use std::time::SystemTime;

use domain::invitation::{EnsuredKey, InvitationKeys, KeyError, KeyId, KeyName, KeyOwner, KeyProvisioner, SigningKey};
use domain::provision::Outcome;
use domain::retry::Clock;
use rand::TryRng;
use rand::rngs::{SysError, SysRng};

use crate::run::{Log, RunError, within_deadline};

/// Ensures that a key of this owner exists under this name. Returns its public key.
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
        let provisioner = KeyProvisioner { keys: &*keys, clock, listener: &Log };
        Ok(provisioner.ensure(&name, &owner, current.as_ref(), &fresh).await?)
    };
    within_deadline(work, deadline).await?
}

/// Deletes the key with this name if the stack owns it.
pub(crate) async fn remove(
    keys: &Arc<dyn InvitationKeys>,
    name: KeyName,
    stack_id: String,
    deadline: SystemTime,
) -> Result<Outcome, RunError> {
    let keys = Arc::clone(keys);
    let work = move |clock: Arc<dyn Clock>| async move {
        let provisioner = KeyProvisioner { keys: &*keys, clock, listener: &Log };
        Ok(provisioner.remove(&name, &stack_id).await.map_err(KeyError::from)?)
    };
    within_deadline(work, deadline).await?
}

/// Generates a key from the random number generator of the operating system.
fn fresh_key() -> Result<SigningKey, SysError> {
    let mut seed = [0; 32];
    SysRng.try_fill_bytes(&mut seed)?;
    Ok(SigningKey::from_seed(&seed))
}
