//! A key for invitations in place of the one that the Parameter Store keeps.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::invitation::{InvitationKey, SigningKey};
use domain::user_pool_error::{Reason, UserPoolError};

/// A key that is always the same. Clones share how often it was read, and whether it can be.
#[derive(Clone, Default)]
pub(crate) struct KnownKey(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    reads: usize,
    failure: Option<Reason>,
}

impl KnownKey {
    pub(crate) fn key() -> SigningKey {
        SigningKey::from_seed(&[7; 32])
    }

    /// How often it was read.
    pub(crate) fn reads(&self) -> usize {
        self.0.lock().unwrap().reads
    }

    /// Lets reads fail from now on.
    pub(crate) fn fail(&self, reason: Reason) {
        self.0.lock().unwrap().failure = Some(reason);
    }
}

#[async_trait]
impl InvitationKey for KnownKey {
    async fn invitation_key(&self) -> Result<SigningKey, UserPoolError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.reads += 1;
        state.failure.map_or_else(|| Ok(Self::key()), |reason| Err(UserPoolError::new("GetParameter", reason)))
    }
}
