//! Handles invocations: reads the event, asks the old directory, decides, and returns the event with the response.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::migration::{Denial, Flow, LookupError, Migration, OldDirectory, Policy, decide};
use futures::FutureExt as _;
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::tower::util::MapRequestLayer;
use lambda_runtime::{LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde_json::Value;
use startup::{causes, metrics};
use thiserror::Error;

use crate::event::{Request, answered};
use crate::failure::Failure;

/// How long an invocation takes at most. Cognito waits 5 s
/// ([AWS](https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html)).
const TIME_LIMIT: Duration = Duration::from_secs(4);

/// Decides which users move.
pub struct Migrator {
    policy: Policy,
    directory: Arc<dyn OldDirectory>,
    /// The id of the old directory, if it is a user pool.
    old_user_pool_id: Option<String>,
}

/// The trigger received no response from the old directory in time.
#[derive(Debug, Error)]
#[error("no response from the old directory within {} ms", .0.as_millis())]
struct TimedOut(Duration);

impl Migrator {
    /// Creates a migrator. `old_user_pool_id` is the id of the old directory, if it is a user pool.
    #[must_use]
    pub fn new(policy: Policy, directory: Arc<dyn OldDirectory>, old_user_pool_id: Option<String>) -> Self {
        Self { policy, directory, old_user_pool_id }
    }

    /// Decides whether a user moves, and returns the event with the response. The log contains the decision.
    ///
    /// # Errors
    /// Returns a failure if the event cannot be read, or if the old directory does not answer within `time_left`.
    pub async fn handle(&self, event: Value, time_left: Duration) -> Result<Value, Failure> {
        let answer = self.decide(&event, time_left).await;
        match answer {
            Ok(migration) => Ok(answered(event, migration.as_ref())),
            Err(failure) => {
                metrics::failure();
                Err(failure)
            }
        }
    }

    /// Returns the user who moves, or `None` for a user who does not.
    async fn decide(&self, event: &Value, time_left: Duration) -> Result<Option<Migration>, Failure> {
        let request = Request::read(event).inspect_err(|_| tracing::error!("the event cannot be read"))?;
        if self.old_user_pool_id.as_ref() == Some(&request.user_pool_id) {
            tracing::error!("the old user pool is the pool that invokes the trigger");
            return Err(Failure::SamePool);
        }
        let flow = request.flow();
        let decision = tokio::time::timeout(time_left, self.look_up(&request));
        match decision.await.unwrap_or_else(|_| Err(LookupError::unavailable(TimedOut(time_left)))) {
            Ok(migration) => {
                tracing::info!(flow = <&str>::from(flow), decision = "Migrate", "migration decided");
                Ok(Some(migration))
            }
            Err(LookupError::Denied(denial)) => {
                log_denial(flow, denial);
                Ok(None)
            }
            Err(error) => {
                tracing::error!(flow = <&str>::from(flow), error = causes(&error), "no decision");
                Err(Failure::Unavailable)
            }
        }
    }

    async fn look_up(&self, request: &Request) -> Result<Migration, LookupError> {
        let Some(name) = &request.name else { return Err(Denial::Name.into()) };
        let user = match &request.password {
            Some(password) => self.directory.sign_in(name, password).await?,
            None => self.directory.find(name).await?,
        };
        Ok(decide(&self.policy, request.flow(), name, &user)?)
    }
}

/// Logs why a user does not move, without personal data.
fn log_denial(flow: Flow, denial: Denial) {
    let reason = <&str>::from(denial);
    tracing::info!(flow = <&str>::from(flow), decision = "Deny", reason, "migration decided");
}

/// Serves Lambda invocations until Lambda ends the process. `started_at` is the start of the process.
///
/// # Errors
/// Returns an error if the runtime API cannot be reached.
pub async fn serve(migrator: &Migrator, started_at: Instant) -> Result<(), lambda_runtime::Error> {
    let is_first = AtomicBool::new(true);
    let is_first = &is_first;
    let service = service_fn(move |event: LambdaEvent<Value>| {
        let since_start = is_first.swap(false, Ordering::Relaxed).then(|| started_at.elapsed());
        catch_panics(migrator.handle(event.payload, time_left(since_start)))
    });
    Runtime::new(service).layer(MapRequestLayer::new(json_only)).layer(TracingLayer::new()).run().await
}

/// The time limit of an invocation. Cognito already waits during the startup for the first one, unless Lambda started the
/// process in advance.
fn time_left(since_start: Option<Duration>) -> Duration {
    since_start.and_then(|elapsed| TIME_LIMIT.checked_sub(elapsed)).filter(|left| !left.is_zero()).unwrap_or(TIME_LIMIT)
}

/// Converts a panic into a failure. Otherwise, the runtime would send the panic's message to the user.
async fn catch_panics(work: impl Future<Output = Result<Value, Failure>>) -> Result<Value, Failure> {
    // The handler does not modify shared state, so a panic cannot leave it inconsistent.
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or(Err(Failure::Panicked))
}

/// Replaces a body that is not JSON by `null`, which the handler rejects. Otherwise, the runtime would respond with a
/// parser message.
fn json_only(mut invocation: LambdaInvocation) -> LambdaInvocation {
    if serde_json::from_slice::<Value>(&invocation.body).is_err() {
        invocation.body = "null".into();
    }
    invocation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn converts_panic_into_failure_without_its_message() {
        assert_eq!(catch_panics(async { panic!("mia@example.com") }).await, Err(Failure::Panicked));
        assert_eq!(catch_panics(async { Ok(Value::Null) }).await, Ok(Value::Null));
    }

    #[test]
    fn startup_reduces_the_time_of_the_first_invocation() {
        let seconds = Duration::from_millis;
        for (since_start, expected) in [
            (None, 4000),
            (Some(seconds(0)), 4000),
            (Some(seconds(700)), 3300),
            (Some(seconds(3999)), 1),
            // Cognito did not wait, because Lambda started the process in advance.
            (Some(seconds(4000)), 4000),
            (Some(seconds(90_000)), 4000),
        ] {
            assert_eq!(time_left(since_start), seconds(expected), "{since_start:?}");
        }
    }
}
