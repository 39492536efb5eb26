//! When a failed call is made again, and after how long: the class of the error, the attempts so far and the time left decide.
//!
//! This is the only retry there is in provisioning: the SDK's own is off there, because it knows neither which calls make a second
//! one when they are repeated, nor how much time is left. The decision is pure; [`retry`] acts on it, with the clock and the
//! randomness handed in. The loop itself is `backon`'s.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use backon::Retryable;
use time::OffsetDateTime;

use crate::error_chain::causes;
use crate::secret::Secret;

/// What an error of AWS means for whoever made the call. Each AWS error code has one row in `aws/src/classify.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Too many requests. The call did nothing.
    Throttled,
    /// The service failed, broke the connection or did not answer. Whether the call took effect is unknown.
    OutcomeUnknown,
    /// Somebody else changes the same thing at this moment. The call did nothing.
    ConcurrentModification,
    /// IAM does not see a principal named in the policy yet, or a service does not see a role yet.
    PrincipalNotVisibleYet,
    /// Cognito could not call the trigger: its permission is not visible yet, or the function is broken. The call did nothing.
    TriggerNotInvoked,
    /// The identity pool cannot take the role (yet): IAM has not propagated it, or trust or wiring is wrong.
    RoleNotAssumable,
    /// A downstream service of AWS failed. The call did nothing.
    ExternalService,
    /// Two writes collided: to be read again and reconciled.
    Conflict,
    /// There is no such thing. Right after a create: IAM may not show it yet.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// The account has no room for more.
    QuotaExceeded,
    /// We lack a permission.
    Forbidden,
    /// The sign-up policy (trigger, or a pool without self sign-up) refused.
    SignUpRefused,
    /// The request itself is wrong, and stays so.
    Invalid,
    /// An answer that makes no sense, or a request that could not be built.
    Unexpected,
}

/// Which situation a call is made in: the same class can be hopeless in one and a matter of moments in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Situation {
    /// An ordinary call, on things that have been there for long. Safe to repeat: a read, a delete, a write that converges.
    Settled,
    /// A create, or whatever else makes a second one when it is repeated. Where its outcome is unknown, the caller looks.
    Creating,
    /// A call on an IAM role or policy that was created moments ago.
    JustCreated,
    /// A delete of an IAM role or policy, right after it was detached.
    JustDetached,
    /// The credentials probe: trust and wiring have been checked and are right, only IAM's propagation is awaited.
    AwaitingPropagation,
}

/// How long the process that makes a call has had its rights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rights {
    /// The rights are settled. A denied call stays denied.
    #[default]
    Settled,
    /// The rights may be new, so IAM may still deny a call that the role allows. A deployment changes the role of a function right before it
    /// invokes the function.
    JustGranted,
}

/// The situation of a call and the rights of the process that makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The situation of the call.
    pub situation: Situation,
    /// The rights of the process.
    pub rights: Rights,
}

impl Situation {
    /// The situation of a call by a process with these rights.
    #[must_use]
    pub const fn with(self, rights: Rights) -> Context {
        Context { situation: self, rights }
    }
}

/// With settled rights.
impl From<Situation> for Context {
    fn from(situation: Situation) -> Self {
        situation.with(Rights::Settled)
    }
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Make the call again after so long.
    Wait(Duration),
    /// It is of no use.
    GiveUp,
}

/// Waits between credential probes, then [`PROBE_INTERVAL`] each. Dense at first because most roles propagate within seconds.
const FIRST_PROBES: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// IAM propagation takes 2 to 12 s, rarely a minute: probing every 2 s wastes 2 s at the most.
const PROBE_INTERVAL: Duration = Duration::from_secs(2);

/// How long `NoSuchEntity` is believed to be propagation, after a create.
const VISIBILITY_LIMIT: Duration = Duration::from_secs(5);

/// How long `DeleteConflict` is believed to be propagation, after a detachment: as long as IAM takes at its slowest.
pub(crate) const DETACHMENT_LIMIT: Duration = Duration::from_mins(1);

/// How long "Invalid principal in policy" is believed to be propagation. Terraform's provider waits as long.
const PRINCIPAL_LIMIT: Duration = Duration::from_mins(2);

/// How long a trigger that cannot be called is believed to be propagation of its permission.
const TRIGGER_LIMIT: Duration = Duration::from_secs(30);

/// How long "access denied" is believed to be propagation of a right; the last attempt included.
const PERMISSION_LIMIT: Duration = Duration::from_secs(30);

/// How often a throttled call is made.
const THROTTLED_ATTEMPTS: u32 = 6;

/// How often a call that is safe to repeat is made where nobody knows what became of it.
const UNKNOWN_ATTEMPTS: u32 = 4;

/// How often a call is made that collided with another write. Updates read again before they write.
const CONFLICT_ATTEMPTS: u32 = 3;

/// How often a call that met a concurrent change is made.
const CONCURRENT_ATTEMPTS: u32 = 5;

/// How often a call is made whose downstream service failed.
const EXTERNAL_SERVICE_ATTEMPTS: u32 = 3;

/// Decides what follows a failed attempt, `elapsed` after the first one began, with `time_left` until the work must be done.
/// `attempts` (1 is the first) counts those that failed with this class: a single throttled probe is no sixth one, however long it
/// was probed before.
///
/// `jitter` is a random number from 0 to 1: waits are shortened by up to a fifth of themselves, so that callers who failed
/// together do not come back together.
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
            Some(doubled(Duration::from_millis(500), attempts, Duration::from_secs(8)))
        }
        (ErrorClass::ConcurrentModification, _) if attempts < CONCURRENT_ATTEMPTS => {
            Some(doubled(Duration::from_millis(50), attempts, Duration::from_secs(1)))
        }
        (ErrorClass::ExternalService, _) if attempts < EXTERNAL_SERVICE_ATTEMPTS => {
            Some(doubled(Duration::from_millis(250), attempts, Duration::from_secs(2)))
        }
        (ErrorClass::Conflict, _) if attempts < CONFLICT_ATTEMPTS => {
            Some(doubled(Duration::from_millis(250), attempts, Duration::from_secs(2)))
        }
        // A create must never be repeated blindly.
        (ErrorClass::OutcomeUnknown, Situation::Creating) => None,
        (ErrorClass::OutcomeUnknown, _) if attempts < UNKNOWN_ATTEMPTS => {
            Some(doubled(Duration::from_millis(250), attempts, Duration::from_secs(2)))
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

fn doubled(first: Duration, attempts: u32, longest: Duration) -> Duration {
    let factor = 2_u32.saturating_pow(attempts.saturating_sub(1));
    first.saturating_mul(factor).min(longest)
}

/// Time and chance. One clock serves one piece of work: [`Clock::time_left`] counts towards its end.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Time since some fixed moment.
    fn now(&self) -> Duration;

    /// Time until the work must be done, with the answer on its way.
    fn time_left(&self) -> Duration;

    /// Waits.
    async fn sleep(&self, duration: Duration);

    /// The date and time.
    fn wall_time(&self) -> OffsetDateTime;

    /// A random number from 0 to 1.
    fn jitter(&self) -> f64;

    /// 32 random hexadecimal digits from a source that is fit for passwords.
    fn nonce(&self) -> Secret;
}

/// A clock that goes on for a while after the end of another one: for what has to be done even then.
pub(crate) struct Overtime {
    clock: Arc<dyn Clock>,
    end: Duration,
}

impl Overtime {
    /// At least so much time, from now on.
    pub(crate) fn on(clock: &Arc<dyn Clock>, at_least: Duration) -> Self {
        Self { clock: Arc::clone(clock), end: clock.now() + at_least }
    }
}

#[async_trait]
impl Clock for Overtime {
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

/// An error that knows its class.
pub trait Classified {
    /// The class.
    fn class(&self) -> ErrorClass;
}

/// A result, and what it took to get there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempted<T> {
    /// What the last attempt gave.
    pub value: T,
    /// How many attempts were made.
    pub attempts: u32,
    /// From the beginning of the first attempt to the end of the last.
    pub elapsed: Duration,
}

/// The last error, with how long and how often was tried.
#[derive(Debug)]
pub struct GaveUp<E> {
    /// How many attempts were made.
    pub attempts: u32,
    /// From the beginning of the first attempt to the end of the last.
    pub elapsed: Duration,
    /// What the last attempt gave.
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

/// The cause is that of the last error, whose own words stand in front of the attempts.
impl<E: Error> Error for GaveUp<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.last.source()
    }
}

/// A call that did not work, and will be made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// How often it was made so far.
    pub attempts: u32,
    /// After how long it is made again.
    pub wait: Duration,
    /// What the last attempt gave, in one line.
    pub because: String,
}

/// Hears of every attempt that will be followed by another one.
pub trait Listener: Send + Sync {
    /// A call did not work, and will be made again.
    fn waiting(&self, waiting: &Waiting);
}

/// Calls until it works or [`decide`] says that it is of no use.
///
/// # Errors
///
/// The last error, never an earlier one, with attempts and time.
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
    let attempts = AtomicU32::new(0);
    let mut of_class = HashMap::new();
    let elapsed = || clock.now().saturating_sub(began);
    let counted = || {
        attempts.fetch_add(1, Ordering::Relaxed);
        call()
    };
    let next = |last: &E, _| {
        let of_class = of_class.entry(last.class()).or_insert(0);
        *of_class += 1;
        match decide(last.class(), context, *of_class, elapsed(), clock.time_left(), clock.jitter()) {
            Next::Wait(wait) => Some(wait),
            Next::GiveUp => None,
        }
    };
    let tell = |last: &E, wait| {
        listener.waiting(&Waiting { attempts: attempts.load(Ordering::Relaxed), wait, because: causes(last) });
    };
    let sleeper = Arc::clone(clock);
    // Boxed, so that the compiler has to see only here that it can be sent to another thread.
    let retried: Pin<Box<dyn Future<Output = Result<T, E>> + Send + '_>> = Box::pin(
        counted
            // The waits come from `decide`, which knows the error.
            .retry(std::iter::repeat(Duration::ZERO))
            .adjust(next)
            .notify(tell)
            .sleep(move |wait| {
                let clock = Arc::clone(&sleeper);
                async move { clock.sleep(wait).await }
            })
            .into_future(),
    );
    let result = retried.await;
    let (attempts, elapsed) = (attempts.load(Ordering::Relaxed), elapsed());
    match result {
        Ok(value) => Ok(Attempted { value, attempts, elapsed }),
        Err(last) => Err(GaveUp { attempts, elapsed, last }),
    }
}

#[cfg(test)]
mod tests;
