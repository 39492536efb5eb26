//! Invariants for any request body under any policy, which the fuzzer and the tests assert.
//!
//! The expected response comes from an independent implementation with its own JSON parser, its own comparison of
//! domains, and a fixed list of valid invitations. Only the ASCII form of international domains and the validity of
//! unusual addresses come from the tested code.

mod event;
mod expectation;
mod json;

use domain::sign_up::{Policy, Refusal};
use lambda_runtime::Diagnostic;
use pre_sign_up::failure::Failure;
use pre_sign_up::{handler, settings};
use serde_json::value::RawValue;
use startup::SettingError;
use time::{Duration, OffsetDateTime};

use event::Event;
use expectation::{Expectation, expectation};

/// Environment variables of the function.
pub(crate) type Settings = &'static [(&'static str, &'static str)];

/// The example key of RFC 8410, section 10, which signed the invitations in events/.
const PUBLIC_KEY: (&str, &str) = ("INVITATION_PUBLIC_KEY", "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");

/// Policies that together contain every rule and the combinations of rules that interact.
const POLICIES: [Settings; 8] = [
    &[],
    &[("AUTO_CONFIRM", "nobody"), ("EXTERNAL_PROVIDERS", "refuse")],
    &[("AUTO_CONFIRM", "trusted-domains"), ("TRUSTED_EMAIL_DOMAINS", "example.com,xn--bcher-kva.example")],
    &[("ALLOWED_EMAIL_DOMAINS", "*.example.com,example.org"), ("AUTO_VERIFY_PHONE", "everyone")],
    &[
        ("AUTO_CONFIRM", "nobody"),
        ("ALLOWED_EMAIL_DOMAINS", "example.com,*.example.com"),
        ("DENIED_EMAIL_DOMAINS", "hr.example.com,*.hr.example.com"),
        ("EXTERNAL_PROVIDERS", "Google,Okta"),
    ],
    &[
        ("AUTO_CONFIRM", "trusted-domains"),
        ("TRUSTED_EMAIL_DOMAINS", "example.com"),
        ("AUTO_VERIFY_EMAIL", "everyone"),
        ("AUTO_VERIFY_PHONE", "everyone"),
    ],
    &[PUBLIC_KEY, ("AUTO_CONFIRM", "invited"), ("AUTO_VERIFY_EMAIL", "invited")],
    &[PUBLIC_KEY, ("AUTO_VERIFY_EMAIL", "invited"), ("DENIED_EMAIL_DOMAINS", "example.org,*.example.com")],
];

/// 2026-06-01, when the invitations in events/ are valid, except the expired one.
const NOW: i64 = 1_780_272_000;

/// Every text that a user can receive, except that of a panic.
const SENTENCES: [&str; 6] = [
    "An e-mail address is needed to sign up",
    "This e-mail address cannot be used to sign up",
    "E-mail addresses of this domain cannot be used to sign up",
    "The invitation is not valid for this sign-up. Ask for a new one",
    "Signing up through this provider is not possible",
    "The sign-up request could not be read",
];

/// Reads the policies from the settings.
pub(crate) fn policies() -> Result<Vec<(Settings, Policy)>, SettingError> {
    let policy = |settings| settings::policy(|variable| setting(settings, variable).map(str::to_owned));
    POLICIES.iter().map(|settings| policy(settings).map(|policy| (*settings, policy))).collect()
}

/// Asserts that the response to a body under each policy is the predicted one.
///
/// # Panics
/// Panics if a response differs.
pub(crate) fn assert_predicted(policies: &[(Settings, Policy)], body: &[u8]) {
    // The service replaces a body that is not JSON by `null`.
    let text = serde_json::from_slice::<&RawValue>(body).map_or("null", RawValue::get);
    let event = Event::read(text);
    for (settings, policy) in policies {
        let answered = answer(policy, text);
        let expected = expectation(settings, event.as_ref());
        let is_predicted = match (&expected, &answered) {
            (Expectation::Answer(expected), Ok(answer)) => expected == answer,
            (Expectation::Failure(expected), Err(failure)) => expected == failure,
            (Expectation::NoInvitation, Err(Failure::Refused(refusal))) => {
                matches!(refusal, Refusal::Invitation(_) | Refusal::InvitationWithoutRecipient)
            }
            _ => false,
        };
        assert!(is_predicted, "{text} under {settings:?}: got {answered:?}, expected {expected:?}");
        match answered {
            Ok(decided) => {
                let is_stable = decided == text || answer(policy, &decided).as_ref() == Ok(&decided);
                assert!(is_stable, "{decided} under {settings:?}: a second decision differs");
            }
            Err(failure) => {
                let Diagnostic { error_message, .. } = failure.into();
                assert!(SENTENCES.contains(&error_message.as_str()), "{text}: unexpected text {error_message:?}");
            }
        }
    }
}

fn answer(policy: &Policy, event: &str) -> Result<String, Failure> {
    let event = RawValue::from_string(event.to_owned()).map_err(|_| Failure::UnreadableEvent)?;
    let now = OffsetDateTime::UNIX_EPOCH + Duration::seconds(NOW);
    handler::handle(policy, event, now).map(|answer| answer.get().to_owned())
}

fn setting(settings: Settings, variable: &str) -> Option<&'static str> {
    settings.iter().find(|(name, _)| *name == variable).map(|(_, value)| *value)
}
