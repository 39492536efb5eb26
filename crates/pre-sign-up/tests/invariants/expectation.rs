//! Predicts the response to an event under given settings.

use std::sync::LazyLock;

use domain::sign_up::Refusal;
use pre_sign_up::failure::Failure;

use super::event::{Address, Event, Given};
use super::{NOW, Settings, setting};

/// The expected response to an event.
#[derive(Debug, PartialEq)]
pub(super) enum Expectation {
    /// The event, as this text.
    Answer(String),
    /// This error.
    Failure(Failure),
    /// The invitation is invalid. The logged reason is not predicted.
    NoInvitation,
}

const FLAGS: [&str; 3] = ["autoConfirmUser", "autoVerifyEmail", "autoVerifyPhone"];

/// Returns the expected response.
pub(super) fn expectation(settings: Settings, event: Option<&Event<'_>>) -> Expectation {
    let Some(event) = event else { return Expectation::Failure(Failure::UnreadableEvent) };
    match event.source.as_deref() {
        Some("PreSignUp_SignUp") => self_sign_up(settings, event),
        Some("PreSignUp_ExternalProvider") if !allows_provider(settings, event) => refused(Refusal::ExternalProvider),
        _ => answer(event, FLAGS.map(|name| (name, None))),
    }
}

fn self_sign_up(settings: Settings, event: &Event<'_>) -> Expectation {
    let is = |variable, value| setting(settings, variable) == Some(value);
    let trusted = setting(settings, "TRUSTED_EMAIL_DOMAINS");
    let allowed = setting(settings, "ALLOWED_EMAIL_DOMAINS");
    let denied = setting(settings, "DENIED_EMAIL_DOMAINS");
    if trusted.is_some() || allowed.is_some() || denied.is_some() {
        match &event.address {
            None if event.email == Given::Absent => return refused(Refusal::NoEmail),
            None => return refused(Refusal::UnreadableEmail),
            Some(address) => {
                if allowed.is_some_and(|list| !address.is_in(list)) || denied.is_some_and(|list| address.is_in(list)) {
                    return refused(Refusal::EmailDomain);
                }
            }
        }
    }
    let uses_invitations = is("AUTO_CONFIRM", "invited") || is("AUTO_VERIFY_EMAIL", "invited");
    let is_invited = uses_invitations && is_invited(event);
    if uses_invitations && !is_invited && event.invitation != Given::Absent {
        return Expectation::NoInvitation;
    }
    let confirm = match setting(settings, "AUTO_CONFIRM") {
        None => true,
        Some("trusted-domains") => {
            trusted.zip(event.address.as_ref()).is_some_and(|(list, address)| address.is_in(list))
        }
        Some("invited") => is_invited,
        Some(_) => false,
    };
    let verify_email = is("AUTO_VERIFY_EMAIL", "everyone") || is("AUTO_VERIFY_EMAIL", "invited") && is_invited;
    let verify_email = confirm && verify_email && event.email.text().is_some();
    let verify_phone = confirm && is("AUTO_VERIFY_PHONE", "everyone") && event.phone_number.text().is_some();
    let [first, second, third] = FLAGS;
    answer(event, [(first, Some(confirm)), (second, Some(verify_email)), (third, Some(verify_phone))])
}

fn answer(event: &Event<'_>, flags: [(&str, Option<bool>); 3]) -> Expectation {
    event.with(flags).map_or(Expectation::Failure(Failure::UnreadableEvent), Expectation::Answer)
}

fn refused(refusal: Refusal) -> Expectation {
    Expectation::Failure(Failure::Refused(refusal))
}

fn allows_provider(settings: Settings, event: &Event<'_>) -> bool {
    match setting(settings, "EXTERNAL_PROVIDERS") {
        None => true,
        Some("refuse") => false,
        Some(names) => {
            let user_name = event.user_name.text().unwrap_or_default();
            let (provider, subject) = user_name.split_once('_').unwrap_or_default();
            !subject.is_empty() && names.split(',').any(|name| name.eq_ignore_ascii_case(provider))
        }
    }
}

/// An invitation signed with the key of events/.
struct Signed {
    token: String,
    user_pool_id: &'static str,
    email: &'static str,
    expires_at: i64,
}

/// All validly signed invitations that occur in tests.
static SIGNED: LazyLock<[Signed; 4]> = LazyLock::new(|| {
    let signed = |event: &str, user_pool_id, email, expires_at| {
        let token = Event::read(event).and_then(|event| event.invitation.text().map(str::to_owned)).unwrap_or_default();
        assert!(token.starts_with("eyJ"), "no invitation in {event}");
        Signed { token, user_pool_id, email, expires_at }
    };
    let pool = "eu-central-1_Ab12Cd34E";
    let (mia, kim, long) = ("mia@example.com", "kim@example.com", 4_102_444_800);
    [
        signed(include_str!("../../../../events/pre-sign-up/sign-up-invited.json"), pool, mia, long),
        signed(
            include_str!("../../../../events/pre-sign-up/sign-up-with-an-expired-invitation.json"),
            pool,
            mia,
            1_767_830_400,
        ),
        signed(
            include_str!("../../../../events/pre-sign-up/sign-up-with-an-invitation-for-another-address.json"),
            pool,
            kim,
            long,
        ),
        signed(
            include_str!("../../../../events/pre-sign-up/sign-up-with-an-invitation-to-another-pool.json"),
            "eu-central-1_Zz99Yy88X",
            mia,
            long,
        ),
    ]
});

/// Whether the event contains an unexpired signed invitation for its address and pool.
fn is_invited(event: &Event<'_>) -> bool {
    let is_valid = |signed: &Signed| {
        event.invitation.text() == Some(&signed.token)
            && event.user_pool_id.text() == Some(signed.user_pool_id)
            && event.address.as_ref().is_some_and(|address: &Address| address.normal == signed.email)
            && NOW < signed.expires_at
    };
    SIGNED.iter().any(is_valid)
}
