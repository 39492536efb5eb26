//! Tables of the sign-up policy: each rule with the sign-ups that it admits and rejects.

use time::Duration;

use super::*;
use crate::invitation::{Invitation, SigningKey};

const POOL: &str = "eu-west-1_aBcDeFgHi";
const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

const NOTHING: Grants = Grants { confirm: false, verify_email: false, verify_phone: false };
const CONFIRMED: Grants = Grants { confirm: true, ..NOTHING };
const VERIFIED: Grants = Grants { verify_email: true, ..CONFIRMED };

fn list(domains: &str) -> DomainList {
    domains.parse().unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn text(text: &str) -> TextField {
    TextField::from(text.to_owned())
}

fn with_email(email: &str) -> SelfSignUp {
    SelfSignUp { user_pool_id: text(POOL), email: text(email), ..SelfSignUp::default() }
}

fn invited(email: &str, to: &str) -> SelfSignUp {
    let invitation = Invitation {
        id: "1".to_owned(),
        user_pool_id: POOL.to_owned(),
        email: to.parse().unwrap(),
        issued_at: NOW,
        expires_at: NOW + Duration::days(7),
    };
    SelfSignUp { invitation: text(invitation.sign(&key()).unwrap().expose()), ..with_email(email) }
}

/// Admitted with these grants, with the invitation of [`invited`] or without one.
fn admitted(grants: Grants, by_invitation: bool) -> Decision {
    Decision::Admit { grants, invitation: by_invitation.then(|| "1".to_owned()) }
}

fn decision(policy: &Policy, self_sign_up: &SelfSignUp) -> Decision {
    decide(policy, &SignUp::SelfSignUp(self_sign_up.clone()), NOW)
}

/// A policy that rejects every self sign-up and would grant every flag. It must not affect other kinds of sign-up.
fn strictest() -> Policy {
    Policy {
        auto_confirm: AutoConfirm::Everyone,
        auto_verify_email: AutoVerifyEmail::Everyone,
        auto_verify_phone: AutoVerifyPhone::Everyone,
        allowed_email_domains: list("nobody.example"),
        denied_email_domains: list("nobody.example"),
        external_providers: ExternalProviders::Refuse,
    }
}

#[test]
fn administrators_and_unknown_sources_are_left_unchanged() {
    for sign_up in [SignUp::Administrator, SignUp::Unknown] {
        for policy in [Policy::default(), strictest()] {
            assert_eq!(decide(&policy, &sign_up, NOW), Decision::Unchanged, "{sign_up:?}");
        }
    }
}

#[test]
fn only_the_provider_rule_applies_to_external_providers() {
    let from = |user_name: Option<&str>| SignUp::ExternalProvider { user_name: text(user_name.unwrap_or_default()) };
    let refused = || Decision::Refuse(Refusal::ExternalProvider);
    for (providers, user_name, expected) in [
        ("allow", Some("Google_1"), Decision::Unchanged),
        ("allow", None, Decision::Unchanged),
        ("refuse", Some("Google_1"), refused()),
        ("refuse", None, refused()),
        ("Google", Some("Google_1"), Decision::Unchanged),
        ("Google", Some("Facebook_1"), refused()),
        ("Google", None, refused()),
    ] {
        let policy = Policy { external_providers: providers.parse().unwrap(), ..strictest() };
        assert_eq!(decide(&policy, &from(user_name), NOW), expected, "{user_name:?} under {providers}");
    }
}

#[test]
fn confirms_sign_ups_as_the_policy_says() {
    let trusted = || AutoConfirm::TrustedDomains(list("example.com,*.example.com"));
    let invited_only = || AutoConfirm::Invited(key().public_key());
    for (auto_confirm, self_sign_up, expected) in [
        (AutoConfirm::Everyone, with_email("mia@example.com"), CONFIRMED),
        (AutoConfirm::Everyone, SelfSignUp::default(), CONFIRMED),
        (AutoConfirm::Everyone, invited("mia@example.com", "kim@example.com"), CONFIRMED),
        (AutoConfirm::Nobody, with_email("mia@example.com"), NOTHING),
        (AutoConfirm::Nobody, invited("mia@example.com", "mia@example.com"), NOTHING),
        (trusted(), with_email("mia@example.com"), CONFIRMED),
        (trusted(), with_email("mia@MAIL.example.com"), CONFIRMED),
        (trusted(), with_email("mia@evilexample.com"), NOTHING),
        (trusted(), with_email("mia@example.com.evil.org"), NOTHING),
        (trusted(), with_email("example.com@evil.org"), NOTHING),
        (invited_only(), with_email("mia@example.com"), NOTHING),
        (invited_only(), SelfSignUp::default(), NOTHING),
        (invited_only(), invited("mia@example.com", "mia@example.com"), CONFIRMED),
        (invited_only(), invited("MIA@Example.COM", "mia@example.com"), CONFIRMED),
    ] {
        let by_invitation = matches!(auto_confirm, AutoConfirm::Invited(_)) && expected.confirm;
        let policy = Policy { auto_confirm, ..Policy::default() };
        let expected = admitted(expected, by_invitation);
        assert_eq!(decision(&policy, &self_sign_up), expected, "{self_sign_up:?} under {policy:?}");
    }
}

#[test]
fn verifies_present_addresses_as_the_policy_says() {
    let off = || AutoVerifyEmail::Nobody;
    let invited_only = || AutoVerifyEmail::Invited(key().public_key());
    for (auto_verify_email, self_sign_up, expected) in [
        (off(), with_email("mia@example.com"), CONFIRMED),
        (off(), invited("mia@example.com", "mia@example.com"), CONFIRMED),
        (invited_only(), with_email("mia@example.com"), CONFIRMED),
        (invited_only(), invited("mia@example.com", "mia@example.com"), VERIFIED),
        (AutoVerifyEmail::Everyone, with_email("mia@example.com"), VERIFIED),
        (AutoVerifyEmail::Everyone, with_email(""), CONFIRMED),
        (AutoVerifyEmail::Everyone, SelfSignUp { email: TextField::Unreadable, ..with_email("") }, CONFIRMED),
    ] {
        let by_invitation = matches!(auto_verify_email, AutoVerifyEmail::Invited(_)) && expected.verify_email;
        let policy = Policy { auto_verify_email, ..Policy::default() };
        let expected = admitted(expected, by_invitation);
        assert_eq!(decision(&policy, &self_sign_up), expected, "{self_sign_up:?} under {policy:?}");
    }
}

#[test]
fn verifies_present_phone_numbers_as_the_policy_says() {
    for (auto_verify_phone, phone_number, expected) in [
        (AutoVerifyPhone::Nobody, text("+15555550100"), false),
        (AutoVerifyPhone::Everyone, text("+15555550100"), true),
        (AutoVerifyPhone::Everyone, text(""), false),
        (AutoVerifyPhone::Everyone, TextField::Unreadable, false),
    ] {
        let policy = Policy { auto_verify_phone, ..Policy::default() };
        let self_sign_up = SelfSignUp { phone_number, ..with_email("mia@example.com") };
        assert_eq!(decision(&policy, &self_sign_up), admitted(Grants { verify_phone: expected, ..CONFIRMED }, false));
    }
}

#[test]
fn verifies_nothing_for_unconfirmed_users() {
    let invited_only = || AutoVerifyEmail::Invited(key().public_key());
    let trusted = || AutoConfirm::TrustedDomains(list("example.com"));
    for (auto_confirm, auto_verify_email, email) in [
        (AutoConfirm::Nobody, AutoVerifyEmail::Everyone, "mia@example.com"),
        (AutoConfirm::Nobody, invited_only(), "mia@example.com"),
        (trusted(), AutoVerifyEmail::Everyone, "mia@example.org"),
        (trusted(), invited_only(), "mia@example.org"),
    ] {
        let by_invitation = matches!(auto_verify_email, AutoVerifyEmail::Invited(_));
        let auto_verify_phone = AutoVerifyPhone::Everyone;
        let policy = Policy { auto_confirm, auto_verify_email, auto_verify_phone, ..Policy::default() };
        let self_sign_up = SelfSignUp { phone_number: text("+15555550100"), ..invited(email, email) };
        assert_eq!(decision(&policy, &self_sign_up), admitted(NOTHING, by_invitation), "{email} under {policy:?}");
    }
}

#[test]
fn denied_domains_take_precedence_over_allowed_ones() {
    for (allowed, denied, email, is_admitted) in [
        ("example.com", "", "mia@example.com", true),
        ("example.com", "", "mia@EXAMPLE.com", true),
        ("example.com", "", "mia@example.org", false),
        ("example.com", "", "mia@evilexample.com", false),
        ("example.com", "", "mia@example.com.evil.org", false),
        ("example.com", "", "mia@mail.example.com", false),
        ("*.example.com", "", "mia@mail.example.com", true),
        ("*.example.com", "", "mia@example.com", false),
        ("", "example.com", "mia@example.com", false),
        ("", "example.com", "mia@eXample。com", false),
        ("", "example.com", "mia@example.org", true),
        ("", "example.com", "mia@mail.example.com", true),
        ("", "*.example.com", "mia@mail.example.com", false),
        ("example.com", "example.com", "mia@example.com", false),
        ("*.example.com", "hr.example.com", "mia@hr.example.com", false),
        ("*.example.com", "hr.example.com", "mia@it.example.com", true),
        ("bücher.example", "", "mia@xn--bcher-kva.example", true),
        ("", "xn--bcher-kva.example", "mia@BÜCHER.example", false),
    ] {
        let optional = |domains: &str| if domains.is_empty() { DomainList::default() } else { list(domains) };
        let policy = Policy {
            allowed_email_domains: optional(allowed),
            denied_email_domains: optional(denied),
            ..Policy::default()
        };
        let expected = if is_admitted { admitted(CONFIRMED, false) } else { Decision::Refuse(Refusal::EmailDomain) };
        assert_eq!(decision(&policy, &with_email(email)), expected, "{email}, allowed {allowed}, denied {denied}");
    }
}

#[test]
fn domain_rules_require_a_valid_address() {
    let policies = [
        Policy { allowed_email_domains: list("example.com"), ..Policy::default() },
        Policy { denied_email_domains: list("evil.example"), ..Policy::default() },
        Policy { auto_confirm: AutoConfirm::TrustedDomains(list("example.com")), ..Policy::default() },
    ];
    for (email, expected) in [
        (TextField::Absent, Refusal::NoEmail),
        (text(""), Refusal::NoEmail),
        (TextField::Unreadable, Refusal::UnreadableEmail),
        (text("mia"), Refusal::UnreadableEmail),
        (text("mia@"), Refusal::UnreadableEmail),
        (text("mia@example.com "), Refusal::UnreadableEmail),
        (text("mia@exam\u{ad}ple.com"), Refusal::UnreadableEmail),
        (text("mia@example.com."), Refusal::UnreadableEmail),
        (text("mia@evil.org@example.com"), Refusal::UnreadableEmail),
    ] {
        for policy in &policies {
            let self_sign_up = SelfSignUp { email: email.clone(), ..with_email("") };
            assert_eq!(decision(policy, &self_sign_up), Decision::Refuse(expected), "{email:?} under {policy:?}");
        }
        let self_sign_up = SelfSignUp { email: email.clone(), ..with_email("") };
        assert_eq!(
            decision(&Policy::default(), &self_sign_up),
            admitted(CONFIRMED, false),
            "{email:?}, without a list"
        );
    }
}

#[test]
fn invalid_invitations_are_refused_if_the_policy_uses_invitations() {
    let key = || key().public_key();
    let policies = [
        Policy { auto_confirm: AutoConfirm::Invited(key()), ..Policy::default() },
        Policy { auto_verify_email: AutoVerifyEmail::Invited(key()), ..Policy::default() },
        Policy {
            auto_confirm: AutoConfirm::Invited(key()),
            auto_verify_email: AutoVerifyEmail::Invited(key()),
            ..Policy::default()
        },
    ];
    let good = invited("mia@example.com", "mia@example.com");
    let fault = |fault| Some(Refusal::Invitation(fault));
    for (self_sign_up, expected) in [
        (good.clone(), None),
        (SelfSignUp { invitation: TextField::Absent, ..good.clone() }, None),
        (invited("mia@example.com", "kim@example.com"), fault(InvitationError::OtherAddress)),
        (SelfSignUp { user_pool_id: text("eu-west-1_other"), ..good.clone() }, fault(InvitationError::OtherPool)),
        (SelfSignUp { invitation: text("e30.e30."), ..good.clone() }, fault(InvitationError::Foreign)),
        (SelfSignUp { invitation: TextField::Unreadable, ..good.clone() }, fault(InvitationError::Foreign)),
        (SelfSignUp { email: TextField::Absent, ..good.clone() }, Some(Refusal::InvitationWithoutRecipient)),
        (SelfSignUp { email: TextField::Unreadable, ..good.clone() }, Some(Refusal::InvitationWithoutRecipient)),
        (
            SelfSignUp { email: text("mia@example.com\u{200b}"), ..good.clone() },
            Some(Refusal::InvitationWithoutRecipient),
        ),
        (SelfSignUp { user_pool_id: TextField::Absent, ..good.clone() }, Some(Refusal::InvitationWithoutRecipient)),
    ] {
        for policy in &policies {
            match (decision(policy, &self_sign_up), expected) {
                (Decision::Refuse(refusal), Some(expected)) => assert_eq!(refusal, expected),
                (Decision::Admit { .. }, None) => {}
                (decision, _) => panic!("{decision:?} for {self_sign_up:?} under {policy:?}"),
            }
        }
        let ignored = decision(&Policy::default(), &self_sign_up);
        assert_eq!(ignored, admitted(CONFIRMED, false), "policy without invitations");
    }
    let expired = decide(&policies[0], &SignUp::SelfSignUp(good), NOW + Duration::days(8));
    assert_eq!(expired, Decision::Refuse(Refusal::Invitation(InvitationError::Expired)));
}

#[test]
fn invitations_do_not_bypass_the_domain_rules() {
    let key = key().public_key();
    let policy = Policy {
        auto_confirm: AutoConfirm::Invited(key),
        denied_email_domains: list("example.com"),
        ..Policy::default()
    };
    let self_sign_up = invited("mia@example.com", "mia@example.com");
    assert_eq!(decision(&policy, &self_sign_up), Decision::Refuse(Refusal::EmailDomain));
}

#[test]
fn debug_output_omits_the_input() {
    let self_sign_up = format!("{:?}", invited("mia@example.com", "mia@example.com"));
    assert!(!self_sign_up.contains("mia") && !self_sign_up.contains("eyJ"), "{self_sign_up}");
}

#[test]
fn finds_the_sentence_of_each_refusal_in_an_error_message() {
    for refusal in [
        Refusal::NoEmail,
        Refusal::UnreadableEmail,
        Refusal::EmailDomain,
        Refusal::Invitation(InvitationError::Foreign),
        Refusal::InvitationWithoutRecipient,
        Refusal::ExternalProvider,
    ] {
        let sentence = refusal.public_sentence();
        assert_eq!(Refusal::sentence_in(&format!("PreSignUp failed with error {sentence}.")), Some(sentence));
    }
    assert_eq!(Refusal::sentence_in("PreSignUp failed with error no."), None);
}
