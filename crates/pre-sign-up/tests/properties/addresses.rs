//! Tests that no spelling of an address bypasses the domain rules, and that only the attribute `email` counts.

use domain::sign_up::Refusal;
use pre_sign_up::failure::Failure;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{answer, config, policy, sign_up};

const EVIL: &str = "evil.example";

/// Whether the sign-up was rejected because of its e-mail address.
fn is_refused(answer: &Result<Value, Failure>) -> bool {
    matches!(answer, Err(Failure::Refused(Refusal::EmailDomain | Refusal::UnreadableEmail | Refusal::NoEmail)))
}

/// Spellings that DNS and browsers treat as the same domain: letters of other case, width and style, and other full
/// stops.
fn spelling_of(domain: &str) -> impl Strategy<Value = String> + use<> {
    let character = |character: char| {
        let wide = char::from_u32(u32::from(character) + 0xFEE0).filter(|_| character.is_ascii_graphic());
        let mut spellings = vec![character.to_string(), character.to_string(), character.to_uppercase().to_string()];
        spellings.extend(wide.map(String::from));
        let styled = [('.', "。"), ('.', "｡"), ('i', "ⅰ"), ('l', "ℓ"), ('e', "ℯ"), ('m', "ℳ"), ('x', "ⅹ"), ('c', "ⓒ")];
        spellings
            .extend(styled.iter().filter(|(plain, _)| *plain == character).map(|(_, styled)| (*styled).to_owned()));
        prop::sample::select(spellings)
    };
    domain.chars().map(character).collect::<Vec<_>>().prop_map(|characters| characters.concat())
}

/// Sometimes a character that is invisible or that mail servers remove, at a random position.
fn disturbance() -> impl Strategy<Value = Option<(prop::sample::Index, &'static str)>> {
    let disturbances = [
        "\u{ad}", "\u{200b}", "\u{200d}", "\u{feff}", "\u{fe0f}", "\u{180b}", "\u{2060}", "\u{3000}", " ", "\t", "\0",
        "\r\n",
    ];
    prop::option::weighted(0.3, (any::<prop::sample::Index>(), prop::sample::select(disturbances.to_vec())))
}

fn disturbed(text: &str, disturbance: Option<(prop::sample::Index, &str)>) -> String {
    let mut characters: Vec<String> = text.chars().map(String::from).collect();
    if let Some((position, disturbance)) = disturbance {
        characters.insert(position.index(characters.len() + 1), disturbance.to_owned());
    }
    characters.concat()
}

/// Local parts that look like a complete address or contain special characters.
fn local_part() -> impl Strategy<Value = String> {
    let words = [
        "mia",
        "@",
        "example.com",
        "mia@example.com",
        "\"",
        "<",
        ">",
        "%",
        "!",
        ":",
        " ",
        ",",
        "\\",
        "\u{200b}",
        "＠",
        "+x",
        ".",
        "",
    ];
    prop_oneof![
        4 => vec(prop::sample::select(words.to_vec()), 1..5).prop_map(|words| words.concat()),
        1 => any::<String>(),
    ]
}

/// Domains that resemble `example.com`.
fn other_domain() -> impl Strategy<Value = String> {
    let label = "[a-z0-9]{1,8}";
    prop_oneof![
        label.prop_map(|label| format!("{label}example.com")),
        label.prop_map(|label| format!("{label}.example.com")),
        label.prop_map(|label| format!("{label}-example.com")),
        label.prop_map(|label| format!("example.com.{label}")),
        label.prop_map(|label| format!("example.com{label}")),
        label.prop_map(|label| format!("example.com@{label}")),
        label.prop_map(|label| format!("{label}.com")),
        label.prop_map(|label| format!("[{label}.example.com]")),
        Just("example.co".to_owned()),
        Just("xample.com".to_owned()),
        Just("example.com:25".to_owned()),
        // Cyrillic and Greek letters that look like the Latin ones, an accent, an i without its dot.
        prop::sample::select(vec![
            "ехаmple.com",
            "exαmple.com",
            "example.соm",
            "éxample.com",
            "example.cοm",
            "exampIe.com.evil.org",
            "exampl℮.com"
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ]
    .prop_filter("the domain itself", |domain| !domain.eq_ignore_ascii_case("example.com"))
}

/// Other positions of an address in an event.
fn decoy() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "/userName",
        "/email",
        "/request/email",
        "/request/userAttributes/Email",
        "/request/userAttributes/EMAIL",
        "/request/userAttributes/email ",
        "/request/userAttributes/custom:email",
        "/request/userAttributes/preferred_username",
        "/request/userAttributes/cognito:email_alias",
        "/request/clientMetadata/email",
        "/request/clientMetadata/userAttributes",
        "/request/validationData/email",
        "/response/email",
    ])
}

/// Sets the value at a pointer and creates missing objects.
fn set(event: &mut Value, pointer: &str, value: Value) {
    let mut target = event;
    for name in pointer.split('/').skip(1) {
        if !target.is_object() {
            *target = json!({});
        }
        target = &mut target[name];
    }
    *target = value;
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rejects_every_spelling_of_denied_domain(
        plain in "[a-z0-9]{1,8}",
        unusual in prop::option::weighted(0.3, local_part()),
        sub in "([a-z]{1,5}\\.){0,2}",
        domain in spelling_of(EVIL),
        disturbance in disturbance(),
    ) {
        let denied = policy(&[("DENIED_EMAIL_DOMAINS", "evil.example,*.evil.example")]);
        let email = disturbed(&format!("{}@{sub}{domain}", unusual.as_ref().unwrap_or(&plain)), disturbance);
        let answer = answer(&denied, &sign_up(&json!(email)).to_string());
        prop_assert!(is_refused(&answer), "{email:?}: {answer:?}");
        if unusual.is_none() && disturbance.is_none() {
            prop_assert_eq!(answer, Err(Failure::Refused(Refusal::EmailDomain)), "{:?}", email);
        }
    }

    #[test]
    fn rejects_every_spelling_of_denied_international_domain(
        domain in prop::sample::select(vec!["xn--bcher-kva.example", "bücher.example", "bu\u{308}cher.example"]).prop_flat_map(spelling_of),
        disturbance in disturbance(),
    ) {
        let denied = policy(&[("DENIED_EMAIL_DOMAINS", "bücher.example")]);
        let email = disturbed(&format!("mia@{domain}"), disturbance);
        let answer = answer(&denied, &sign_up(&json!(email)).to_string());
        prop_assert!(is_refused(&answer), "{email:?}: {answer:?}");
        if disturbance.is_none() {
            prop_assert_eq!(answer, Err(Failure::Refused(Refusal::EmailDomain)), "{:?}", email);
        }
    }

    #[test]
    fn never_mistakes_other_domain_for_allowed_or_trusted_domain(local_part in local_part(), domain in other_domain()) {
        let email = format!("{local_part}@{domain}");
        // Letters of another width, or a quoted `@` before the domain, are spellings of the domain itself.
        let (_, domain) = email.rsplit_once('@').unwrap();
        prop_assume!(idna::domain_to_ascii_strict(domain).ok().as_deref() != Some("example.com"));
        let event = sign_up(&json!(email)).to_string();

        let allowed = policy(&[("ALLOWED_EMAIL_DOMAINS", "example.com")]);
        let answered = answer(&allowed, &event);
        prop_assert!(is_refused(&answered), "{email:?}: {answered:?}");

        let trusted = policy(&[("AUTO_CONFIRM", "trusted-domains"), ("TRUSTED_EMAIL_DOMAINS", "example.com")]);
        let answered = answer(&trusted, &event);
        let is_confirmed = answered.as_ref().is_ok_and(|event| event["response"]["autoConfirmUser"] == true);
        prop_assert!(!is_confirmed, "{email:?}: {answered:?}");
    }

    #[test]
    fn ignores_addresses_outside_the_email_attribute(
        decoys in vec(decoy(), 0..6),
        email in prop_oneof![
            Just(Value::Null), Just(json!("")), Just(json!("mia@evil.example")), Just(json!(["mia@example.com"])),
            Just(json!({"email": "mia@example.com"})), Just(json!(1)), Just(json!("mia@example.com\u{200b}")),
        ],
    ) {
        let mut event = sign_up(&email);
        for decoy in decoys {
            set(&mut event, decoy, json!("mia@example.com"));
        }
        let settings = [("ALLOWED_EMAIL_DOMAINS", "example.com"), ("AUTO_VERIFY_EMAIL", "everyone")];
        let answer = answer(&policy(&settings), &event.to_string());
        prop_assert!(is_refused(&answer), "{event}: {answer:?}");
    }

    #[test]
    fn accepts_plain_addresses_of_allowed_domain(local_part in "[A-Za-z0-9]([A-Za-z0-9.+_-]{0,20}[A-Za-z0-9])?", sub in "([a-z0-9]{1,8}\\.){0,3}") {
        let allowed = policy(&[("ALLOWED_EMAIL_DOMAINS", "example.com,*.example.com"), ("DENIED_EMAIL_DOMAINS", EVIL)]);
        let event = sign_up(&json!(format!("{local_part}@{sub}Example.com")));
        let mut expected = event.clone();
        expected["response"]["autoConfirmUser"] = json!(true);
        prop_assert_eq!(answer(&allowed, &event.to_string()), Ok(expected));
    }
}
