//! Only an issued, unexpired invitation for this pool and this address confirms and verifies a user.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::invitation::{Invitation, SigningKey};
use domain::sign_up::{AutoConfirm, AutoVerifyEmail, Policy};
use proptest::prelude::*;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{answer, config, sign_up};

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

/// Returns the flags for a sign-up with this invitation, or `None` if it is rejected.
fn flags(email: &Value, invitation: &Value) -> Option<(bool, bool)> {
    let mut event = sign_up(email);
    event["request"]["clientMetadata"] = json!({"invitation": invitation});
    let response = answer(&POLICY, &event.to_string()).ok()?["response"].take();
    Some((response["autoConfirmUser"] == true, response["autoVerifyEmail"] == true))
}

/// A modification of a token.
fn change() -> impl Strategy<Value = fn(&str, usize, u8) -> String> {
    let changes: Vec<fn(&str, usize, u8) -> String> = vec![
        |token, position, bit| {
            let mut bytes = token.as_bytes().to_vec();
            let position = position % bytes.len();
            bytes[position] ^= 1 << (bit % 7);
            String::from_utf8_lossy(&bytes).into_owned()
        },
        |token, position, byte| {
            let mut token = token.to_owned();
            token.insert(position % token.len(), char::from(byte));
            token
        },
        |token, position, _| {
            let mut token = token.to_owned();
            token.remove(position % token.len());
            token
        },
        |token, position, _| token[..position % token.len()].to_owned(),
        |token, position, _| token[1 + position % token.len()..].to_owned(),
        |token, position, _| {
            let mut parts: Vec<&str> = token.split('.').collect();
            parts.swap(position % 3, (position + 1) % 3);
            parts.join(".")
        },
        |token, _, byte| {
            let headers = [r#"{"alg":"none"}"#, r#"{"alg":"HS256"}"#, r#"{"alg":"EdDSA"}"#, "{}", ""];
            let (_, rest) = token.split_once('.').unwrap();
            format!("{}.{rest}", URL_SAFE_NO_PAD.encode(headers[usize::from(byte) % headers.len()]))
        },
        |token, position, bit| {
            let parts: Vec<&str> = token.split('.').collect();
            let mut payload = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
            let position = position % payload.len();
            payload[position] ^= 1 << (bit % 8);
            format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(payload), parts[2])
        },
    ];
    prop::sample::select(changes)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn confirms_and_verifies_invited_user(email in "[a-zA-Z0-9]{1,20}@[a-zA-Z0-9]{1,20}\\.example", days in 1_i64..31) {
        let token = token(7, POOL, &email.to_lowercase(), days);
        prop_assert_eq!(flags(&json!(email), &json!(token)), Some((true, true)));
    }

    #[test]
    fn rejects_modified_token(change in change(), position in any::<usize>(), byte in any::<u8>()) {
        let token = token(7, POOL, "mia@example.com", 7);
        let changed = change(&token, position, byte);
        prop_assume!(changed != token && !changed.is_empty());
        prop_assert_eq!(flags(&json!("mia@example.com"), &json!(changed)), None, "{}", changed);
    }

    #[test]
    fn rejects_token_of_other_key_pool_address_or_time(
        seed in prop_oneof![4 => Just(7), 1 => any::<u8>()],
        pool in prop_oneof![4 => Just(POOL.to_owned()), 1 => "eu-central-1_[A-Za-z0-9]{9}"],
        email in prop_oneof![4 => Just("mia@example.com".to_owned()), 1 => "[a-z]{1,5}@example\\.com", 1 => "mia@[a-z]{1,9}\\.com"],
        days in prop_oneof![4 => 1_i64..31, 1 => -400_i64..=0],
    ) {
        prop_assume!((seed, pool.as_str(), email.as_str()) != (7, POOL, "mia@example.com") || days <= 0);
        let token = token(seed, &pool, &email, days);
        prop_assert_eq!(flags(&json!("mia@example.com"), &json!(token)), None);
    }

    #[test]
    fn rejects_token_with_an_address_other_than_the_invited_one(email in any::<String>(), spelling in "\\PC{0,3}mia\\PC{0,2}@\\PC{0,2}example\\PC{0,2}com\\PC{0,2}") {
        let token = token(7, POOL, "mia@example.com", 7);
        for email in [email, spelling] {
            // The local part must match letter by letter, and the domain as DNS compares it.
            let (local_part, domain) = email.rsplit_once('@').unwrap_or_default();
            let is_invited = local_part.eq_ignore_ascii_case("mia")
                && idna::domain_to_ascii_strict(domain).is_ok_and(|domain| domain == "example.com");
            prop_assert!(is_invited || flags(&json!(email), &json!(token)).is_none(), "{email:?}");
        }
    }

    #[test]
    fn rejects_text_that_is_not_a_token(invitation in any::<String>()) {
        let expected = invitation.is_empty().then_some((false, false));
        prop_assert_eq!(flags(&json!("mia@example.com"), &json!(invitation)), expected);
    }
}
