//! A user pool that signs tokens.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaEncoding};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use token_verifier::{Claims, KeySet, Policy, Rejection, TokenUse};

pub(crate) const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHi";
pub(crate) const CLIENT: &str = "1example23456789";
pub(crate) const SUB: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
pub(crate) const SESSION: &str = "11111111-2222-3333-4444-555555555555";
/// The id of the key of [`POOL`] and of [`OTHER_POOL`].
pub(crate) const KEY_ID: &str = "key-1=";

/// When the tokens were issued, and when they expire.
pub(crate) const ISSUED_AT: u64 = 1_800_000_000;
pub(crate) const EXPIRES_AT: u64 = ISSUED_AT + 3600;

/// A key pair of a user pool.
pub(crate) struct Pool {
    key: KeyPair,
}

pub(crate) static POOL: LazyLock<Pool> = LazyLock::new(Pool::generate);
/// Another user pool, whose key has the same id.
pub(crate) static OTHER_POOL: LazyLock<Pool> = LazyLock::new(Pool::generate);

impl Pool {
    fn generate() -> Self {
        Self { key: KeyPair::generate(KeySize::Rsa2048).unwrap() }
    }

    /// Returns the public key in JWK format.
    pub(crate) fn jwk(&self, key_id: &str) -> Value {
        // The DER encoding of a 2,048-bit key: the headers of the sequence and of the modulus, the modulus, 65,537.
        let der = self.key.public_key().as_ref();
        assert_eq!(der.len(), 270);
        json!({"alg": "RS256", "e": "AQAB", "kid": key_id, "kty": "RSA", "n": encode(&der[9..265]), "use": "sig"})
    }

    pub(crate) fn keys(&self) -> KeySet {
        key_set(&[self.jwk(KEY_ID)]).unwrap()
    }

    /// Signs a token with this header and these claims.
    pub(crate) fn sign(&self, header: &str, claims: &str) -> String {
        self.sign_message(&format!("{}.{}", encode(header), encode(claims)))
    }

    /// Signs encoded header and claims.
    pub(crate) fn sign_message(&self, message: &str) -> String {
        format!("{message}.{}", encode(self.signature(&RSA_PKCS1_SHA256, message)))
    }

    pub(crate) fn signature(&self, encoding: &'static dyn RsaEncoding, message: &str) -> Vec<u8> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(encoding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        signature
    }

    /// Signs a token with these claims and a valid header.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&header().to_string(), &claims.to_string())
    }
}

pub(crate) fn key_set(keys: &[Value]) -> Result<KeySet, token_verifier::KeySetError> {
    KeySet::parse(json!({"keys": keys}).to_string().as_bytes())
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn header() -> Value {
    json!({"kid": KEY_ID, "alg": "RS256"})
}

/// The claims of an access token.
pub(crate) fn access_claims() -> Value {
    json!({
        "sub": SUB, "cognito:groups": ["staff", "admins"], "iss": ISSUER, "client_id": CLIENT, "origin_jti": SESSION,
        "event_id": "e", "token_use": "access", "scope": "aws.cognito.signin.user.admin shop/read",
        "auth_time": ISSUED_AT - 60, "exp": EXPIRES_AT, "iat": ISSUED_AT, "jti": "j", "username": "mia",
    })
}

/// The claims of an ID token.
pub(crate) fn id_claims() -> Value {
    json!({
        "sub": SUB, "email_verified": true, "iss": ISSUER, "cognito:username": "mia", "origin_jti": SESSION,
        "aud": CLIENT, "event_id": "e", "token_use": "id", "auth_time": ISSUED_AT, "exp": EXPIRES_AT,
        "iat": ISSUED_AT, "jti": "j", "email": "mia@example.com",
    })
}

/// The claims of an access token of the client credentials grant.
pub(crate) fn machine_claims() -> Value {
    json!({
        "sub": CLIENT, "token_use": "access", "scope": "shop/read", "auth_time": ISSUED_AT, "iss": ISSUER,
        "exp": EXPIRES_AT, "iat": ISSUED_AT, "version": 2, "jti": "j", "client_id": CLIENT,
    })
}

/// Returns the claims with one changed. `Value::Null` removes it.
pub(crate) fn with(mut claims: Value, name: &str, value: Value) -> Value {
    let object = claims.as_object_mut().unwrap();
    object.remove(name);
    if !value.is_null() {
        object.insert(name.to_owned(), value);
    }
    claims
}

pub(crate) fn policy() -> Policy {
    Policy {
        issuer: ISSUER.to_owned(),
        clients: [CLIENT.to_owned()].into(),
        token_uses: [TokenUse::Access, TokenUse::Id].into(),
        ..Policy::default()
    }
}

pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Verifies a token with the keys of [`POOL`] when it was issued.
pub(crate) fn verify(token: &str) -> Result<Claims, Rejection> {
    policy().verify(token, &POOL.keys(), at(ISSUED_AT))
}
