//! The port of the invitation signing key.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::invitation::{InvitationKey, PublicKey, SigningKey};
use domain::user_pool::error::{Reason, UserPoolError};

use super::faults::Faults;

/// The operation in planned faults and errors.
const OPERATION: &str = "invitation_key";

/// A fixed key. Clones share calls and faults.
#[derive(Debug, Clone)]
pub struct InMemoryInvitationKey {
    key: SigningKey,
    faults: Arc<Mutex<Faults>>,
}

impl InMemoryInvitationKey {
    /// A key from this seed.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { key: SigningKey::from_seed(&seed), faults: Arc::default() }
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    /// Makes the `nth` call (from 1, counted from now) fail.
    pub fn fail(&self, nth: usize, reason: Reason) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).plan(OPERATION, nth, reason);
    }

    /// The number of calls.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).calls().len()
    }
}

#[async_trait]
impl InvitationKey for InMemoryInvitationKey {
    async fn invitation_key(&self) -> Result<SigningKey, UserPoolError> {
        let fault = self.faults.lock().unwrap_or_else(PoisonError::into_inner).count(OPERATION);
        fault.map_or_else(|| Ok(self.key.clone()), |reason| Err(UserPoolError::new(OPERATION, reason)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_call_without_fault_returns_the_key() {
        let key = InMemoryInvitationKey::from_seed([7; 32]);
        key.fail(2, Reason::Throttled);
        assert_eq!(key.invitation_key().await.unwrap().public_key(), key.public_key());
        assert_eq!(key.clone().invitation_key().await.unwrap_err().reason, Reason::Throttled);
        assert_eq!(key.invitation_key().await.unwrap().public_key(), key.public_key());
        assert_eq!(key.calls(), 3);
    }
}
