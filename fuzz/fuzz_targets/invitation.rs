//! Tests that only invitations signed with the key are valid, and only for their pool and address.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::invitation::{Claim, Invitation, InvitationError, MAX_TOKEN_BYTES, PublicKey, SigningKey};
use domain::secret::Secret;
use domain::sign_up::EmailAddress;
use ed25519_dalek::Signer;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use poolkeeper_fuzz::edit::Edit;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

const SEED: [u8; 32] = [7; 32];
const POOL: &str = "eu-west-1_aBcDeFgHi";
const ADDRESS: &str = "mia@example.com";
const HEADER: &str = r#"{"alg":"EdDSA","typ":"poolkeeper-invitation+jwt"}"#;
const PAYLOAD: &str = r#"{"jti":"n3Zl","aud":"eu-west-1_aBcDeFgHi","email":"mia@example.com","iat":0,"exp":604800}"#;
const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

#[derive(Debug, Arbitrary)]
enum Attempt<'a> {
    /// Any text as a token.
    Text(&'a str),
    /// A valid token, changed.
    Changed(Edit<'a>),
    /// Another header or payload, signed with the key, as if the key were also used for other tokens.
    Signed { header: Option<Edit<'a>>, payload: Edit<'a> },
    /// An issued token with any content.
    Issued {
        id: &'a str,
        pool: &'a str,
        email: &'a str,
        hours: u16,
        other_pool: &'a str,
        other_email: &'a str,
        later: u32,
    },
    /// Any text as a key.
    Key(&'a str),
}

fuzz_target!(|attempt: Attempt<'_>| match attempt {
    Attempt::Text(text) => assert!(check(text).is_err() || text == token(), "valid: {text:?}"),
    Attempt::Changed(edit) => {
        let token = token();
        if let Ok(changed) = String::from_utf8(edit.apply(&token)) {
            assert!(check(&changed).is_err() || changed == token, "valid: {changed:?}");
        }
    }
    Attempt::Signed { header, payload } => {
        let header = header.map_or_else(|| HEADER.into(), |header| header.apply(HEADER));
        assert_signed(&header, &payload.apply(PAYLOAD));
    }
    Attempt::Issued { id, pool, email, hours, other_pool, other_email, later } => {
        if let Ok(email) = email.parse() {
            let invitation = Invitation {
                id: id.to_owned(),
                user_pool_id: pool.to_owned(),
                email,
                issued_at: NOW,
                expires_at: NOW + Duration::hours(hours.into()),
            };
            assert_issued(&invitation, other_pool, other_email.parse().ok(), NOW + Duration::seconds(later.into()));
        }
    }
    Attempt::Key(text) => assert_key(text),
});

/// A signed token is valid only if it has every claim, for this pool and address.
fn assert_signed(header: &[u8], payload: &[u8]) {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = ed25519_dalek::SigningKey::from_bytes(&SEED).sign(signed.as_bytes());
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()));
    let claims: Option<Value> = serde_json::from_slice(payload).ok();
    let says = |name: &str, text: &str| claims.as_ref().is_some_and(|claims| claims[name] == text);
    let expires_at = claims.as_ref().and_then(|claims| claims["exp"].as_i64());
    match check(&token) {
        Ok(id) => {
            assert_eq!(header, HEADER.as_bytes(), "valid with another header");
            let is_said = says("jti", &id) && says("aud", POOL) && says("email", ADDRESS);
            assert!(is_said, "valid as {id:?}: {claims:?}");
            assert!(expires_at.is_some_and(|end| end > NOW.unix_timestamp()), "valid: {claims:?}");
        }
        Err(InvitationError::OtherPool) => assert!(!says("aud", POOL), "{claims:?}"),
        Err(InvitationError::OtherAddress) => assert!(!says("email", ADDRESS), "{claims:?}"),
        Err(InvitationError::Expired) => {
            assert!(expires_at.is_some_and(|end| end <= NOW.unix_timestamp()), "{claims:?}");
        }
        Err(InvitationError::Foreign) => {}
        Err(InvitationError::Signature) => panic!("the signature is rejected"),
    }
}

/// An issued token is valid only for its pool and address until it expires.
fn assert_issued(invitation: &Invitation, other_pool: &str, other_email: Option<EmailAddress>, now: OffsetDateTime) {
    let Invitation { id, user_pool_id, email, expires_at, .. } = invitation;
    let token = invitation.sign(&key()).map(|token| token.expose().to_owned()).unwrap_or_default();
    if token.len() > MAX_TOKEN_BYTES {
        let is_real = |text: &str| {
            text.len() <= 55 && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
        };
        assert!(!(is_real(id) && is_real(user_pool_id)), "token too long: {invitation:?}");
        return;
    }
    let public_key = key().public_key();
    let own = Claim { user_pool_id, email };
    let expected = if now < *expires_at { Ok(id.clone()) } else { Err(InvitationError::Expired) };
    assert_eq!(own.check(&token, &public_key, now), expected);
    if other_pool != user_pool_id {
        let claim = Claim { user_pool_id: other_pool, ..own };
        assert_eq!(claim.check(&token, &public_key, now), Err(InvitationError::OtherPool));
    }
    if let Some(other) = other_email.filter(|other| other != email) {
        let claim = Claim { email: &other, ..own };
        assert_eq!(claim.check(&token, &public_key, now), Err(InvitationError::OtherAddress));
    }
    assert_eq!(own.check(&token, &SigningKey::from_seed(&[8; 32]).public_key(), now), Err(InvitationError::Signature));
}

/// A public key has one text form, which parses to the same key. No text is both a public and a private key.
fn assert_key(text: &str) {
    let public: Option<PublicKey> = text.parse().ok();
    if let Some(public) = &public {
        assert_eq!(public.to_string().parse().as_ref(), Ok(public));
    }
    if let Ok(signing) = SigningKey::from_pem(&Secret::new(text)) {
        assert!(public.is_none(), "a private key parses as a public one");
        let pem = signing.to_pem().and_then(|pem| SigningKey::from_pem(&pem));
        assert_eq!(pem.map(|key| key.public_key()), Ok(signing.public_key()));
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed(&SEED)
}

fn token() -> String {
    let invitation = Invitation {
        id: "n3Zl".to_owned(),
        user_pool_id: POOL.to_owned(),
        email: address(),
        issued_at: NOW,
        expires_at: NOW + Duration::days(7),
    };
    invitation.sign(&key()).map(|token| token.expose().to_owned()).unwrap_or_default()
}

fn check(token: &str) -> Result<String, InvitationError> {
    Claim { user_pool_id: POOL, email: &address() }.check(token, &key().public_key(), NOW)
}

fn address() -> EmailAddress {
    ADDRESS.parse().expect("a valid address")
}
