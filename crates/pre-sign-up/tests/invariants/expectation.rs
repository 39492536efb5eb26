//! What is to become of an event under some settings, from the words of both.

use std::sync::LazyLock;

use domain::sign_up::{EmailAddress, Refusal};
use pre_sign_up::failure::Failure;

use super::json::{last, members, text};
use super::{NOW, Settings, setting};

/// What is to become of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Expectation {
    /// It comes back to the byte.
    AsItCame,
    /// It comes back with these flags, in the order of [`super::FLAGS`], and no others.
    Flags([bool; 3]),
    /// This, and nothing else.
    Failure(Failure),
    /// An invitation was shown that does not count.
    NoInvitation,
}

/// An invitation that the key of events/ has signed.
struct Signed {
    token: String,
    pool: &'static str,
    email: &'static str,
    expires_at: i64,
}

/// All that there are: whoever else shows one has none.
static SIGNED: LazyLock<[Signed; 4]> = LazyLock::new(|| {
    let token = |event: &str| {
        let request = part(Some(event), "request");
        given(part(part(request, "clientMetadata"), "invitation")).text().unwrap_or_default()
    };
    let pool = "eu-central-1_Ab12Cd34E";
    let (mia, long) = ("mia@example.com", 4_102_444_800);
    let signed = |event: &str, pool, email, expires_at| Signed { token: token(event), pool, email, expires_at };
    let of_mia = include_str!("../../../../events/pre-sign-up/sign-up-invited.json");
    let expired = include_str!("../../../../events/pre-sign-up/sign-up-with-an-expired-invitation.json");
    let of_kim = include_str!("../../../../events/pre-sign-up/sign-up-with-an-invitation-for-another-address.json");
    let of_other_pool = include_str!("../../../../events/pre-sign-up/sign-up-with-an-invitation-to-another-pool.json");
    [
        signed(of_mia, pool, mia, long),
        signed(expired, pool, mia, 1_767_830_400),
        signed(of_kim, pool, "kim@example.com", long),
        signed(of_other_pool, "eu-central-1_Zz99Yy88X", mia, long),
    ]
});

/// What the settings mean for the event.
pub(super) fn expectation(settings: Settings, event: &str) -> Expectation {
    if members(event).is_none() {
        return Expectation::Failure(Failure::UnreadableEvent);
    }
    match part(Some(event), "triggerSource").and_then(text).as_deref() {
        Some("PreSignUp_SignUp") => self_sign_up(settings, event),
        Some("PreSignUp_ExternalProvider") if !provider_may(settings, event) => {
            Expectation::Failure(Failure::Refused(Refusal::ExternalProvider))
        }
        _ => Expectation::AsItCame,
    }
}

fn self_sign_up(settings: Settings, event: &str) -> Expectation {
    let refused = |refusal| Expectation::Failure(Failure::Refused(refusal));
    let is = |variable, word| setting(settings, variable) == Some(word);
    let request = part(Some(event), "request");
    let attributes = part(request, "userAttributes");
    let (email, phone_number) = (attribute(attributes, "email"), attribute(attributes, "phone_number"));
    let address = email.text().and_then(|email| Address::read(&email));

    let list = |variable| setting(settings, variable);
    let (trusted, allowed, denied) =
        (list("TRUSTED_EMAIL_DOMAINS"), list("ALLOWED_EMAIL_DOMAINS"), list("DENIED_EMAIL_DOMAINS"));
    if trusted.is_some() || allowed.is_some() || denied.is_some() {
        match &address {
            None if email == Given::Absent => return refused(Refusal::NoEmail),
            None => return refused(Refusal::UnreadableEmail),
            Some(address) => {
                if allowed.is_some_and(|list| !address.is_in(list)) || denied.is_some_and(|list| address.is_in(list)) {
                    return refused(Refusal::EmailDomain);
                }
            }
        }
    }

    let mut is_invited = false;
    if is("AUTO_CONFIRM", "invited") || is("AUTO_VERIFY_EMAIL", "invited") {
        let shown = match attribute(part(request, "clientMetadata"), "invitation") {
            Given::Absent => attribute(part(request, "validationData"), "invitation"),
            shown => shown,
        };
        let pool = given(part(Some(event), "userPoolId")).text();
        is_invited = shown.text().is_some_and(|token| is_proof(&token, pool.as_deref(), address.as_ref()));
        if !is_invited && shown != Given::Absent {
            return Expectation::NoInvitation;
        }
    }
    let confirm = match setting(settings, "AUTO_CONFIRM") {
        Some("nobody") => false,
        Some("invited") => is_invited,
        Some("trusted-domains") => trusted.is_some_and(|list| address.is_some_and(|address| address.is_in(list))),
        _ => true,
    };
    let verify_email = email.text().is_some()
        && (is("AUTO_VERIFY_EMAIL", "everyone") || is("AUTO_VERIFY_EMAIL", "invited") && is_invited);
    let verify_phone = phone_number.text().is_some() && is("AUTO_VERIFY_PHONE", "everyone");
    let flags = [confirm, verify_email, verify_phone];
    let has_place = part(Some(event), "response").is_none_or(|flags| flags == "null" || members(flags).is_some());
    if has_place || flags == [false; 3] {
        Expectation::Flags(flags)
    } else {
        Expectation::Failure(Failure::UnreadableEvent)
    }
}

/// Whether it is one of ours, for this address and this pool, and its time is not over.
fn is_proof(token: &str, pool: Option<&str>, address: Option<&Address>) -> bool {
    SIGNED.iter().any(|signed| {
        signed.token == token
            && Some(signed.pool) == pool
            && address.is_some_and(|address| address.normal == signed.email)
            && NOW < signed.expires_at
    })
}

fn provider_may(settings: Settings, event: &str) -> bool {
    match setting(settings, "EXTERNAL_PROVIDERS") {
        None | Some("allow") => true,
        Some("refuse") => false,
        Some(names) => given(part(Some(event), "userName")).text().is_some_and(|user_name| {
            let (provider, subject) = user_name.split_once('_').unwrap_or_default();
            !subject.is_empty() && names.split(',').any(|name| name.eq_ignore_ascii_case(provider))
        }),
    }
}

/// What a person gave for something.
#[derive(Debug, Clone, PartialEq)]
enum Given {
    Absent,
    Unreadable,
    Text(String),
}

impl Given {
    fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Absent | Self::Unreadable => None,
        }
    }
}

/// A member of an object. What stands in the object's place and is none stands in the member's place as well.
fn part<'a>(json: Option<&'a str>, name: &str) -> Option<&'a str> {
    match members(json?) {
        Some(members) => last(&members, name),
        None => json.filter(|json| *json != "null"),
    }
}

/// What a person gave in a member of an object. Where something else stands in the object's place, nobody knows.
fn attribute(json: Option<&str>, name: &str) -> Given {
    match json {
        None | Some("null") => Given::Absent,
        Some(object) if members(object).is_none() => Given::Unreadable,
        Some(_) => given(part(json, name)),
    }
}

fn given(json: Option<&str>) -> Given {
    match json {
        None | Some("null" | r#""""#) => Given::Absent,
        Some(json) => text(json).map_or(Given::Unreadable, Given::Text),
    }
}

/// An address that can be read in one way only.
struct Address {
    normal: String,
    domain: String,
}

impl Address {
    fn read(email: &str) -> Option<Self> {
        let parsed = email.parse::<EmailAddress>().ok();
        if !email.is_ascii() {
            let (normal, domain) = (parsed.as_ref()?.to_string(), parsed?.domain().to_string());
            return Some(Self { normal, domain });
        }
        // Of ASCII nothing but the case changes. Which addresses are none is told by the parser, as far as they are unusual ones.
        let normal = email.to_ascii_lowercase();
        let (local_part, domain) = normal.rsplit_once('@')?;
        let is_usual = |text: &str| {
            text.split('.').all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        };
        let is_short = email.len() < 64;
        let is_usual = is_short && is_usual(local_part) && is_usual(domain);
        let domain = domain.to_owned();
        (is_usual || parsed.is_some()).then_some(Self { normal, domain })
    }

    /// Whether the domain is meant by a list, whose entries are in ASCII: label by label, from the last one on.
    fn is_in(&self, list: &str) -> bool {
        list.split(',').any(|entry| {
            let (entry, is_wildcard) = entry.strip_prefix("*.").map_or((entry, false), |parent| (parent, true));
            let (mut entry, mut own) = (entry.rsplit('.'), self.domain.rsplit('.'));
            entry.all(|label| own.next() == Some(label)) && own.next().is_some() == is_wildcard
        })
    }
}
