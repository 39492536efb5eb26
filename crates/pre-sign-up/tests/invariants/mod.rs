//! What holds for any body that Lambda may hand over, under any policy. The fuzzer asserts it of bytes that nobody chose, and tests of
//! those that somebody did.
//!
//! The expectation is put together from the text of the settings and of the event, by means of its own: labels of a domain are compared
//! here, tokens are known by heart. Only what an international domain is in ASCII is asked of the code that is judged.

mod expectation;
mod json;

use domain::sign_up::{Policy, Refusal};
use lambda_runtime::Diagnostic;
use pre_sign_up::failure::Failure;
use pre_sign_up::{handler, settings};
use serde_json::value::RawValue;
use time::OffsetDateTime;

use expectation::{Expectation, expectation};
use json::{Member, last, members};

/// Settings, as the function's environment has them.
pub(crate) type Settings = &'static [(&'static str, &'static str)];

/// The key of section 10 of RFC 8410, which the invitations in events/ are signed with.
const PUBLIC_KEY: (&str, &str) = ("INVITATION_PUBLIC_KEY", "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");

/// Policies that have every rule between them, and the rules that meet each other.
pub(crate) const POLICIES: [Settings; 8] = [
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
    &[("AUTO_CONFIRM", "nobody"), ("AUTO_VERIFY_EMAIL", "everyone"), ("AUTO_VERIFY_PHONE", "everyone")],
    &[PUBLIC_KEY, ("AUTO_CONFIRM", "invited"), ("AUTO_VERIFY_EMAIL", "invited")],
    &[PUBLIC_KEY, ("AUTO_VERIFY_EMAIL", "invited"), ("DENIED_EMAIL_DOMAINS", "example.org,*.example.com")],
];

/// 2026-06-01: a moment within the time of the invitations in events/, but for the one that has expired.
const NOW: i64 = 1_780_272_000;

const FLAGS: [&str; 3] = ["autoConfirmUser", "autoVerifyEmail", "autoVerifyPhone"];

/// All that a person who signs up is ever told.
const SENTENCES: [&str; 6] = [
    "An e-mail address is needed to sign up",
    "This e-mail address cannot be used to sign up",
    "E-mail addresses of this domain cannot be used to sign up",
    "The invitation is not valid for this sign-up, please ask for a new one",
    "Signing up through this provider is not possible",
    "The sign-up request could not be read",
];

/// [`POLICIES`], as the function reads them.
///
/// # Panics
/// Where the settings are refused.
pub(crate) fn policies() -> Vec<(Settings, Policy)> {
    let read = |settings: Settings| {
        let value = |variable: &str| setting(settings, variable).map(str::to_owned);
        settings::policy(value).unwrap_or_else(|error| panic!("{settings:?}: {error}"))
    };
    POLICIES.iter().map(|settings| (*settings, read(settings))).collect()
}

/// Holds the answer to a body under a policy to everything that is said here.
///
/// # Panics
/// Where something does not hold.
pub(crate) fn hold(settings: Settings, policy: &Policy, body: &[u8]) {
    let event = event(body);
    let answer = answer(policy, &event);
    let context = || format!("{settings:?}: {event} became {answer:?}");
    if let Err(failure) = answer {
        let Diagnostic { error_message, .. } = failure.into();
        assert!(SENTENCES.contains(&error_message.as_str()), "{error_message:?} was said. {}", context());
    }
    match (expectation(settings, &event), &answer) {
        (Expectation::AsItCame, _) => assert_eq!(answer.as_ref(), Ok(&event), "{}", context()),
        (Expectation::Failure(expected), _) => assert_eq!(answer, Err(expected), "{}", context()),
        // For logs there is a word for each way in which an invitation does not count; which one is not foretold here.
        (Expectation::NoInvitation, Err(Failure::Refused(Refusal::Invitation(_) | Refusal::InvitationForNobody))) => {}
        (Expectation::Flags(flags), Ok(answer)) => {
            assert!(differs_in_flags_only(&event, answer, flags), "other than {flags:?}. {}", context());
            let again = handler::handle(policy, raw(answer), now()).map(|again| again.get().to_owned());
            assert_eq!(again.as_ref(), Ok(answer), "asked again, it is another answer. {}", context());
        }
        (expected, _) => panic!("{expected:?} was to be. {}", context()),
    }
}

/// The event in a body, as the service has it: `null` stands for what is no JSON.
fn event(body: &[u8]) -> String {
    serde_json::from_slice::<&RawValue>(body).map_or("null", RawValue::get).to_owned()
}

fn answer(policy: &Policy, event: &str) -> Result<String, Failure> {
    handler::handle(policy, raw(event), now()).map(|answer| answer.get().to_owned())
}

/// Whether the answer has these flags as `true` and no others, and is the event otherwise: member for member, to the byte.
fn differs_in_flags_only(event: &str, answer: &str, flags: [bool; 3]) -> bool {
    let (Some(before), Some(after)) = (members(event), members(answer)) else { return false };
    let response_before = last(&before, "response").filter(|response| *response != "null");
    let response_after = last(&after, "response");
    // Doubled ones are told the same.
    let is_kept = |(before, after): (&Member<'_>, &Member<'_>)| {
        before == after || before.is("response") && after.is("response") && Some(after.value) == response_after
    };
    let is_added = |member: &Member<'_>| member.is("response") && last(&before, "response").is_none();
    let Some(flags_before) = response_before.map_or(Some(Vec::new()), members) else { return event == answer };
    let is_to_change = flags.contains(&true) || flags_before.iter().any(|member| is_flag(member) && !is_unset(member));
    if !is_to_change {
        return event == answer;
    }
    before.len() <= after.len()
        && before.iter().zip(&after).all(is_kept)
        && after[before.len()..].iter().all(is_added)
        && response_after.and_then(members).is_some_and(|flags_after| are_set(&flags_before, &flags_after, flags))
}

/// The same for the members of `response`.
fn are_set(before: &[Member<'_>], after: &[Member<'_>], flags: [bool; 3]) -> bool {
    let granted = |member: &Member<'_>| FLAGS.iter().zip(flags).any(|(name, granted)| granted && member.is(name));
    let is_right = |member: &Member<'_>| if granted(member) { member.value == "true" } else { is_unset(member) };
    let is_kept = |(before, after): (&Member<'_>, &Member<'_>)| {
        before == after || is_flag(before) && before.has_name_of(after) && (granted(after) || after.value == "false")
    };
    before.len() <= after.len()
        && before.iter().zip(after).all(is_kept)
        && after[before.len()..].iter().all(granted)
        && after.iter().filter(|member| is_flag(member)).all(is_right)
        && FLAGS.iter().zip(flags).all(|(name, granted)| !granted || last(after, name).is_some())
}

fn is_flag(member: &Member<'_>) -> bool {
    FLAGS.iter().any(|name| member.is(name))
}

fn is_unset(member: &Member<'_>) -> bool {
    matches!(member.value, "false" | "null")
}

fn setting(settings: Settings, variable: &str) -> Option<&'static str> {
    settings.iter().find(|(name, _)| *name == variable).map(|(_, value)| *value)
}

fn raw(event: &str) -> Box<RawValue> {
    RawValue::from_string(event.to_owned()).unwrap_or_else(|error| panic!("{event} is no JSON: {error}"))
}

fn now() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(NOW)
}
