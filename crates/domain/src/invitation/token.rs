//! Signs and verifies invitation tokens.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;

use super::key::{PublicKey, SigningKey};
use crate::secret::Secret;
use crate::sign_up::EmailAddress;

/// `{"alg":"EdDSA","typ":"poolkeeper-invitation+jwt"}`, the only accepted header. The header is compared, not parsed,
/// so a token cannot choose an algorithm, a key or an extension. The `typ` header excludes other kinds of tokens (RFC
/// 8725, sections 3.1 and 3.11).
const HEADER: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6InBvb2xrZWVwZXItaW52aXRhdGlvbitqd3QifQ";

/// Longer tokens are rejected before parsing. A token for an address of [`crate::sign_up::MAX_ADDRESS_BYTES`] is
/// shorter.
pub const MAX_TOKEN_BYTES: usize = 2048;

/// The content of an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// A random id, which identifies the invitation in logs.
    pub id: String,
    /// The user pool's id, e.g. `eu-west-1_aBcDeFgHi`.
    pub user_pool_id: String,
    /// The invited e-mail address.
    pub email: EmailAddress,
    /// When the invitation was issued.
    pub issued_at: OffsetDateTime,
    /// When the invitation expires.
    pub expires_at: OffsetDateTime,
}

/// The pool and the e-mail address of the sign-up that uses an invitation.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The user pool's id.
    pub user_pool_id: &'a str,
    /// The e-mail address.
    pub email: &'a EmailAddress,
}

/// Why a token is rejected. The reason is for logs only. The caller receives the same message for every reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvitationError {
    /// The token is not an invitation token, or is malformed.
    #[error("not a Poolkeeper invitation token")]
    Foreign,
    /// The signature does not match the key and the content.
    #[error("invalid signature")]
    Signature,
    /// The token was issued for another pool.
    #[error("issued for another pool")]
    OtherPool,
    /// The token was issued for another e-mail address.
    #[error("issued for another e-mail address")]
    OtherAddress,
    /// The token has expired.
    #[error("expired")]
    Expired,
}

/// The payload, with the claim names of RFC 7519, section 4.1.
#[derive(Debug, Serialize, Deserialize)]
struct Claims<'a> {
    #[serde(borrow)]
    jti: Cow<'a, str>,
    #[serde(borrow)]
    aud: Cow<'a, str>,
    #[serde(borrow)]
    email: Cow<'a, str>,
    iat: i64,
    exp: i64,
}

impl Invitation {
    /// Signs the invitation. The same invitation always results in the same token.
    ///
    /// # Errors
    /// Returns the JSON encoder's error. The current encoder never fails for these types.
    pub fn sign(&self, key: &SigningKey) -> Result<Secret, serde_json::Error> {
        let Self { id, user_pool_id, email, issued_at, expires_at } = self;
        let claims = Claims {
            jti: id.into(),
            aud: user_pool_id.into(),
            email: email.to_string().into(),
            iat: issued_at.unix_timestamp(),
            exp: expires_at.unix_timestamp(),
        };
        let signed = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims)?));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
        Ok(Secret::new(format!("{signed}.{signature}")))
    }
}

impl Claim<'_> {
    /// Verifies that a token was issued for this pool and address, and returns the invitation's id. Safe to repeat:
    /// tokens are reusable.
    ///
    /// # Errors
    /// Returns the first [`InvitationError`] found.
    pub fn check(&self, token: &str, key: &PublicKey, now: OffsetDateTime) -> Result<String, InvitationError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(InvitationError::Foreign);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(InvitationError::Foreign)?;
        let (header, payload) = signed.split_once('.').ok_or(InvitationError::Foreign)?;
        if header != HEADER {
            return Err(InvitationError::Foreign);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| InvitationError::Foreign)?;
        let signature = signature.try_into().map_err(|_| InvitationError::Foreign)?;
        if !key.has_signed(signed.as_bytes(), &signature) {
            return Err(InvitationError::Signature);
        }
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| InvitationError::Foreign)?;
        let claims: Claims<'_> = serde_json::from_slice(&payload).map_err(|_| InvitationError::Foreign)?;
        if claims.aud != self.user_pool_id {
            return Err(InvitationError::OtherPool);
        }
        if claims.email != self.email.to_string() {
            return Err(InvitationError::OtherAddress);
        }
        if claims.exp <= now.unix_timestamp() {
            return Err(InvitationError::Expired);
        }
        Ok(claims.jti.into_owned())
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    const POOL: &str = "eu-west-1_aBcDeFgHi";
    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn key() -> SigningKey {
        SigningKey::from_seed(&[7; 32])
    }

    fn email(text: &str) -> EmailAddress {
        text.parse().unwrap()
    }

    fn invitation() -> Invitation {
        Invitation {
            id: "n3Zl".to_owned(),
            user_pool_id: POOL.to_owned(),
            email: email("Mia@Example.com"),
            issued_at: NOW,
            expires_at: NOW + Duration::days(7),
        }
    }

    fn own_id() -> String {
        invitation().id
    }

    fn token() -> String {
        invitation().sign(&key()).unwrap().expose().to_owned()
    }

    fn check(token: &str) -> Result<String, InvitationError> {
        check_at(token, NOW)
    }

    fn check_at(token: &str, now: OffsetDateTime) -> Result<String, InvitationError> {
        Claim { user_pool_id: POOL, email: &email("mia@example.com") }.check(token, &key().public_key(), now)
    }

    fn encoded(json: &str) -> String {
        URL_SAFE_NO_PAD.encode(json)
    }

    /// A token with this header and payload, signed with [`key`].
    fn signed(header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", encoded(header), encoded(payload));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(key().sign(signed.as_bytes())))
    }

    fn payload_of(token: &str) -> String {
        let payload = token.split('.').nth(1).unwrap();
        String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    }

    #[test]
    fn the_header_names_algorithm_and_type() {
        let header = URL_SAFE_NO_PAD.decode(HEADER).unwrap();
        assert_eq!(header, br#"{"alg":"EdDSA","typ":"poolkeeper-invitation+jwt"}"#);
    }

    #[test]
    fn token_is_reusable() {
        let token = token();
        assert_eq!(check(&token), Ok(own_id()));
        assert_eq!(check(&token), Ok(own_id()));
        assert_eq!(
            payload_of(&token),
            r#"{"jti":"n3Zl","aud":"eu-west-1_aBcDeFgHi","email":"mia@example.com","iat":0,"exp":604800}"#
        );
    }

    #[test]
    fn token_expires_to_the_second() {
        let (token, end) = (token(), NOW + Duration::days(7));
        assert_eq!(check_at(&token, end - Duration::seconds(1)), Ok(own_id()));
        assert_eq!(check_at(&token, end), Err(InvitationError::Expired));
        assert_eq!(check_at(&token, end + Duration::days(10_000)), Err(InvitationError::Expired));
    }

    #[test]
    fn token_is_valid_for_one_pool_address_and_key_only() {
        let (token, own) = (token(), key().public_key());
        let email_of = |text| email(text);
        let other_key = SigningKey::from_seed(&[8; 32]).public_key();
        for (user_pool_id, address, key, expected) in [
            (POOL, "MIA@example.COM", &own, Ok(own_id())),
            ("eu-west-1_aBcDeFgHj", "mia@example.com", &own, Err(InvitationError::OtherPool)),
            ("", "mia@example.com", &own, Err(InvitationError::OtherPool)),
            (POOL, "mia@example.org", &own, Err(InvitationError::OtherAddress)),
            (POOL, "mia@mail.example.com", &own, Err(InvitationError::OtherAddress)),
            (POOL, "mia+1@example.com", &own, Err(InvitationError::OtherAddress)),
            (POOL, "m.ia@example.com", &own, Err(InvitationError::OtherAddress)),
            (POOL, "mia@example.com", &other_key, Err(InvitationError::Signature)),
        ] {
            let claim = Claim { user_pool_id, email: &email_of(address) };
            assert_eq!(claim.check(&token, key, NOW), expected, "{user_pool_id} {address}");
        }
    }

    #[test]
    fn rejects_every_changed_removed_or_added_byte() {
        let token = token();
        for index in 0..token.len() {
            for with in *b"ABz9-_.=+ " {
                let mut changed = token.clone().into_bytes();
                if changed[index] == with {
                    continue;
                }
                changed[index] = with;
                let changed = String::from_utf8(changed).unwrap();
                assert!(check(&changed).is_err(), "{changed}");
                let (before, after) = token.split_at(index);
                assert!(check(&format!("{before}{}{after}", char::from(with))).is_err(), "{index}");
            }
            let (before, after) = token.split_at(index);
            assert!(check(&format!("{before}{}", &after[1..])).is_err(), "{index}");
            assert!(check(before).is_err(), "{index}");
        }
        for added in [
            format!("{token}="),
            format!("{token} "),
            format!(" {token}"),
            format!("{token}."),
            format!("{token}.{token}"),
        ] {
            assert!(check(&added).is_err(), "{added}");
        }
    }

    #[test]
    fn rejects_other_headers_even_if_signed_with_the_key() {
        let payload = payload_of(&token());
        let own = r#"{"alg":"EdDSA","typ":"poolkeeper-invitation+jwt"}"#;
        assert_eq!(check(&signed(own, &payload)), Ok(own_id()));
        for header in [
            r#"{"alg":"none","typ":"poolkeeper-invitation+jwt"}"#,
            r#"{"alg":"HS256","typ":"poolkeeper-invitation+jwt"}"#,
            r#"{"alg":"EdDSA","typ":"JWT"}"#,
            r#"{"alg":"EdDSA"}"#,
            r#"{"typ":"poolkeeper-invitation+jwt","alg":"EdDSA"}"#,
            r#"{"alg":"EdDSA","typ":"poolkeeper-invitation+jwt","crit":["b64"],"b64":false}"#,
            r#"{"alg":"EdDSA","typ":"poolkeeper-invitation+jwt","jwk":{}}"#,
            "{}",
            "",
        ] {
            assert_eq!(check(&signed(header, &payload)), Err(InvitationError::Foreign), "{header}");
        }
        let unsigned = format!("{}.{}.", encoded(r#"{"alg":"none"}"#), encoded(&payload));
        assert_eq!(check(&unsigned), Err(InvitationError::Foreign));
        assert_eq!(check(&format!("{HEADER}.{}.", encoded(&payload))), Err(InvitationError::Foreign));
    }

    #[test]
    fn rejects_payloads_without_all_claims() {
        let own = r#"{"alg":"EdDSA","typ":"poolkeeper-invitation+jwt"}"#;
        for payload in [
            "",
            "null",
            "[]",
            "{}",
            "not json",
            r#"{"aud":"eu-west-1_aBcDeFgHi","email":"mia@example.com","iat":0,"exp":604800}"#,
            r#"{"jti":"1","email":"mia@example.com","iat":0,"exp":604800}"#,
            r#"{"jti":"1","aud":"eu-west-1_aBcDeFgHi","iat":0,"exp":604800}"#,
            r#"{"jti":"1","aud":"eu-west-1_aBcDeFgHi","email":"mia@example.com","iat":0}"#,
            r#"{"jti":"1","aud":["eu-west-1_aBcDeFgHi"],"email":"mia@example.com","iat":0,"exp":604800}"#,
            r#"{"jti":"1","aud":"eu-west-1_aBcDeFgHi","email":"mia@example.com","iat":0,"exp":"604800"}"#,
            r#"{"jti":"1","aud":"eu-west-1_aBcDeFgHi","email":"mia@example.com","iat":0,"exp":1e300}"#,
        ] {
            assert_eq!(check(&signed(own, payload)), Err(InvitationError::Foreign), "{payload}");
        }
    }

    #[test]
    fn rejects_malformed_and_overlong_tokens() {
        for text in ["", ".", "..", "...", "a", "a.b.c", HEADER, &format!("{HEADER}..")] {
            assert_eq!(check(text), Err(InvitationError::Foreign), "{text}");
        }
        let long = Invitation { id: "x".repeat(MAX_TOKEN_BYTES), ..invitation() };
        assert_eq!(check(long.sign(&key()).unwrap().expose()), Err(InvitationError::Foreign), "although it is signed");
    }

    #[test]
    fn accepts_token_of_the_maximum_length() {
        let token = |length: usize| Invitation { id: "x".repeat(length), ..invitation() }.sign(&key()).unwrap();
        let longest = (0..MAX_TOKEN_BYTES).map(token).find(|token| token.expose().len() == MAX_TOKEN_BYTES).unwrap();
        assert!(check(longest.expose()).is_ok());
    }

    #[test]
    fn accepts_the_longest_addresses() {
        for local_part in ["x".repeat(242), "ä".repeat(121)] {
            let email = email(&format!("{local_part}@example.com"));
            let token = Invitation { email: email.clone(), ..invitation() }.sign(&key()).unwrap();
            let claim = Claim { user_pool_id: POOL, email: &email };
            assert_eq!(claim.check(token.expose(), &key().public_key(), NOW), Ok(own_id()), "{local_part}");
        }
    }
}
