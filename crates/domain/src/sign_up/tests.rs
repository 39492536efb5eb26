//! The policy in tables: every rule with what it admits and what it refuses, and every way into the pool.

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

fn text(text: &str) -> Given {
    Given::from(text.to_owned())
}

fn applicant(email: &str) -> SelfSignUp {
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
    SelfSignUp { invitation: text(invitation.sign(&key()).unwrap().expose()), ..applicant(email) }
}

/// Admitted with these grants, by the invitation of [`invited`] or by none.
fn admitted(grants: Grants, by_invitation: bool) -> Decision {
    Decision::Admit { grants, invitation: by_invitation.then(|| "1".to_owned()) }
}

fn decision(policy: &Policy, self_sign_up: &SelfSignUp) -> Decision {
    decide(policy, &SignUp::SelfSignUp(self_sign_up.clone()), NOW)
}

/// A policy that would admit nobody and grant everything: whoever comes by a way without rules must not notice it.
fn harsh() -> Policy {
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
fn an_administrators_decision_stands_and_an_unknown_way_is_granted_nothing() {
    for sign_up in [SignUp::Administrator, SignUp::Unknown] {
        for policy in [Policy::default(), harsh()] {
            assert_eq!(decide(&policy, &sign_up, NOW), Decision::Unchanged, "{sign_up:?}");
        }
    }
}

#[test]
fn for_external_providers_only_their_own_rule_counts() {
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
        let policy = Policy { external_providers: providers.parse().unwrap(), ..harsh() };
        assert_eq!(decide(&policy, &from(user_name), NOW), expected, "{user_name:?} under {providers}");
    }
}

#[test]
fn an_application_is_confirmed_as_the_policy_says() {
    let trusted = || AutoConfirm::TrustedDomains(list("example.com,*.example.com"));
    let invited_only = || AutoConfirm::Invited(key().public_key());
    for (auto_confirm, self_sign_up, expected) in [
        (AutoConfirm::Everyone, applicant("mia@example.com"), CONFIRMED),
        (AutoConfirm::Everyone, SelfSignUp::default(), CONFIRMED),
        (AutoConfirm::Everyone, invited("mia@example.com", "kim@example.com"), CONFIRMED),
        (AutoConfirm::Nobody, applicant("mia@example.com"), NOTHING),
        (AutoConfirm::Nobody, invited("mia@example.com", "mia@example.com"), NOTHING),
        (trusted(), applicant("mia@example.com"), CONFIRMED),
        (trusted(), applicant("mia@MAIL.example.com"), CONFIRMED),
        (trusted(), applicant("mia@evilexample.com"), NOTHING),
        (trusted(), applicant("mia@example.com.evil.org"), NOTHING),
        (trusted(), applicant("example.com@evil.org"), NOTHING),
        (invited_only(), applicant("mia@example.com"), NOTHING),
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
fn verifies_an_address_that_is_present_and_proved_or_everyones() {
    let nobody = || AutoVerifyEmail::Nobody;
    let invited_only = || AutoVerifyEmail::Invited(key().public_key());
    for (auto_verify_email, self_sign_up, expected) in [
        (nobody(), applicant("mia@example.com"), CONFIRMED),
        (nobody(), invited("mia@example.com", "mia@example.com"), CONFIRMED),
        (invited_only(), applicant("mia@example.com"), CONFIRMED),
        (invited_only(), invited("mia@example.com", "mia@example.com"), VERIFIED),
        (AutoVerifyEmail::Everyone, applicant("mia@example.com"), VERIFIED),
        (AutoVerifyEmail::Everyone, applicant(""), CONFIRMED),
        (AutoVerifyEmail::Everyone, SelfSignUp { email: Given::Unreadable, ..applicant("") }, CONFIRMED),
    ] {
        let by_invitation = matches!(auto_verify_email, AutoVerifyEmail::Invited(_)) && expected.verify_email;
        let policy = Policy { auto_verify_email, ..Policy::default() };
        let expected = admitted(expected, by_invitation);
        assert_eq!(decision(&policy, &self_sign_up), expected, "{self_sign_up:?} under {policy:?}");
    }
}

#[test]
fn verifies_a_phone_number_that_is_present_if_the_policy_says_so() {
    for (auto_verify_phone, phone_number, expected) in [
        (AutoVerifyPhone::Nobody, text("+15555550100"), false),
        (AutoVerifyPhone::Everyone, text("+15555550100"), true),
        (AutoVerifyPhone::Everyone, text(""), false),
        (AutoVerifyPhone::Everyone, Given::Unreadable, false),
    ] {
        let policy = Policy { auto_verify_phone, ..Policy::default() };
        let self_sign_up = SelfSignUp { phone_number, ..applicant("mia@example.com") };
        assert_eq!(decision(&policy, &self_sign_up), admitted(Grants { verify_phone: expected, ..CONFIRMED }, false));
    }
}

#[test]
fn verifies_nothing_of_users_whom_it_does_not_confirm() {
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
fn domains_decide_who_may_sign_up_and_denied_wins_over_allowed() {
    for (allowed, denied, email, gets_in) in [
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
        let expected = if gets_in { admitted(CONFIRMED, false) } else { Decision::Refuse(Refusal::EmailDomain) };
        assert_eq!(decision(&policy, &applicant(email)), expected, "{email}, allowed {allowed}, denied {denied}");
    }
}

#[test]
fn where_a_domain_decides_everybody_needs_an_address_that_can_be_read() {
    let policies = [
        Policy { allowed_email_domains: list("example.com"), ..Policy::default() },
        Policy { denied_email_domains: list("evil.example"), ..Policy::default() },
        Policy { auto_confirm: AutoConfirm::TrustedDomains(list("example.com")), ..Policy::default() },
    ];
    for (email, expected) in [
        (Given::Absent, Refusal::NoEmail),
        (text(""), Refusal::NoEmail),
        (Given::Unreadable, Refusal::UnreadableEmail),
        (text("mia"), Refusal::UnreadableEmail),
        (text("mia@"), Refusal::UnreadableEmail),
        (text("mia@example.com "), Refusal::UnreadableEmail),
        (text("mia@exam\u{ad}ple.com"), Refusal::UnreadableEmail),
        (text("mia@example.com."), Refusal::UnreadableEmail),
        (text("mia@evil.org@example.com"), Refusal::UnreadableEmail),
    ] {
        for policy in &policies {
            let self_sign_up = SelfSignUp { email: email.clone(), ..applicant("") };
            assert_eq!(decision(policy, &self_sign_up), Decision::Refuse(expected), "{email:?} under {policy:?}");
        }
        let self_sign_up = SelfSignUp { email: email.clone(), ..applicant("") };
        assert_eq!(
            decision(&Policy::default(), &self_sign_up),
            admitted(CONFIRMED, false),
            "{email:?}, without a list"
        );
    }
}

#[test]
fn an_invitation_that_does_not_count_refuses_the_sign_up_where_invitations_make_a_difference() {
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
        (SelfSignUp { invitation: Given::Absent, ..good.clone() }, None),
        (invited("mia@example.com", "kim@example.com"), fault(Fault::OtherAddress)),
        (SelfSignUp { user_pool_id: text("eu-west-1_other"), ..good.clone() }, fault(Fault::OtherPool)),
        (SelfSignUp { invitation: text("e30.e30."), ..good.clone() }, fault(Fault::Foreign)),
        (SelfSignUp { invitation: Given::Unreadable, ..good.clone() }, fault(Fault::Foreign)),
        (SelfSignUp { email: Given::Absent, ..good.clone() }, Some(Refusal::InvitationForNobody)),
        (SelfSignUp { email: Given::Unreadable, ..good.clone() }, Some(Refusal::InvitationForNobody)),
        (SelfSignUp { email: text("mia@example.com\u{200b}"), ..good.clone() }, Some(Refusal::InvitationForNobody)),
        (SelfSignUp { user_pool_id: Given::Absent, ..good.clone() }, Some(Refusal::InvitationForNobody)),
    ] {
        for policy in &policies {
            match (decision(policy, &self_sign_up), expected) {
                (Decision::Refuse(refusal), Some(expected)) => assert_eq!(refusal, expected),
                (Decision::Admit { .. }, None) => {}
                (decision, _) => panic!("{decision:?} for {self_sign_up:?} under {policy:?}"),
            }
        }
        let elsewhere = decision(&Policy::default(), &self_sign_up);
        assert_eq!(elsewhere, admitted(CONFIRMED, false), "where they make none");
    }
    let expired = decide(&policies[0], &SignUp::SelfSignUp(good), NOW + Duration::days(8));
    assert_eq!(expired, Decision::Refuse(Refusal::Invitation(Fault::Expired)));
}

#[test]
fn an_invitation_opens_no_domain_that_is_closed() {
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
fn nothing_that_a_person_gave_is_in_debug_output() {
    let self_sign_up = format!("{:?}", invited("mia@example.com", "mia@example.com"));
    assert!(!self_sign_up.contains("mia") && !self_sign_up.contains("eyJ"), "{self_sign_up}");
}
