//! The service: event in, decision, event out.

use std::future::ready;
use std::panic::{UnwindSafe, catch_unwind};

use domain::sign_up::{Decision, Policy, decide};
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::tower::util::MapRequestLayer;
use lambda_runtime::{LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde_json::value::RawValue;

use crate::event::Event;
use crate::failure::Failure;

/// Serves Lambda's invocations, until Lambda ends the process.
///
/// # Errors
/// Where the runtime API cannot be reached.
pub async fn serve(policy: Policy) -> Result<(), lambda_runtime::Error> {
    let handler =
        service_fn(move |event: LambdaEvent<Box<RawValue>>| ready(guarded(|| handle(&policy, event.payload))));
    Runtime::new(handler).layer(MapRequestLayer::new(json_only)).layer(TracingLayer::new()).run().await
}

/// Decides one sign-up.
///
/// # Errors
/// [`Failure::UnreadableEvent`] where the event is no object, or cannot hold the flag that is to be set.
pub fn handle(policy: &Policy, event: Box<RawValue>) -> Result<Box<RawValue>, Failure> {
    let view = Event::read(&event)?;
    let source = view.source();
    let decision = decide(policy, source);
    tracing::info!(?source, ?decision, "sign-up decided");
    match decision {
        Decision::Confirm => view.confirmed(),
        Decision::Leave => Ok(event),
    }
}

/// Turns a panic into a failure. The runtime does that too, but it would hand the panic's text to the person signing up.
fn guarded<T>(work: impl FnOnce() -> Result<T, Failure> + UnwindSafe) -> Result<T, Failure> {
    catch_unwind(work).unwrap_or(Err(Failure::Panicked))
}

/// Puts `null`, which is no event either, in the place of what is not JSON. The runtime would answer that by itself, with the
/// parser's words and the names of its types.
fn json_only(mut invocation: LambdaInvocation) -> LambdaInvocation {
    if serde_json::from_slice::<&RawValue>(&invocation.body).is_err() {
        invocation.body = "null".into();
    }
    invocation
}

#[cfg(test)]
mod tests {
    use domain::sign_up::AutoConfirm;

    use super::*;

    const SIGN_UP: &str = r#"{"triggerSource":"PreSignUp_SignUp","response":{"autoConfirmUser":false}}"#;

    fn answer(auto_confirm: AutoConfirm, event: &str) -> Result<String, Failure> {
        let event = RawValue::from_string(event.to_owned()).unwrap();
        handle(&Policy { auto_confirm }, event).map(|event| event.get().to_owned())
    }

    #[test]
    fn a_sign_up_is_confirmed_as_the_policy_says() {
        let confirmed = SIGN_UP.replace("false", "true");
        assert_eq!(answer(AutoConfirm::Everyone, SIGN_UP), Ok(confirmed));
        assert_eq!(answer(AutoConfirm::Nobody, SIGN_UP), Ok(SIGN_UP.to_owned()));
    }

    #[test]
    fn an_event_that_is_left_alone_comes_back_to_the_byte() {
        for event in ["{ }", r#"{"triggerSource" : "PreSignUp_New", "response": [ 1e400 ]}"#] {
            assert_eq!(answer(AutoConfirm::Everyone, event), Ok(event.to_owned()));
        }
    }

    #[test]
    fn deep_nesting_does_not_reach_the_end_of_the_stack() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let event = SIGN_UP.replacen('{', &format!(r#"{{"request":{deep},"#), 1);
        assert_eq!(answer(AutoConfirm::Everyone, &event), Ok(event.replace("false", "true")));
        assert_eq!(answer(AutoConfirm::Everyone, &deep), Err(Failure::UnreadableEvent));
    }

    #[test]
    fn a_panic_becomes_a_failure_without_its_text() {
        let failed: Result<(), Failure> = guarded(|| panic!("mia@example.com"));
        assert_eq!(failed, Err(Failure::Panicked));
        assert_eq!(guarded(|| Ok(1)), Ok(1));
        assert_eq!(guarded(|| Err::<(), _>(Failure::UnreadableEvent)), Err(Failure::UnreadableEvent));
    }
}
