//! Tests that only issued tokens are accepted, and that signed tokens are accepted only with the required claims.
#![no_main]

#[path = "../../crates/token-verifier/tests/verification/pool.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "shared with the tests")]
mod pool;

use std::sync::LazyLock;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use pool::{CLIENT, ISSUED_AT, ISSUER, KEY_ID, POOL, access_claims, at, header, id_claims, machine_claims, policy};
use poolkeeper_fuzz::edit::Edit;
use serde_json::Value;
use token_verifier::{KeySet, Policy};

static KEYS: LazyLock<KeySet> = LazyLock::new(|| POOL.keys());
static POLICY: LazyLock<Policy> = LazyLock::new(policy);
static HEADER: LazyLock<String> = LazyLock::new(|| header().to_string());
static CLAIMS: LazyLock<[String; 3]> =
    LazyLock::new(|| [access_claims(), id_claims(), machine_claims()].map(|claims| claims.to_string()));
static ISSUED: LazyLock<[String; 3]> = LazyLock::new(|| CLAIMS.each_ref().map(|claims| POOL.sign(&HEADER, claims)));

/// The characters of a token.
const CHARACTERS: &[u8; 65] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

#[derive(Debug, Arbitrary)]
enum Attempt<'a> {
    /// Any text.
    Text(&'a str),
    /// An issued token, changed.
    Changed { token: u8, edit: Edit<'a> },
    /// An issued token with one other character.
    Replaced { token: u8, at: u16, with: u8 },
    /// A header and claims of which no part was signed, with an issued signature.
    Unsigned { token: u8, header: &'a str, claims: &'a str },
    /// A signed token with changed claims.
    Claims { token: u8, edit: Edit<'a> },
    /// A signed token with a changed header.
    Header { token: u8, edit: Edit<'a> },
}

fuzz_target!(|attempt: Attempt<'_>| match attempt {
    Attempt::Text(text) => assert_rejected_unless_issued(text),
    Attempt::Changed { token, edit } => {
        if let Ok(token) = String::from_utf8(edit.apply(of(&ISSUED, token))) {
            assert_rejected_unless_issued(&token);
        }
    }
    Attempt::Replaced { token, at, with } => {
        let mut token = of(&ISSUED, token).to_owned();
        let at = usize::from(at) % token.len();
        token.replace_range(at..=at, &char::from(CHARACTERS[usize::from(with) % CHARACTERS.len()]).to_string());
        assert_rejected_unless_issued(&token);
    }
    Attempt::Unsigned { token, header, claims } => {
        let (_, signature) = of(&ISSUED, token).rsplit_once('.').unwrap_or_default();
        assert_rejected_unless_issued(&format!("{}.{}.{signature}", pool::encode(header), pool::encode(claims)));
    }
    Attempt::Claims { token, edit } => {
        if let Ok(claims) = String::from_utf8(edit.apply(of(&CLAIMS, token))) {
            assert_accepted_only_as_read(&HEADER, &claims);
        }
    }
    Attempt::Header { token, edit } => {
        if let Ok(header) = String::from_utf8(edit.apply(&HEADER)) {
            assert_accepted_only_as_read(&header, of(&CLAIMS, token));
        }
    }
});

fn of(texts: &[String; 3], index: u8) -> &str {
    &texts[usize::from(index) % texts.len()]
}

/// RS256 has one signature for each message, so no other text is a valid token.
fn assert_rejected_unless_issued(token: &str) {
    let accepted = POLICY.verify(token, &KEYS, at(ISSUED_AT)).is_ok();
    assert_eq!(accepted, ISSUED.iter().any(|issued| issued == token), "{token}");
}

/// Signs header and claims. An accepted token must contain what the policy requires.
fn assert_accepted_only_as_read(header: &str, claims: &str) {
    if POLICY.verify(&POOL.sign(header, claims), &KEYS, at(ISSUED_AT)).is_err() {
        return;
    }
    let [header, claims] = [header, claims].map(|text| serde_json::from_str::<Value>(text).unwrap_or_default());
    assert!(header["alg"] == "RS256" && header["kid"] == KEY_ID && header.get("crit").is_none(), "{header}");
    let client = if claims["token_use"] == "access" { &claims["client_id"] } else { &claims["aud"] };
    let is_kind = claims["token_use"] == "access" || claims["token_use"] == "id";
    assert!(is_kind && claims["iss"] == ISSUER && client == CLIENT && claims["sub"].is_string(), "{claims}");
    let second = |name: &str| claims[name].as_u64();
    let is_current = second("exp") > Some(ISSUED_AT) && second("iat").is_some_and(|iat| iat <= ISSUED_AT + 30);
    assert!(is_current && second("auth_time").is_some(), "{claims}");
}
