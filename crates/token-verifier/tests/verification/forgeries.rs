use std::sync::LazyLock;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{RSA_PKCS1_SHA512, RSA_PSS_SHA256};
use proptest::prelude::*;
use serde_json::{Value, json};
use token_verifier::{MAX_TOKEN_BYTES, Rejection, TokenUse};

use crate::pool::{
    CLIENT, ISSUED_AT, ISSUER, KEY_ID, OTHER_POOL, POOL, access_claims, encode, header, id_claims, verify, with,
};

fn signed_with(header: &Value) -> String {
    POOL.sign(&header.to_string(), &access_claims().to_string())
}

/// Signs a token with HS256 and the public key as the secret.
fn signed_with_public_key(secret: &[u8]) -> String {
    let header = with(header(), "alg", json!("HS256")).to_string();
    let message = format!("{}.{}", encode(header), encode(access_claims().to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", encode(tag))
}

#[test]
fn rejects_other_algorithms() {
    let jwk = POOL.jwk(KEY_ID);
    for secret in [jwk.to_string(), jwk["n"].as_str().unwrap().to_owned()] {
        assert_eq!(verify(&signed_with_public_key(secret.as_bytes())), Err(Rejection::Algorithm));
    }
    for alg in [json!("none"), json!("rs256"), json!("RS512"), json!("PS256"), json!(["RS256"]), Value::Null] {
        assert_eq!(verify(&signed_with(&with(header(), "alg", alg.clone()))), Err(Rejection::Algorithm), "{alg}");
    }
    let unsigned = format!("{}.{}.", encode(json!({"alg": "none"}).to_string()), encode(access_claims().to_string()));
    assert_eq!(verify(&unsigned), Err(Rejection::Algorithm));
}

#[test]
fn rejects_signatures_that_do_not_match() {
    let token = POOL.token(&access_claims());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let of_other_claims = POOL.token(&with(access_claims(), "username", json!("tim")));
    let signatures = [
        String::new(),
        encode([0; 256]),
        encode(POOL.signature(&RSA_PKCS1_SHA512, message)),
        encode(POOL.signature(&RSA_PSS_SHA256, message)),
        encode([POOL.signature(&aws_lc_rs::signature::RSA_PKCS1_SHA256, message), vec![0]].concat()),
        of_other_claims.rsplit_once('.').unwrap().1.to_owned(),
        OTHER_POOL.token(&access_claims()).rsplit_once('.').unwrap().1.to_owned(),
    ];
    for forged in signatures {
        assert_eq!(verify(&format!("{message}.{forged}")), Err(Rejection::Signature), "{forged}");
    }
    assert!(verify(&format!("{message}.{signature}")).is_ok());
}

#[test]
fn rejects_keys_from_the_token() {
    let jwk = OTHER_POOL.jwk(KEY_ID);
    let with_key = with(with(header(), "jwk", jwk), "jku", json!("https://attacker.example/jwks.json"));
    let token = OTHER_POOL.sign(&with_key.to_string(), &access_claims().to_string());
    assert_eq!(verify(&token), Err(Rejection::Signature));
    for kid in ["", "key-1", "key-1=\0", "../key-1=", "' OR '1'='1", "key-1==", "KEY-1="] {
        assert_eq!(verify(&signed_with(&with(header(), "kid", json!(kid)))), Err(Rejection::UnknownKey), "{kid}");
    }
    for kid in [Value::Null, json!(1), json!([KEY_ID])] {
        assert_eq!(verify(&signed_with(&with(header(), "kid", kid.clone()))), Err(Rejection::Malformed), "{kid}");
    }
}

#[test]
fn rejects_required_extensions() {
    for crit in [json!(["b64"]), json!([]), json!("b64")] {
        assert_eq!(verify(&signed_with(&with(header(), "crit", crit))), Err(Rejection::Extension));
    }
}

#[test]
fn rejects_duplicate_names() {
    let (header, claims) = (header().to_string(), access_claims().to_string());
    let twice = |object: &str, member: &str| object.replacen('{', &format!("{{{member},"), 1);
    for token in [
        POOL.sign(&twice(&header, r#""alg":"none""#), &claims),
        POOL.sign(&twice(&header, r#""kid":"other""#), &claims),
        POOL.sign(&header, &twice(&claims, r#""username":"root""#)),
        POOL.sign(&header, &twice(&claims, r#""\u0065xp":9999999999"#)),
        POOL.sign(&header, &twice(&claims, r#""jti":"j""#)),
    ] {
        assert_eq!(verify(&token), Err(Rejection::Malformed), "{token}");
    }
}

#[test]
fn rejects_malformed_tokens() {
    let (header, claims) = (header().to_string(), access_claims().to_string());
    let token = POOL.token(&access_claims());
    let mut tokens = vec![
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        token.replacen('.', "", 1),
        format!(".{token}"),
        format!("{token}."),
        format!("{token}.{token}"),
        format!("Bearer {token}"),
        format!("{token}\n"),
        format!(" {token}"),
        format!("{token}="),
        POOL.sign_message(&format!("{}=.{}", encode(&header), encode(&claims))),
        POOL.sign_message(&format!("{}.{}+", encode(&header), encode(&claims))),
        POOL.sign_message(&format!("{}.", encode(&header))),
    ];
    for part in ["", "null", "[]", "\"\"", "{", "{}{}", "{} x", "{}\0"] {
        tokens.push(POOL.sign(part, &claims));
        tokens.push(POOL.sign(&header, part));
    }
    tokens.push(POOL.sign(&header, &format!("{claims}x")));
    for token in tokens {
        assert_eq!(verify(&token), Err(Rejection::Malformed), "{token}");
    }
}

/// The last character of base64 can contain bits that a decoder ignores.
#[test]
fn rejects_other_spellings_of_the_signature() {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let token = POOL.token(&access_claims());
    let last = ALPHABET.iter().position(|character| *character == *token.as_bytes().last().unwrap()).unwrap();
    // 256 bytes end with two characters, of which the last carries two bits.
    assert_eq!(last % 16, 0);
    for ignored in 1..16 {
        let other = char::from(ALPHABET[last + ignored]);
        let spelled = format!("{}{other}", &token[..token.len() - 1]);
        assert_eq!(verify(&spelled), Err(Rejection::Malformed), "{spelled}");
    }
}

#[test]
fn accepts_tokens_up_to_the_maximum_size() {
    let with_note = |bytes: usize| POOL.token(&with(access_claims(), "custom:note", json!("x".repeat(bytes))));
    let free = MAX_TOKEN_BYTES - with_note(0).len();
    assert!(verify(&with_note(free * 3 / 4)).is_ok());
    assert_eq!(verify(&"a".repeat(MAX_TOKEN_BYTES)), Err(Rejection::Malformed));
    assert_eq!(verify(&"a".repeat(MAX_TOKEN_BYTES + 1)), Err(Rejection::TooLarge));
}

static TOKEN: LazyLock<String> = LazyLock::new(|| POOL.token(&access_claims()));

/// Names of the claims that decide.
fn name() -> impl Strategy<Value = String> {
    "iss|client_id|token_use|exp|iat|nbf|aud|sub|username"
}

/// Values of claims, valid and invalid.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        prop_oneof![Just(ISSUER), Just(CLIENT), Just("access"), Just("id"), Just("mia"), Just("")]
            .prop_map(Value::from),
        (ISSUED_AT - 100..ISSUED_AT + 100).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
    ]
}

proptest! {
    /// No change of a token is accepted, so that a token has one spelling.
    #[test]
    fn rejects_every_changed_character(position: prop::sample::Index, replacement in "[ -~]") {
        let token = TOKEN.as_str();
        let position = position.index(token.len());
        let changed = format!("{}{replacement}{}", &token[..position], &token[position + 1..]);
        prop_assert_eq!(verify(&changed).is_ok(), changed == token);
    }

    /// Signed tokens with arbitrary values of the claims that decide.
    #[test]
    fn accepts_only_what_the_policy_accepts(
        claims in proptest::collection::btree_map(name(), value(), 0..5),
        is_access in any::<bool>(),
    ) {
        let mut all = if is_access { access_claims() } else { id_claims() };
        for (name, value) in claims {
            all = with(all, &name, value);
        }
        if let Ok(accepted) = verify(&POOL.token(&all)) {
            let client = if accepted.token_use == TokenUse::Access { "client_id" } else { "aud" };
            prop_assert_eq!(&all["iss"], ISSUER);
            prop_assert_eq!(&all[client], CLIENT);
            prop_assert!(all["exp"].as_u64().unwrap() > ISSUED_AT);
            prop_assert!(all["iat"].as_u64().unwrap() <= ISSUED_AT + 30);
            prop_assert!(all.get("nbf").is_none_or(|nbf| nbf.as_u64().unwrap() <= ISSUED_AT + 30));
            prop_assert!(accepted.token_use == TokenUse::Id || all.get("aud").is_none_or(|aud| aud == &json!([])));
        }
    }

    #[test]
    fn rejects_arbitrary_text(token in ".{0,400}") {
        prop_assert!(verify(&token).is_err());
    }
}
