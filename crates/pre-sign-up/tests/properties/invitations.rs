//! Invitations: nothing is confirmed or verified by anything but the one that was issued, for this pool and this address, in its time.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::invitation::{Invitation, SigningKey};
use domain::sign_up::{AutoConfirm, AutoVerifyEmail, Policy};
use proptest::prelude::*;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{answer, many, sign_up};

const POOL: &str = "eu-central-1_Ab12Cd34E";

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let key = SigningKey::from_seed(&[7; 32]).public_key();
    Policy {
        auto_confirm: AutoConfirm::Invited(key.clone()),
        auto_verify_email: AutoVerifyEmail::Invited(key),
        ..Policy::default()
    }
});

fn token(seed: u8, user_pool_id: &str, email: &str, days: i64) -> String {
    let now = OffsetDateTime::from_unix_timestamp(1_780_272_000).unwrap();
    let invitation = Invitation {
        id: "1".to_owned(),
        user_pool_id: user_pool_id.to_owned(),
        email: email.parse().unwrap(),
        issued_at: now,
        expires_at: now + Duration::days(days),
    };
    invitation.sign(&SigningKey::from_seed(&[seed; 32])).unwrap().expose().to_owned()
}

/// The flags that come back for whoever shows this; none for a refusal.
fn shown(email: &Value, invitation: &Value) -> Option<(bool, bool)> {
    let mut event = sign_up(email);
    event["request"]["clientMetadata"] = json!({"invitation": invitation});
    let response = answer(&POLICY, &event.to_string()).ok()?["response"].take();
    Some((response["autoConfirmUser"] == true, response["autoVerifyEmail"] == true))
}

/// One thing done to a token, that does not leave it as it was.
fn change() -> impl Strategy<Value = fn(&str, usize, u8) -> String> {
    let changes: Vec<fn(&str, usize, u8) -> String> = vec![
        |token, place, bit| {
            let mut bytes = token.as_bytes().to_vec();
            let place = place % bytes.len();
            bytes[place] ^= 1 << (bit % 7);
            String::from_utf8_lossy(&bytes).into_owned()
        },
        |token, place, byte| {
            let mut token = token.to_owned();
            token.insert(place % token.len(), char::from(byte));
            token
        },
        |token, place, _| {
            let mut token = token.to_owned();
            token.remove(place % token.len());
            token
        },
        |token, place, _| token[..place % token.len()].to_owned(),
        |token, place, _| token[1 + place % token.len()..].to_owned(),
        |token, place, _| {
            let mut parts: Vec<&str> = token.split('.').collect();
            parts.swap(place % 3, (place + 1) % 3);
            parts.join(".")
        },
        |token, _, byte| {
            let headers = [r#"{"alg":"none"}"#, r#"{"alg":"HS256"}"#, r#"{"alg":"EdDSA"}"#, "{}", ""];
            let (_, rest) = token.split_once('.').unwrap();
            format!("{}.{rest}", URL_SAFE_NO_PAD.encode(headers[usize::from(byte) % headers.len()]))
        },
        |token, place, bit| {
            let parts: Vec<&str> = token.split('.').collect();
            let mut payload = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
            let place = place % payload.len();
            payload[place] ^= 1 << (bit % 8);
            format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(payload), parts[2])
        },
    ];
    prop::sample::select(changes)
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn whoever_is_invited_is_confirmed_and_verified(email in "[a-zA-Z0-9]{1,20}@[a-zA-Z0-9]{1,20}\\.example", days in 1_i64..31) {
        let token = token(7, POOL, &email.to_lowercase(), days);
        prop_assert_eq!(shown(&json!(email), &json!(token)), Some((true, true)));
    }

    #[test]
    fn a_token_that_was_changed_in_any_way_is_refused(change in change(), place in any::<usize>(), byte in any::<u8>()) {
        let token = token(7, POOL, "mia@example.com", 7);
        let changed = change(&token, place, byte);
        prop_assume!(changed != token && !changed.is_empty());
        prop_assert_eq!(shown(&json!("mia@example.com"), &json!(changed)), None, "{}", changed);
    }

    #[test]
    fn a_token_for_anything_else_is_refused(
        seed in prop_oneof![4 => Just(7), 1 => any::<u8>()],
        pool in prop_oneof![4 => Just(POOL.to_owned()), 1 => "eu-central-1_[A-Za-z0-9]{9}"],
        email in prop_oneof![4 => Just("mia@example.com".to_owned()), 1 => "[a-z]{1,5}@example\\.com", 1 => "mia@[a-z]{1,9}\\.com"],
        days in prop_oneof![4 => 1_i64..31, 1 => -400_i64..=0],
    ) {
        prop_assume!((seed, pool.as_str(), email.as_str()) != (7, POOL, "mia@example.com") || days <= 0);
        let token = token(seed, &pool, &email, days);
        prop_assert_eq!(shown(&json!("mia@example.com"), &json!(token)), None);
    }

    #[test]
    fn an_address_that_is_not_the_invited_one_is_not_verified(email in any::<String>(), spelled in "\\PC{0,3}mia\\PC{0,2}@\\PC{0,2}example\\PC{0,2}com\\PC{0,2}") {
        let token = token(7, POOL, "mia@example.com", 7);
        for email in [email, spelled] {
            // What stands before the `@` has to be it letter by letter, the domain what DNS takes for it.
            let (local_part, domain) = email.rsplit_once('@').unwrap_or_default();
            let is_invited = local_part.eq_ignore_ascii_case("mia")
                && idna::domain_to_ascii_strict(domain).is_ok_and(|domain| domain == "example.com");
            prop_assert!(is_invited || shown(&json!(email), &json!(token)).is_none(), "{email:?}");
        }
    }

    #[test]
    fn what_is_no_token_gets_nobody_in(invitation in any::<String>()) {
        let expected = invitation.is_empty().then_some((false, false));
        prop_assert_eq!(shown(&json!("mia@example.com"), &json!(invitation)), expected);
    }
}
