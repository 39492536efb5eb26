//! The token: what it says, how it is signed, and what is asked of one that is shown.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;

use super::key::{PublicKey, SigningKey};
use crate::secret::Secret;
use crate::sign_up::EmailAddress;

/// `{"alg":"EdDSA","typ":"poolkeeper-invitation+jwt"}`, the one header that there is. It is compared and not read, so there is no
/// algorithm that could be confused, no key and no extension that a token could bring along. The type keeps tokens of any other kind out
/// (RFC 8725, sections 3.1 and 3.11).
const HEADER: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6InBvb2xrZWVwZXItaW52aXRhdGlvbitqd3QifQ";

/// Longer ones are refused unread. The longest that is issued has an address of [`crate::sign_up::MAX_ADDRESS_BYTES`].
pub const MAX_TOKEN_BYTES: usize = 2048;

/// Who is invited into which pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Random, so that one invitation can be told from another in logs.
    pub id: String,
    /// The pool, e.g. `eu-west-1_aBcDeFgHi`.
    pub user_pool_id: String,
    /// Who.
    pub email: EmailAddress,
    /// When it was issued.
    pub issued_at: OffsetDateTime,
    /// From when on it counts no more.
    pub expires_at: OffsetDateTime,
}

/// What somebody who shows an invitation says of themselves.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The pool that they sign up to.
    pub user_pool_id: &'a str,
    /// The address that they sign up with.
    pub email: &'a EmailAddress,
}

/// Why a token is no invitation for somebody. For logs: whoever shows it hears one sentence for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Fault {
    /// It is no token of ours.
    #[error("no invitation of ours")]
    Foreign,
    /// Another key has signed it, or it was changed.
    #[error("not signed with this key")]
    Signature,
    /// It is for another pool.
    #[error("for another pool")]
    OtherPool,
    /// It is for another address.
    #[error("for another e-mail address")]
    OtherAddress,
    /// Its time is over.
    #[error("expired")]
    Expired,
}

/// The payload, with the names that JWT has registered (RFC 7519, section 4.1).
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
    /// Signs it. The same invitation gives the same token.
    ///
    /// # Errors
    /// Never, as far as the encoder's code tells; its interface leaves it open.
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
    /// Whether a token invites whoever shows it; the id of the invitation where it does. Safe to repeat: nothing is used up.
    ///
    /// # Errors
    /// The first [`Fault`] that is found.
    pub fn check(&self, token: &str, key: &PublicKey, now: OffsetDateTime) -> Result<String, Fault> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Fault::Foreign);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Fault::Foreign)?;
        let (header, payload) = signed.split_once('.').ok_or(Fault::Foreign)?;
        if header != HEADER {
            return Err(Fault::Foreign);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Fault::Foreign)?;
        let signature = signature.try_into().map_err(|_| Fault::Foreign)?;
        if !key.has_signed(signed.as_bytes(), &signature) {
            return Err(Fault::Signature);
        }
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| Fault::Foreign)?;
        let claims: Claims<'_> = serde_json::from_slice(&payload).map_err(|_| Fault::Foreign)?;
        if claims.aud != self.user_pool_id {
            return Err(Fault::OtherPool);
        }
        if claims.email != self.email.to_string() {
            return Err(Fault::OtherAddress);
        }
        if claims.exp <= now.unix_timestamp() {
            return Err(Fault::Expired);
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

    fn check(token: &str) -> Result<String, Fault> {
        check_at(token, NOW)
    }

    fn check_at(token: &str, now: OffsetDateTime) -> Result<String, Fault> {
        Claim { user_pool_id: POOL, email: &email("mia@example.com") }.check(token, &key().public_key(), now)
    }

    fn encoded(json: &str) -> String {
        URL_SAFE_NO_PAD.encode(json)
    }

    /// A token with this header and payload, signed with our key.
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
    fn whoever_is_invited_may_show_the_token_again_and_again() {
        let token = token();
        assert_eq!(check(&token), Ok(own_id()));
        assert_eq!(check(&token), Ok(own_id()));
        assert_eq!(
            payload_of(&token),
            r#"{"jti":"n3Zl","aud":"eu-west-1_aBcDeFgHi","email":"mia@example.com","iat":0,"exp":604800}"#
        );
    }

    #[test]
    fn it_expires_to_the_second() {
        let (token, end) = (token(), NOW + Duration::days(7));
        assert_eq!(check_at(&token, end - Duration::seconds(1)), Ok(own_id()));
        assert_eq!(check_at(&token, end), Err(Fault::Expired));
        assert_eq!(check_at(&token, end + Duration::days(10_000)), Err(Fault::Expired));
    }

    #[test]
    fn it_is_good_for_one_pool_and_one_address_and_under_one_key() {
        let (token, own) = (token(), key().public_key());
        let email_of = |text| email(text);
        let other_key = SigningKey::from_seed(&[8; 32]).public_key();
        for (user_pool_id, address, key, expected) in [
            (POOL, "MIA@example.COM", &own, Ok(own_id())),
            ("eu-west-1_aBcDeFgHj", "mia@example.com", &own, Err(Fault::OtherPool)),
            ("", "mia@example.com", &own, Err(Fault::OtherPool)),
            (POOL, "mia@example.org", &own, Err(Fault::OtherAddress)),
            (POOL, "mia@mail.example.com", &own, Err(Fault::OtherAddress)),
            (POOL, "mia+1@example.com", &own, Err(Fault::OtherAddress)),
            (POOL, "m.ia@example.com", &own, Err(Fault::OtherAddress)),
            (POOL, "mia@example.com", &other_key, Err(Fault::Signature)),
        ] {
            let claim = Claim { user_pool_id, email: &email_of(address) };
            assert_eq!(claim.check(&token, key, NOW), expected, "{user_pool_id} {address}");
        }
    }

    #[test]
    fn no_byte_of_it_can_be_changed_left_out_or_added() {
        let token = token();
        for place in 0..token.len() {
            for with in *b"ABz9-_.=+ " {
                let mut changed = token.clone().into_bytes();
                if changed[place] == with {
                    continue;
                }
                changed[place] = with;
                let changed = String::from_utf8(changed).unwrap();
                assert!(check(&changed).is_err(), "{changed}");
                let (before, after) = token.split_at(place);
                assert!(check(&format!("{before}{}{after}", char::from(with))).is_err(), "{place}");
            }
            let (before, after) = token.split_at(place);
            assert!(check(&format!("{before}{}", &after[1..])).is_err(), "{place}");
            assert!(check(before).is_err(), "{place}");
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
    fn no_other_header_counts_even_where_our_key_has_signed_it() {
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
            assert_eq!(check(&signed(header, &payload)), Err(Fault::Foreign), "{header}");
        }
        let unsigned = format!("{}.{}.", encoded(r#"{"alg":"none"}"#), encoded(&payload));
        assert_eq!(check(&unsigned), Err(Fault::Foreign));
        assert_eq!(check(&format!("{HEADER}.{}.", encoded(&payload))), Err(Fault::Foreign));
    }

    #[test]
    fn a_payload_that_does_not_say_everything_is_none_of_ours() {
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
            assert_eq!(check(&signed(own, payload)), Err(Fault::Foreign), "{payload}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused_and_a_long_one_unread() {
        for text in ["", ".", "..", "...", "a", "a.b.c", HEADER, &format!("{HEADER}..")] {
            assert_eq!(check(text), Err(Fault::Foreign), "{text}");
        }
        let long = Invitation { id: "x".repeat(MAX_TOKEN_BYTES), ..invitation() };
        assert_eq!(check(long.sign(&key()).unwrap().expose()), Err(Fault::Foreign), "though it is signed");
    }

    #[test]
    fn a_token_of_the_greatest_length_is_read() {
        let token = |length: usize| Invitation { id: "x".repeat(length), ..invitation() }.sign(&key()).unwrap();
        let longest = (0..MAX_TOKEN_BYTES).map(token).find(|token| token.expose().len() == MAX_TOKEN_BYTES).unwrap();
        assert!(check(longest.expose()).is_ok());
    }

    #[test]
    fn the_longest_addresses_are_invited_as_well() {
        for local_part in ["x".repeat(242), "ä".repeat(121)] {
            let email = email(&format!("{local_part}@example.com"));
            let token = Invitation { email: email.clone(), ..invitation() }.sign(&key()).unwrap();
            let claim = Claim { user_pool_id: POOL, email: &email };
            assert_eq!(claim.check(token.expose(), &key().public_key(), NOW), Ok(own_id()), "{local_part}");
        }
    }
}
