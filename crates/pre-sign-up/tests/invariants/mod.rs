//! What holds for any body that Lambda may hand over, under any policy. The fuzzer asserts it of bytes that nobody chose, and tests of
//! those that somebody did.
//!
//! The answer is foretold from the texts of settings and event, by means of their own: the event is split by another reader, labels of
//! domains are compared one by one, and the invitations that count are known by heart. Only what an international domain is in ASCII,
//! and which unusual addresses are none, is asked of the code that is judged.

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

/// Settings, as the function's environment has them.
pub(crate) type Settings = &'static [(&'static str, &'static str)];

/// The key of section 10 of RFC 8410, which the invitations in events/ are signed with.
const PUBLIC_KEY: (&str, &str) = ("INVITATION_PUBLIC_KEY", "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");

/// Policies that have every rule between them, and the rules that meet each other.
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

/// 2026-06-01: a moment within the time of the invitations in events/, but for the one that has expired.
const NOW: i64 = 1_780_272_000;

/// All that a person who signs up is ever told, but for a defect.
const SENTENCES: [&str; 6] = [
    "An e-mail address is needed to sign up",
    "This e-mail address cannot be used to sign up",
    "E-mail addresses of this domain cannot be used to sign up",
    "The invitation is not valid for this sign-up, please ask for a new one",
    "Signing up through this provider is not possible",
    "The sign-up request could not be read",
];

/// The policies, as the function reads them from its settings.
pub(crate) fn policies() -> Result<Vec<(Settings, Policy)>, SettingError> {
    let policy = |settings| settings::policy(|variable| setting(settings, variable).map(str::to_owned));
    POLICIES.iter().map(|settings| policy(settings).map(|policy| (*settings, policy))).collect()
}

/// Holds the answers to a body under each policy to what is foretold.
///
/// # Panics
/// Where one is something else.
pub(crate) fn assert_foretold(policies: &[(Settings, Policy)], body: &[u8]) {
    // As the service has it: `null` stands for what is no JSON.
    let text = serde_json::from_slice::<&RawValue>(body).map_or("null", RawValue::get);
    let event = Event::read(text);
    for (settings, policy) in policies {
        let answered = answer(policy, text);
        let expected = expectation(settings, event.as_ref());
        let is_foretold = match (&expected, &answered) {
            (Expectation::Answer(expected), Ok(answer)) => expected == answer,
            (Expectation::Failure(expected), Err(failure)) => expected == failure,
            (Expectation::NoInvitation, Err(Failure::Refused(refusal))) => {
                matches!(refusal, Refusal::Invitation(_) | Refusal::InvitationForNobody)
            }
            _ => false,
        };
        assert!(is_foretold, "{text} under {settings:?} got {answered:?}, and was to get {expected:?}");
        match answered {
            Ok(decided) => {
                let is_settled = decided == text || answer(policy, &decided).as_ref() == Ok(&decided);
                assert!(is_settled, "{decided} under {settings:?}, asked again, is decided in another way");
            }
            Err(failure) => {
                let Diagnostic { error_message, .. } = failure.into();
                assert!(SENTENCES.contains(&error_message.as_str()), "{text} was told {error_message:?}");
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
