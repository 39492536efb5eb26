//! Sends every file of events/pre-sign-up to the handler, under the settings that affect it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use pre_sign_up::failure::Failure;
use serde_json::Value;
use serde_json::value::RawValue;
use time::OffsetDateTime;

/// Environment variables of the function.
type Settings = &'static [(&'static str, &'static str)];

const EVERYONE: Settings = &[];
const NOBODY: Settings = &[("AUTO_CONFIRM", "nobody")];
const TRUSTED: Settings =
    &[("AUTO_CONFIRM", "trusted-domains"), ("TRUSTED_EMAIL_DOMAINS", "example.com,bücher.example")];
const ALLOWED: Settings = &[("ALLOWED_EMAIL_DOMAINS", "example.com,*.example.com")];
const DENIED: Settings = &[("ALLOWED_EMAIL_DOMAINS", "example.com"), ("DENIED_EMAIL_DOMAINS", "example.com")];
/// The example key of RFC 8410, section 10, whose private key is public.
const PUBLIC_KEY: (&str, &str) = ("INVITATION_PUBLIC_KEY", "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
const INVITED: Settings = &[PUBLIC_KEY, ("AUTO_CONFIRM", "invited"), ("AUTO_VERIFY_EMAIL", "invited")];
const VERIFY_ALL: Settings = &[("AUTO_VERIFY_EMAIL", "everyone"), ("AUTO_VERIFY_PHONE", "everyone")];
const VERIFY_TRUSTED: Settings = &[
    ("AUTO_CONFIRM", "trusted-domains"),
    ("TRUSTED_EMAIL_DOMAINS", "example.com"),
    ("AUTO_VERIFY_EMAIL", "everyone"),
    ("AUTO_VERIFY_PHONE", "everyone"),
];
const REFUSE_PROVIDERS: Settings = &[("EXTERNAL_PROVIDERS", "refuse")];
const GOOGLE: Settings = &[("EXTERNAL_PROVIDERS", "Google,Okta")];
const OKTA: Settings = &[("EXTERNAL_PROVIDERS", "Okta")];
/// Rejects every sign-up that the policy has a rule for.
const REJECT_ALL: Settings = &[("DENIED_EMAIL_DOMAINS", "example.com"), ("EXTERNAL_PROVIDERS", "refuse")];

/// The expected response to an event.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Expected {
    /// The same bytes.
    Unchanged,
    /// The event with these flags `true` and the others `false`.
    Flags(&'static [&'static str]),
    /// An error with this text.
    Refused(&'static str),
}
use Expected::{Flags, Refused, Unchanged};

const NOT_CONFIRMED: Expected = Flags(&[]);
const CONFIRMED: Expected = Flags(&["autoConfirmUser"]);
const CONFIRMED_AND_VERIFIED: Expected = Flags(&["autoConfirmUser", "autoVerifyEmail"]);
const WRONG_DOMAIN: Expected = Refused("E-mail addresses of this domain cannot be used to sign up");
const UNREADABLE: Expected = Refused("This e-mail address cannot be used to sign up");
const NO_EMAIL: Expected = Refused("An e-mail address is needed to sign up");
const WRONG_INVITATION: Expected = Refused("The invitation is not valid for this sign-up. Ask for a new one");
const WRONG_PROVIDER: Expected = Refused("Signing up through this provider is not possible");

const CASES: [(&str, Settings, Expected); 72] = [
    ("admin-create-user", EVERYONE, Unchanged),
    ("admin-create-user", REJECT_ALL, Unchanged),
    ("admin-create-user", VERIFY_ALL, Unchanged),
    ("external-provider", EVERYONE, Unchanged),
    ("external-provider", VERIFY_ALL, Unchanged),
    ("external-provider", DENIED, Unchanged),
    ("external-provider", GOOGLE, Unchanged),
    ("external-provider", OKTA, WRONG_PROVIDER),
    ("external-provider", REFUSE_PROVIDERS, WRONG_PROVIDER),
    ("external-provider-without-user-name", EVERYONE, Unchanged),
    ("external-provider-without-user-name", GOOGLE, WRONG_PROVIDER),
    ("sign-up", EVERYONE, CONFIRMED),
    ("sign-up", NOBODY, Unchanged),
    ("sign-up", TRUSTED, CONFIRMED),
    ("sign-up", ALLOWED, CONFIRMED),
    ("sign-up", DENIED, WRONG_DOMAIN),
    ("sign-up", INVITED, Unchanged),
    ("sign-up", VERIFY_ALL, CONFIRMED_AND_VERIFIED),
    ("sign-up", VERIFY_TRUSTED, CONFIRMED_AND_VERIFIED),
    ("sign-up", REFUSE_PROVIDERS, CONFIRMED),
    ("sign-up-by-user-name-without-email", EVERYONE, CONFIRMED),
    ("sign-up-by-user-name-without-email", ALLOWED, NO_EMAIL),
    ("sign-up-by-user-name-without-email", DENIED, NO_EMAIL),
    ("sign-up-by-user-name-without-email", TRUSTED, NO_EMAIL),
    ("sign-up-by-user-name-without-email", VERIFY_ALL, CONFIRMED),
    ("sign-up-empty-response", EVERYONE, CONFIRMED),
    ("sign-up-empty-response", NOBODY, NOT_CONFIRMED),
    ("sign-up-from-a-domain-with-example-in-front", ALLOWED, WRONG_DOMAIN),
    ("sign-up-from-a-domain-with-example-in-front", TRUSTED, Unchanged),
    ("sign-up-from-a-look-alike-domain", ALLOWED, WRONG_DOMAIN),
    ("sign-up-from-a-look-alike-domain", TRUSTED, Unchanged),
    ("sign-up-from-a-sub-domain", ALLOWED, CONFIRMED),
    ("sign-up-from-a-sub-domain", TRUSTED, Unchanged),
    ("sign-up-from-an-international-domain", ALLOWED, WRONG_DOMAIN),
    ("sign-up-from-an-international-domain", TRUSTED, CONFIRMED),
    ("sign-up-from-another-domain", EVERYONE, CONFIRMED),
    ("sign-up-from-another-domain", ALLOWED, WRONG_DOMAIN),
    ("sign-up-from-another-domain", TRUSTED, Unchanged),
    ("sign-up-from-another-domain", VERIFY_TRUSTED, Unchanged),
    ("sign-up-invited", INVITED, CONFIRMED_AND_VERIFIED),
    ("sign-up-invited", NOBODY, Unchanged),
    ("sign-up-invited", DENIED, WRONG_DOMAIN),
    ("sign-up-invited-by-validation-data", INVITED, CONFIRMED_AND_VERIFIED),
    ("sign-up-invited-in-other-case", INVITED, CONFIRMED_AND_VERIFIED),
    ("sign-up-null-flags", EVERYONE, CONFIRMED),
    ("sign-up-null-flags", NOBODY, NOT_CONFIRMED),
    ("sign-up-null-validation-data", EVERYONE, CONFIRMED),
    ("sign-up-null-validation-data", INVITED, Unchanged),
    ("sign-up-unknown-fields", EVERYONE, CONFIRMED),
    ("sign-up-unknown-fields", NOBODY, Unchanged),
    ("sign-up-with-a-changed-invitation", INVITED, WRONG_INVITATION),
    ("sign-up-with-an-expired-invitation", INVITED, WRONG_INVITATION),
    ("sign-up-with-an-invisible-character", ALLOWED, UNREADABLE),
    ("sign-up-with-an-invitation-for-another-address", INVITED, WRONG_INVITATION),
    ("sign-up-with-an-invitation-for-another-address", EVERYONE, CONFIRMED),
    ("sign-up-with-an-invitation-of-another-key", INVITED, WRONG_INVITATION),
    ("sign-up-with-an-invitation-to-another-pool", INVITED, WRONG_INVITATION),
    ("sign-up-with-an-invitation-without-email", INVITED, WRONG_INVITATION),
    ("sign-up-with-an-unsigned-invitation", INVITED, WRONG_INVITATION),
    ("sign-up-with-client-metadata", EVERYONE, CONFIRMED),
    ("sign-up-with-client-metadata", INVITED, Unchanged),
    ("sign-up-with-email-that-is-no-text", ALLOWED, UNREADABLE),
    ("sign-up-with-email-that-is-no-text", VERIFY_ALL, CONFIRMED),
    ("sign-up-with-phone-number", VERIFY_ALL, Flags(&["autoConfirmUser", "autoVerifyPhone"])),
    ("sign-up-with-several-addresses", ALLOWED, UNREADABLE),
    ("sign-up-with-several-addresses", EVERYONE, CONFIRMED),
    ("sign-up-with-two-at-signs", DENIED, UNREADABLE),
    ("sign-up-without-caller-context", EVERYONE, CONFIRMED),
    ("sign-up-without-response", EVERYONE, CONFIRMED),
    ("sign-up-without-response", NOBODY, NOT_CONFIRMED),
    ("unknown-source", EVERYONE, Unchanged),
    ("unknown-source", REJECT_ALL, Unchanged),
];

/// 2026-06-01, when the invitations in the files are valid, except the expired one.
fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_780_272_000).unwrap()
}

fn answer(settings: Settings, event: &str) -> Result<String, Failure> {
    let value = |variable: &str| Some(settings.iter().find(|(name, _)| *name == variable)?.1.to_owned());
    let policy = pre_sign_up::settings::policy(value).unwrap();
    let event = RawValue::from_string(event.trim().to_owned()).unwrap();
    pre_sign_up::handler::handle(&policy, event, now()).map(|event| event.get().to_owned())
}

fn event(case: &str) -> String {
    testkit::events::all("pre-sign-up").into_iter().find(|(name, _)| name == case).unwrap().1
}

#[test]
fn event_files_match_the_expectations() {
    let files: BTreeSet<String> = testkit::events::all("pre-sign-up").into_iter().map(|(case, _)| case).collect();
    assert_eq!(files, CASES.iter().map(|(case, _, _)| (*case).to_owned()).collect());
    assert!(CASES.is_sorted_by_key(|(case, _, _)| case), "expected the cases in alphabetical order");
}

#[test]
fn answers_every_event_according_to_the_settings() {
    for (case, settings, expected) in CASES {
        let event = event(case);
        let answered = answer(settings, &event);
        match expected {
            Unchanged => assert_eq!(answered.as_deref(), Ok(event.trim()), "{case} under {settings:?}"),
            Flags(flags) => {
                let mut wanted: Value = serde_json::from_str(&event).unwrap();
                for flag in ["autoConfirmUser", "autoVerifyEmail", "autoVerifyPhone"] {
                    wanted["response"][flag] = Value::Bool(flags.contains(&flag));
                }
                let answered: Value = serde_json::from_str(&answered.unwrap()).unwrap();
                assert_eq!(answered, wanted, "{case} under {settings:?}");
            }
            Refused(sentence) => {
                let failure = answered.unwrap_err();
                assert_eq!(failure.public_sentence(), sentence, "{case} under {settings:?}");
            }
        }
    }
}

#[test]
fn preserves_numbers_beyond_float_precision() {
    let answered = answer(EVERYONE, &event("sign-up-unknown-fields")).unwrap();
    assert!(answered.contains("123456789012345678901234567890") && answered.contains("0.30000000000000004"));
}
