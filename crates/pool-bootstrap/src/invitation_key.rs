//! The private key of the pool's invitations: sees that there is one, and takes it away, within the time that the invocation has.
//!
//! What is made once and never twice is the business of `domain::invitation`.

use std::sync::Arc;
use std::time::SystemTime;

use domain::invitation::{InvitationKeys, Kept, KeyKeeper, KeyName, SigningKey};
use domain::platform::Platform;
use domain::provision::Outcome;
use domain::retry::{Clock, Situation, patiently};
use rand::TryRng;
use rand::rngs::{SysError, SysRng};

use crate::request::KeyProperties;
use crate::run::{Log, RunError, in_time};

/// Sees that there is a key. Gives what is public of it, with the ARN of its parameter.
pub(crate) async fn ensure(
    platform: &Arc<dyn Platform>,
    keys: &Arc<dyn InvitationKeys>,
    wanted: KeyProperties,
    deadline: SystemTime,
) -> Result<(Kept, String), RunError> {
    let (platform, keys) = (Arc::clone(platform), Arc::clone(keys));
    let work = move |clock: Arc<dyn Clock>| async move {
        let fresh = fresh_key()?;
        // Before anything is touched.
        let account_id = patiently(&clock, Situation::Settled, || platform.account_id(), &Log).await?.value;
        let name = wanted.key_name();
        let keeper = KeyKeeper { keys: &*keys, clock, listener: &Log };
        let kept = keeper.ensure(&name, &wanted.pool_name, &fresh).await?;
        Ok((kept, name.arn(platform.region(), &account_id)))
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
