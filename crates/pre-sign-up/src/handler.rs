//! Handles invocations: reads the event, decides, and returns the event with the flags.

use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::sign_up::{Decision, Policy, SignUp, decide};
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::tower::util::MapRequestLayer;
use lambda_runtime::{LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde_json::value::RawValue;
use startup::metrics;
use time::OffsetDateTime;

use crate::event::Event;
use crate::failure::Failure;

/// Serves Lambda invocations under a policy until Lambda ends the process.
///
/// # Errors
/// Returns an error if the runtime API cannot be reached.
pub async fn serve(policy: Policy) -> Result<(), lambda_runtime::Error> {
    serve_with(move |event| handle(&policy, event, OffsetDateTime::now_utc())).await
}

/// Serves Lambda invocations with a handler. After a failure or panic of the handler, it serves the next event.
///
/// # Errors
/// Returns an error if the runtime API cannot be reached.
pub async fn serve_with(
    handler: impl Fn(Box<RawValue>) -> Result<Box<RawValue>, Failure>,
) -> Result<(), lambda_runtime::Error> {
    let service = service_fn(move |event: LambdaEvent<Box<RawValue>>| ready(catch_panics(|| handler(event.payload))));
    Runtime::new(service).layer(MapRequestLayer::new(json_only)).layer(TracingLayer::new()).run().await
}

/// Decides one sign-up.
///
/// # Errors
/// Returns [`Failure::Refused`] if the policy rejects the sign-up, and [`Failure::UnreadableEvent`] if the event or its
/// `response` is not an object.
pub fn handle(policy: &Policy, event: Box<RawValue>, now: OffsetDateTime) -> Result<Box<RawValue>, Failure> {
    let answer = decide_event(policy, event, now);
    if matches!(answer, Err(Failure::UnreadableEvent)) {
        metrics::failure();
    }
    answer
}

fn decide_event(policy: &Policy, event: Box<RawValue>, now: OffsetDateTime) -> Result<Box<RawValue>, Failure> {
    let view = Event::read(&event)?;
    let sign_up = view.sign_up();
    let decision = decide(policy, &sign_up, now);
    let answer = match &decision {
        Decision::Unchanged => Ok(view.with(None)?.unwrap_or(event)),
        Decision::Admit { grants, .. } => Ok(view.with(Some(*grants))?.unwrap_or(event)),
        Decision::Refuse(refusal) => Err(Failure::Refused(*refusal)),
    };
    log(&sign_up, &decision);
    count(policy, &sign_up, &decision);
    answer
}

/// Logs one line for each sign-up, without user input. The audit record of an invitation contains the same invitation
/// id.
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

/// Counts the decision by result and rule. Cognito sends a code to users who are not confirmed.
fn count(policy: &Policy, sign_up: &SignUp, decision: &Decision) {
    let confirms = (&policy.auto_confirm).into();
    let (result, rule) = match (decision, sign_up) {
        (Decision::Refuse(refusal), _) => ("rejected", refusal.into()),
        (Decision::Admit { grants, .. }, _) if grants.confirm => ("confirmed", confirms),
        (Decision::Admit { .. }, _) | (Decision::Unchanged, SignUp::SelfSignUp(_)) => ("unconfirmed", confirms),
        (Decision::Unchanged, SignUp::Administrator) => ("unchanged", "administrator"),
        (Decision::Unchanged, SignUp::ExternalProvider { .. }) => ("unchanged", "external-provider"),
        (Decision::Unchanged, SignUp::Unknown) => ("unchanged", "unknown-source"),
    };
    metrics::sign_up(result, rule);
    if result == "unconfirmed" {
        metrics::mail();
    }
}

/// Converts a panic into a failure. Otherwise, the runtime would send the panic's message to the user.
fn catch_panics<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // The handler does not modify shared state, so a panic cannot leave it inconsistent.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Failure::Panicked))
}

/// Replaces a body that is not JSON by `null`, which the handler rejects. Otherwise, the runtime would respond with a
/// parser message.
fn json_only(mut invocation: LambdaInvocation) -> LambdaInvocation {
    if serde_json::from_slice::<&RawValue>(&invocation.body).is_err() {
        invocation.body = "null".into();
    }
    invocation
}

#[cfg(test)]
mod tests {
    use domain::sign_up::{AutoConfirm, Refusal};
    use testkit::logs::Logs;

    use super::*;

    const SIGN_UP: &str = r#"{"triggerSource":"PreSignUp_SignUp","response":{"autoConfirmUser":false,"autoVerifyEmail":false,"autoVerifyPhone":false}}"#;

    fn answer(policy: &Policy, event: &str) -> Result<String, Failure> {
        let event = RawValue::from_string(event.to_owned()).unwrap();
        handle(policy, event, OffsetDateTime::UNIX_EPOCH).map(|event| event.get().to_owned())
    }

    fn confirm_nobody() -> Policy {
        Policy { auto_confirm: AutoConfirm::Nobody, ..Policy::default() }
    }

    #[test]
    fn confirms_keeps_or_rejects_sign_up_by_policy() {
        let confirmed = SIGN_UP.replacen("false", "true", 1);
        assert_eq!(answer(&Policy::default(), SIGN_UP), Ok(confirmed));
        assert_eq!(answer(&confirm_nobody(), SIGN_UP), Ok(SIGN_UP.to_owned()));
        let closed = Policy { denied_email_domains: "example.com".parse().unwrap(), ..Policy::default() };
        assert_eq!(answer(&closed, SIGN_UP), Err(Failure::Refused(Refusal::NoEmail)));
    }

    #[test]
    fn counts_decision_by_result_and_rule() {
        let everyone = Policy::default();
        let denying = Policy { denied_email_domains: "example.com".parse().unwrap(), ..Policy::default() };
        let no_providers = Policy { external_providers: "refuse".parse().unwrap(), ..Policy::default() };
        let from = |source: &str| {
            format!(
                r#"{{"triggerSource":"{source}","request":{{"userAttributes":{{"email":"mia@example.com"}}}},"response":{{}}}}"#
            )
        };
        let table = [
            (&everyone, from("PreSignUp_SignUp"), vec![("confirmed", "everyone")]),
            (&confirm_nobody(), from("PreSignUp_SignUp"), vec![("unconfirmed", "nobody")]),
            (&denying, from("PreSignUp_SignUp"), vec![("rejected", "email-domain")]),
            (&denying, SIGN_UP.to_owned(), vec![("rejected", "no-email")]),
            (&everyone, from("PreSignUp_AdminCreateUser"), vec![("unchanged", "administrator")]),
            (&everyone, from("PreSignUp_ExternalProvider"), vec![("unchanged", "external-provider")]),
            (&no_providers, from("PreSignUp_ExternalProvider"), vec![("rejected", "provider-not-allowed")]),
            (&everyone, from("PreSignUp_New"), vec![("unchanged", "unknown-source")]),
            (&everyone, "[]".to_owned(), vec![]),
        ];
        for (policy, event, expected) in table {
            let logs = Logs::capture();
            let is_readable = answer(policy, &event) != Err(Failure::UnreadableEvent);
            let metrics: Vec<_> = logs.lines().into_iter().filter(|line| line["target"] == "metrics").collect();
            let count = |name: &str| metrics.iter().filter(|line| line["fields"][name] == 1).count();
            let sign_ups = metrics.iter().map(|line| &line["fields"]).filter(|fields| fields["SignUps"] == 1);
            let sign_ups: Vec<_> =
                sign_ups.map(|fields| (fields["result"].as_str().unwrap(), fields["rule"].as_str().unwrap())).collect();
            assert_eq!(sign_ups, expected, "{event}");
            let is_unconfirmed = sign_ups == [("unconfirmed", "nobody")];
            assert_eq!(count("Mails"), usize::from(is_unconfirmed), "{event}");
            assert_eq!(count("Failures"), usize::from(!is_readable), "{event}");
        }
    }

    #[test]
    fn returns_unchanged_event_byte_for_byte() {
        let flags = r#"{ "autoConfirmUser" : false, "autoVerifyEmail":false, "autoVerifyPhone":false, "new": 1e400 }"#;
        for source in ["PreSignUp_New", "PreSignUp_AdminCreateUser", "PreSignUp_SignUp"] {
            let event = format!(r#"{{"triggerSource" : "{source}", "response": {flags} }}"#);
            assert_eq!(answer(&confirm_nobody(), &event), Ok(event));
        }
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for prefix in [r#"{"request":"#, r#"{"request":{"userAttributes":{"email":"#, r#"{"x":{"clientMetadata":"#] {
            let closing = "}".repeat(prefix.matches('{').count() - 1);
            let event = SIGN_UP.replacen('{', &format!("{prefix}{deep}{closing},"), 1);
            assert_eq!(answer(&Policy::default(), &event), Ok(event.replacen("false", "true", 1)), "{prefix}");
        }
        assert_eq!(answer(&Policy::default(), &deep), Err(Failure::UnreadableEvent));
    }

    #[test]
    fn converts_panic_into_failure_without_its_message() {
        let failed: Result<(), Failure> = catch_panics(|| panic!("mia@example.com"));
        assert_eq!(failed, Err(Failure::Panicked));
        assert_eq!(catch_panics(|| Ok(1)), Ok(1));
        assert_eq!(catch_panics(|| Err::<(), _>(Failure::UnreadableEvent)), Err(Failure::UnreadableEvent));
    }
}
