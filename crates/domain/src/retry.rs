//! Decides whether and when a failed call is retried, from the error class, the attempts so far and the remaining time.
//!
//! Provisioning disables the SDK's retries, because the SDK knows neither which calls are safe to repeat nor the
//! deadline. `aws/src/clients.rs` configures the SDK's retries of the admin API's calls.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::error_chain::causes;
use crate::secret::Secret;

/// What an AWS error means for the caller. Each AWS error code has one row in `aws/src/classify.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Too many requests. The call had no effect.
    Throttled,
    /// The service failed, closed the connection or did not respond. The effect of the call is unknown.
    OutcomeUnknown,
    /// A concurrent call changes the same resource. The call had no effect.
    ConcurrentModification,
    /// A principal in a policy is not visible to IAM yet, or a role is not visible to a service yet.
    PrincipalNotVisibleYet,
    /// Cognito could not invoke the trigger, because its permission is not visible yet or the function fails. The call
    /// had no effect.
    TriggerNotInvoked,
    /// The identity pool cannot assume the role, because IAM has not propagated it or it is misconfigured.
    RoleNotAssumable,
    /// A downstream service of AWS failed. The call had no effect.
    ExternalService,
    /// Two writes collided. The caller must read the current state again.
    Conflict,
    /// The resource does not exist. IAM may not return a new resource yet.
    NotFound,
    /// The name is already in use.
    AlreadyExists,
    /// An account quota is exceeded.
    QuotaExceeded,
    /// The caller lacks a permission.
    Forbidden,
    /// The trigger, or a pool without self sign-up, rejected the sign-up.
    SignUpRefused,
    /// The request is invalid.
    Invalid,
    /// The response is unexpected, or the request could not be built.
    Unexpected,
}

/// The situation of a call, which decides whether an error class is transient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Situation {
    /// A call on resources that were not created recently. The call is safe to repeat: a read, a deletion or an
    /// idempotent write.
    Settled,
    /// A create call, or another call that is not idempotent. If its outcome is unknown, the caller reads the current
    /// state.
    Creating,
    /// A call on an IAM role or policy that was just created.
    JustCreated,
    /// The deletion of an IAM role or policy that was just detached.
    JustDetached,
    /// A request for credentials of a correctly configured role that IAM may not have propagated yet.
    AwaitingPropagation,
}

/// Whether the permissions of the calling process may be new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rights {
    /// The permissions are settled. A denied call stays denied.
    #[default]
    Settled,
    /// The permissions may be new, so IAM may still deny a call that the role allows. A deployment changes the role of
    /// a function right before it invokes the function.
    JustGranted,
}

/// The situation of a call and the permissions of the calling process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The situation of the call.
    pub situation: Situation,
    /// The permissions of the process.
    pub rights: Rights,
}

impl Situation {
    /// Adds the permissions of the calling process.
    #[must_use]
    pub const fn with(self, rights: Rights) -> Context {
        Context { situation: self, rights }
    }
}

/// With settled permissions.
impl From<Situation> for Context {
    fn from(situation: Situation) -> Self {
        situation.with(Rights::Settled)
    }
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Retry after this time.
    Wait(Duration),
    /// Do not retry.
    GiveUp,
}

/// The waits after the first probes, which are short because most roles propagate within seconds. Later waits are
/// [`PROBE_INTERVAL`].
const FIRST_PROBES: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// The wait after each later probe. IAM propagation takes 2 to 12 s, rarely a minute.
const PROBE_INTERVAL: Duration = Duration::from_secs(2);

/// The time after a creation in which `NoSuchEntity` is retried.
const VISIBILITY_LIMIT: Duration = Duration::from_secs(5);

/// The time after a detachment in which `DeleteConflict` is retried: the longest propagation of IAM.
pub(crate) const DETACHMENT_LIMIT: Duration = Duration::from_mins(1);

/// The time in which "Invalid principal in policy" is retried, as in Terraform's provider.
const PRINCIPAL_LIMIT: Duration = Duration::from_mins(2);

/// The time in which a failed invocation of the trigger is retried.
const TRIGGER_LIMIT: Duration = Duration::from_secs(30);

/// The time in which "access denied" is retried, including the last attempt.
const PERMISSION_LIMIT: Duration = Duration::from_secs(30);

/// The maximum number of attempts of a throttled call.
const THROTTLED_ATTEMPTS: u32 = 6;

/// The maximum number of attempts of an idempotent call with an unknown outcome.
const UNKNOWN_ATTEMPTS: u32 = 4;

/// The maximum number of attempts after a write conflict. Updates read again before they write.
const CONFLICT_ATTEMPTS: u32 = 3;

/// The maximum number of attempts after a concurrent modification.
const CONCURRENT_ATTEMPTS: u32 = 5;

/// The maximum number of attempts after a failure of a downstream service.
const EXTERNAL_SERVICE_ATTEMPTS: u32 = 3;

/// Decides what follows a failed attempt. `elapsed` is the time since the start of the first attempt, and `time_left`
/// is the time until the deadline. `attempts` counts only the attempts that failed with this class, so the first
/// throttled probe counts as one attempt, even after many other failures.
///
/// `jitter` is a random number from 0 to 1 that shortens the wait by up to a fifth, so that concurrent callers do not
/// retry at the same time.
#[must_use]
pub fn decide(
    class: ErrorClass,
    context: impl Into<Context>,
    attempts: u32,
    elapsed: Duration,
    time_left: Duration,
    jitter: f64,
) -> Next {
    let Context { situation, rights } = context.into();
    let wait = match (class, situation) {
        (ErrorClass::RoleNotAssumable, Situation::AwaitingPropagation) => Some(probe_wait(attempts)),
        (ErrorClass::PrincipalNotVisibleYet, _) => probe_until(PRINCIPAL_LIMIT, elapsed, attempts),
        (ErrorClass::TriggerNotInvoked, _) => probe_until(TRIGGER_LIMIT, elapsed, attempts),
        (ErrorClass::NotFound, Situation::JustCreated) => probe_until(VISIBILITY_LIMIT, elapsed, attempts),
        (ErrorClass::Conflict, Situation::JustDetached) => probe_until(DETACHMENT_LIMIT, elapsed, attempts),
        (ErrorClass::Forbidden, _) if rights == Rights::JustGranted => {
            probe_until(PERMISSION_LIMIT, elapsed + probe_wait(attempts), attempts)
        }
        (ErrorClass::Throttled, _) if attempts < THROTTLED_ATTEMPTS => {
            Some(backoff(Duration::from_millis(500), attempts, Duration::from_secs(8)))
        }
        (ErrorClass::ConcurrentModification, _) if attempts < CONCURRENT_ATTEMPTS => {
            Some(backoff(Duration::from_millis(50), attempts, Duration::from_secs(1)))
        }
        (ErrorClass::ExternalService, _) if attempts < EXTERNAL_SERVICE_ATTEMPTS => {
            Some(backoff(Duration::from_millis(250), attempts, Duration::from_secs(2)))
        }
        (ErrorClass::Conflict, _) if attempts < CONFLICT_ATTEMPTS => {
            Some(backoff(Duration::from_millis(250), attempts, Duration::from_secs(2)))
        }
        // A create call is not idempotent.
        (ErrorClass::OutcomeUnknown, Situation::Creating) => None,
        (ErrorClass::OutcomeUnknown, _) if attempts < UNKNOWN_ATTEMPTS => {
            Some(backoff(Duration::from_millis(250), attempts, Duration::from_secs(2)))
        }
        _ => None,
    };
    match wait.map(|wait| wait.mul_f64(1.0 - 0.2 * jitter.clamp(0.0, 1.0))) {
        Some(wait) if wait < time_left => Next::Wait(wait),
        _ => Next::GiveUp,
    }
}

fn probe_wait(attempts: u32) -> Duration {
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    FIRST_PROBES.get(index).copied().unwrap_or(PROBE_INTERVAL)
}

fn probe_until(limit: Duration, elapsed: Duration, attempts: u32) -> Option<Duration> {
    (elapsed < limit).then(|| probe_wait(attempts))
}

fn backoff(first: Duration, attempts: u32, longest: Duration) -> Duration {
    let factor = 2_u32.saturating_pow(attempts.saturating_sub(1));
    first.saturating_mul(factor).min(longest)
}

/// Time and randomness for one operation. [`Clock::time_left`] counts down to its deadline.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time since a fixed point in the past.
    fn now(&self) -> Duration;

    /// The time until the deadline.
    fn time_left(&self) -> Duration;

    /// Waits.
    async fn sleep(&self, duration: Duration);

    /// The date and time.
    fn wall_time(&self) -> OffsetDateTime;

    /// A random number from 0 to 1.
    fn jitter(&self) -> f64;

    /// 32 random hexadecimal digits from a cryptographically secure source.
    fn nonce(&self) -> Secret;
}

/// A clock with a grace period after the deadline of another clock, for clean-up.
pub(crate) struct GraceClock {
    clock: Arc<dyn Clock>,
    end: Duration,
}

impl GraceClock {
    /// Creates a clock with at least this time left.
    pub(crate) fn new(clock: &Arc<dyn Clock>, at_least: Duration) -> Self {
        Self { clock: Arc::clone(clock), end: clock.now() + at_least }
    }
}

#[async_trait]
impl Clock for GraceClock {
    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn time_left(&self) -> Duration {
        self.clock.time_left().max(self.end.saturating_sub(self.clock.now()))
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    fn wall_time(&self) -> OffsetDateTime {
        self.clock.wall_time()
    }

    fn jitter(&self) -> f64 {
        self.clock.jitter()
    }

    fn nonce(&self) -> Secret {
        self.clock.nonce()
    }
}

/// An error with a class.
pub trait Classified {
    /// The class.
    fn class(&self) -> ErrorClass;
}

/// A result with its attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempted<T> {
    /// The result of the last attempt.
    pub value: T,
    /// The number of attempts.
    pub attempts: u32,
    /// The time from the start of the first attempt to the end of the last.
    pub elapsed: Duration,
}

/// The last error with the number and duration of the attempts.
#[derive(Debug)]
pub struct GaveUp<E> {
    /// The number of attempts.
    pub attempts: u32,
    /// The time from the start of the first attempt to the end of the last.
    pub elapsed: Duration,
    /// The last error.
    pub last: E,
}

impl<E: fmt::Display> fmt::Display for GaveUp<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempts {
            1 => self.last.fmt(formatter),
            attempts => {
                write!(formatter, "{}, after {attempts} attempts in {:.1} s", self.last, self.elapsed.as_secs_f64())
            }
        }
    }
}

/// The source is the source of the last error, because the message already contains the last error.
impl<E: Error> Error for GaveUp<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.last.source()
    }
}

/// A failed call that will be retried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The number of attempts so far.
    pub attempts: u32,
    /// The time until the next attempt.
    pub wait: Duration,
    /// The last error, in one line.
    pub because: String,
}

/// Receives every failed attempt that will be retried.
pub trait Listener: Send + Sync {
    /// A call failed and will be retried.
    fn waiting(&self, waiting: &Waiting);
}

/// Makes a call until it succeeds or [`decide`] gives up.
///
/// # Errors
///
/// Returns the last error, with the number and duration of the attempts.
pub async fn retry<T, E, Call, Answer>(
    clock: &Arc<dyn Clock>,
    context: impl Into<Context>,
    mut call: Call,
    listener: &dyn Listener,
) -> Result<Attempted<T>, GaveUp<E>>
where
    T: Send,
    E: Classified + Error + Send + 'static,
    Call: FnMut() -> Answer + Send,
    Answer: Future<Output = Result<T, E>> + Send,
{
    let context = context.into();
    let began = clock.now();
    let mut attempts = 0;
    let mut attempts_by_class = HashMap::new();
    loop {
        attempts += 1;
        let outcome = call().await;
        let elapsed = clock.now().saturating_sub(began);
        let last = match outcome {
            Ok(value) => return Ok(Attempted { value, attempts, elapsed }),
            Err(last) => last,
        };
        let class_attempts = attempts_by_class.entry(last.class()).or_insert(0);
        *class_attempts += 1;
        match decide(last.class(), context, *class_attempts, elapsed, clock.time_left(), clock.jitter()) {
            Next::Wait(wait) => {
                listener.waiting(&Waiting { attempts, wait, because: causes(&last) });
                clock.sleep(wait).await;
            }
            Next::GiveUp => return Err(GaveUp { attempts, elapsed, last }),
        }
    }
}

#[cfg(test)]
mod tests;
