//! An in-memory AWS account behind the ports [`Platform`](domain::platform::Platform) and
//! [`InvitationKeys`](domain::invitation::InvitationKeys).
//!
//! It emulates tags, trust policies, IAM's propagation delay and cascading deletions. It injects planned faults.

mod faults;
mod iam;
mod identity_pools;
mod invitation_keys;
mod platform;
#[cfg(feature = "backup")]
mod pool_source;
mod state;
mod user_pools;
mod users;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::platform::PlatformError;
use domain::retry::ErrorClass;
use fastrand::Rng;

use crate::virtual_clock::VirtualClock;

pub use faults::Fault;
use faults::Faults;
pub use invitation_keys::Parameter;
pub use state::{Role, State};

/// The account id.
pub const ACCOUNT_ID: &str = "123456789012";

/// The region.
pub const REGION: &str = "eu-west-1";

/// An in-memory AWS account. Clones share the state.
#[derive(Debug, Clone)]
pub struct InMemoryPlatform {
    clock: VirtualClock,
    propagation: Duration,
    state: Arc<Mutex<State>>,
    faults: Arc<Mutex<Faults>>,
    order: Arc<Mutex<Option<Rng>>>,
    longest_lag: Arc<Mutex<Duration>>,
}

type Answer<T> = Result<T, PlatformError>;

impl InMemoryPlatform {
    /// An empty account. A new role can be assumed `propagation` after its creation, as measured by `clock`.
    #[must_use]
    pub fn new(clock: &VirtualClock, propagation: Duration) -> Self {
        Self {
            clock: clock.clone(),
            propagation,
            state: Arc::default(),
            faults: Arc::default(),
            order: Arc::default(),
            longest_lag: Arc::default(),
        }
    }

    /// The state. Tests read it, and change it as another actor would.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans a fault for the `nth` call, from 1, of an operation. Operations have the names of the port's methods.
    pub fn fail(&self, operation: &'static str, nth: usize, fault: Fault) {
        self.faults().plan(operation, nth, fault);
    }

    /// Plans a fault for the `nth` call, from 1, counted from now, of any operation.
    pub fn fail_at(&self, nth: usize, fault: Fault) {
        self.faults().plan_at(nth, fault);
    }

    /// Cancels all planned faults.
    pub fn heal(&self) {
        self.faults().forget();
    }

    /// Makes every call yield to other tasks a random number of times, which shuffles concurrent calls. The seed
    /// determines the numbers.
    pub fn shuffle(&self, seed: u64) {
        *self.order.lock().unwrap_or_else(PoisonError::into_inner) = Some(Rng::with_seed(seed));
    }

    /// Makes list calls return new resources only after a random time of at most this duration. The seed of
    /// [`Self::shuffle`] determines the time.
    pub fn lists_lag(&self, longest: Duration) {
        *self.longest_lag.lock().unwrap_or_else(PoisonError::into_inner) = longest;
    }

    fn lag(&self) -> Duration {
        let longest = *self.longest_lag.lock().unwrap_or_else(PoisonError::into_inner);
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        order.as_mut().map_or(Duration::ZERO, |order| longest.mul_f64(order.f64()))
    }

    /// All calls. Calls for users are named `users.OPERATION`.
    #[must_use]
    pub fn calls(&self) -> Vec<&'static str> {
        self.faults().calls()
    }

    /// The calls that change resources.
    #[must_use]
    pub fn writes(&self) -> Vec<&'static str> {
        const WRITES: [&str; 8] = ["create_", "update_", "delete_", "add_", "attach_", "detach_", "set_", "tag_"];
        let is_write = |call: &&str| WRITES.iter().any(|verb| call.starts_with(verb));
        self.calls().into_iter().filter(is_write).collect()
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn yield_to_others(&self) {
        let times =
            self.order.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map_or(0, |order| order.u8(0..6));
        for _ in 0..times {
            tokio::task::yield_now().await;
        }
    }

    async fn call<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut State) -> Result<T, ErrorClass> + Send,
    ) -> Result<T, PlatformError> {
        self.yield_to_others().await;
        let error = |class: ErrorClass| PlatformError {
            operation,
            class,
            request_id: None,
            source: format!("the platform in memory says {class:?}").into(),
        };
        let fault = self.faults().count(operation);
        match fault {
            None => work(&mut self.state()).map_err(error),
            Some(Fault::NotDone(class)) => Err(error(class)),
            Some(Fault::Stalled) => std::future::pending().await,
            Some(Fault::StalledAfterwards) => {
                work(&mut self.state()).map_err(error)?;
                std::future::pending().await
            }
            Some(Fault::AnswerLost) => {
                work(&mut self.state()).map_err(error)?;
                Err(error(ErrorClass::OutcomeUnknown))
            }
            #[expect(clippy::panic, reason = "the planned fault")]
            Some(Fault::Panic) => panic!("a planned panic"),
        }
    }
}
