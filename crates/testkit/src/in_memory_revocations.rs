//! An in-memory store of revocations.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use domain::revocation::{Revocation, Revocations, RevocationsUnavailable, Scope, Stored};

/// Stores revocations in memory, and can fail.
#[derive(Debug, Default)]
pub struct InMemoryRevocations {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    revocations: HashMap<Scope, Revocation>,
    fault: Option<Fault>,
    reads: usize,
    writes: usize,
}

/// How the store fails. A failed write has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Every call returns an error.
    Unavailable,
    /// The write with this number, from 1, returns an error.
    Write(usize),
    /// No call returns.
    Stalled,
}

#[derive(Clone, Copy)]
enum Call {
    Read,
    Write,
}

impl InMemoryRevocations {
    /// Makes later calls fail, or succeed again.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.with(|state| state.fault = fault);
    }

    /// Returns all revocations.
    pub fn all(&self) -> HashMap<Scope, Revocation> {
        self.with(|state| state.revocations.clone())
    }

    /// Returns the number of reads.
    pub fn reads(&self) -> usize {
        self.with(|state| state.reads)
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a call, and fails as planned.
    async fn begin(&self, call: Call) -> Result<(), RevocationsUnavailable> {
        let (operation, number) = self.with(|state| match call {
            Call::Read => {
                state.reads += 1;
                ("BatchGetItem", None)
            }
            Call::Write => {
                state.writes += 1;
                ("UpdateItem", Some(state.writes))
            }
        });
        match self.with(|state| state.fault) {
            Some(Fault::Stalled) => pending().await,
            Some(Fault::Write(failed)) if number != Some(failed) => Ok(()),
            Some(_) => Err(RevocationsUnavailable { operation, source: "out of order".into() }),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Revocations for InMemoryRevocations {
    async fn revocations(&self, scopes: &[Scope]) -> Result<Stored, RevocationsUnavailable> {
        self.begin(Call::Read).await?;
        let stored = |state: &mut State| {
            let revocation = |scope: &Scope| Some((scope.clone(), *state.revocations.get(scope)?));
            scopes.iter().filter_map(revocation).collect()
        };
        Ok(self.with(stored))
    }

    async fn revoke(&self, scope: &Scope, revocation: Revocation, _now: u64) -> Result<(), RevocationsUnavailable> {
        self.begin(Call::Write).await?;
        self.with(|state| {
            let stored = state.revocations.entry(scope.clone()).or_default();
            *stored = stored.and(revocation);
        });
        Ok(())
    }
}
