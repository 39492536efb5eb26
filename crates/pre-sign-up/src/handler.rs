//! The service: event in, decision, event out.

use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::sign_up::{Decision, Policy, SignUp, decide};
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::tower::util::MapRequestLayer;
use lambda_runtime::{LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde_json::value::RawValue;
use time::OffsetDateTime;

use crate::event::Event;
use crate::failure::Failure;

/// Serves Lambda's invocations by a policy, until Lambda ends the process.
///
/// # Errors
/// Where the runtime API cannot be reached.
pub async fn serve(policy: Policy) -> Result<(), lambda_runtime::Error> {
    serve_by(move |event| handle(&policy, event, OffsetDateTime::now_utc())).await
}

/// Serves Lambda's invocations by any handler. Whatever happens in it, the next event is served.
///
/// # Errors
/// Where the runtime API cannot be reached.
pub async fn serve_by(
    handler: impl Fn(Box<RawValue>) -> Result<Box<RawValue>, Failure>,
) -> Result<(), lambda_runtime::Error> {
    let service = service_fn(move |event: LambdaEvent<Box<RawValue>>| ready(guarded(|| handler(event.payload))));
    Runtime::new(service).layer(MapRequestLayer::new(json_only)).layer(TracingLayer::new()).run().await
}

/// Decides one sign-up.
///
/// # Errors
/// [`Failure::Refused`] if the policy rejects it; [`Failure::UnreadableEvent`] if the event is no object or cannot hold the flags.
pub fn handle(policy: &Policy, event: Box<RawValue>, now: OffsetDateTime) -> Result<Box<RawValue>, Failure> {
    let view = Event::read(&event)?;
    let sign_up = view.sign_up();
    let decision = decide(policy, &sign_up, now);
    let answer = match &decision {
        Decision::Unchanged => Ok(view.with(None)?.unwrap_or(event)),
        Decision::Admit { grants, .. } => Ok(view.with(Some(*grants))?.unwrap_or(event)),
        Decision::Refuse(refusal) => Err(Failure::Refused(*refusal)),
    };
    log(&sign_up, &decision);
    answer
}

/// One line for each sign-up, with nothing of what the person wrote. The id of an invitation is what the audit of its issue has.
fn log(sign_up: &SignUp, decision: &Decision) {
    let source = match sign_up {
        SignUp::SelfSignUp(_) => "SelfSignUp",
        SignUp::Administrator => "Administrator",
        SignUp::ExternalProvider { .. } => "ExternalProvider",
        SignUp::Unknown => "Unknown",
    };
    let (decision, grants, invitation, refusal) = match decision {
        Decision::Unchanged => ("Unchanged", None, None, None),
        Decision::Admit { grants, invitation } => ("Admit", Some(grants), invitation.as_deref(), None),
        Decision::Refuse(refusal) => ("Refuse", None, None, Some(refusal)),
    };
    tracing::info!(
        source,
        decision,
        confirm = grants.map(|grants| grants.confirm),
        verify_email = grants.map(|grants| grants.verify_email),
        verify_phone = grants.map(|grants| grants.verify_phone),
        invitation,
        refusal = refusal.map(tracing::field::display),
        "sign-up decided"
    );
}

/// Turns a panic into a failure. The runtime does that too, but it would hand the panic's text to the person signing up.
fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // A handler only reads what it shares with the next call, so a panic leaves nothing half done.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Failure::Panicked))
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
    use domain::sign_up::{AutoConfirm, Refusal};

    use super::*;

    const SIGN_UP: &str = r#"{"triggerSource":"PreSignUp_SignUp","response":{"autoConfirmUser":false,"autoVerifyEmail":false,"autoVerifyPhone":false}}"#;

    fn answer(policy: &Policy, event: &str) -> Result<String, Failure> {
        let event = RawValue::from_string(event.to_owned()).unwrap();
        handle(policy, event, OffsetDateTime::UNIX_EPOCH).map(|event| event.get().to_owned())
    }

    fn nobody() -> Policy {
        Policy { auto_confirm: AutoConfirm::Nobody, ..Policy::default() }
    }

    #[test]
    fn a_sign_up_is_confirmed_left_or_refused_as_the_policy_says() {
        let confirmed = SIGN_UP.replacen("false", "true", 1);
        assert_eq!(answer(&Policy::default(), SIGN_UP), Ok(confirmed));
        assert_eq!(answer(&nobody(), SIGN_UP), Ok(SIGN_UP.to_owned()));
        let closed = Policy { denied_email_domains: "example.com".parse().unwrap(), ..Policy::default() };
        assert_eq!(answer(&closed, SIGN_UP), Err(Failure::Refused(Refusal::NoEmail)));
    }

    #[test]
    fn an_event_that_is_left_alone_comes_back_to_the_byte() {
        let flags = r#"{ "autoConfirmUser" : false, "autoVerifyEmail":false, "autoVerifyPhone":false, "new": 1e400 }"#;
        for source in ["PreSignUp_New", "PreSignUp_AdminCreateUser", "PreSignUp_SignUp"] {
            let event = format!(r#"{{"triggerSource" : "{source}", "response": {flags} }}"#);
            assert_eq!(answer(&nobody(), &event), Ok(event));
        }
    }

    #[test]
    fn deep_nesting_does_not_reach_the_end_of_the_stack() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for place in [r#"{"request":"#, r#"{"request":{"userAttributes":{"email":"#, r#"{"x":{"clientMetadata":"#] {
            let closing = "}".repeat(place.matches('{').count() - 1);
            let event = SIGN_UP.replacen('{', &format!("{place}{deep}{closing},"), 1);
            assert_eq!(answer(&Policy::default(), &event), Ok(event.replacen("false", "true", 1)), "{place}");
        }
        assert_eq!(answer(&Policy::default(), &deep), Err(Failure::UnreadableEvent));
    }

    #[test]
    fn a_panic_becomes_a_failure_without_its_text() {
        let failed: Result<(), Failure> = guarded(|| panic!("mia@example.com"));
        assert_eq!(failed, Err(Failure::Panicked));
        assert_eq!(guarded(|| Ok(1)), Ok(1));
        assert_eq!(guarded(|| Err::<(), _>(Failure::UnreadableEvent)), Err(Failure::UnreadableEvent));
    }
}
