//! The access token of a person who acts on their own account. The user pool checks it, at the call that it is handed to.

use axum::extract::FromRequestParts;
use domain::secret::Secret;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::http::error::{ApiError, Unauthenticated};

/// Where the token stands when `Authorization` is taken, by a signature of IAM for instance.
const X_ACCESS_TOKEN: &str = "x-access-token";

/// The token in `X-Access-Token`, or else in `Authorization: Bearer`.
pub(crate) struct AccessToken(pub(crate) Secret);

impl<S: Sync> FromRequestParts<S> for AccessToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        token(&parts.headers)
            .map(|token| Self(Secret::new(token)))
            .ok_or(ApiError::Unauthenticated(Unauthenticated::NoAccessToken))
    }
}

/// The most characters of a token. Those of Cognito have a few thousand.
pub(crate) const MAX_TOKEN_CHARS: usize = 16_384;

/// A token of Cognito is base64url and dots.
pub(crate) fn stands_in_a_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_=.".contains(character)
}

/// The token that API Gateway's authorizer verified. Authorizers accept it with and without `Bearer`.
pub(crate) fn of_caller(headers: &HeaderMap) -> Option<Secret> {
    let bare = || text(headers, AUTHORIZATION.as_str());
    bearer(headers).or_else(bare).filter(is_token).map(Secret::new)
}

fn token(headers: &HeaderMap) -> Option<&str> {
    text(headers, X_ACCESS_TOKEN).or_else(|| bearer(headers)).filter(is_token)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text(headers, AUTHORIZATION.as_str())?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn is_token(token: &&str) -> bool {
    (1..=MAX_TOKEN_CHARS).contains(&token.len()) && token.chars().all(stands_in_a_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Headers = &'static [(&'static str, &'static str)];

    fn map(headers: Headers) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap());
        headers.iter().map(pair).collect()
    }

    #[test]
    fn takes_the_callers_token_with_and_without_its_scheme() {
        let table: [(Headers, Option<&str>); 6] = [
            (&[("authorization", "Bearer a.b-c_d")], Some("a.b-c_d")),
            (&[("authorization", "a.b-c_d")], Some("a.b-c_d")),
            (&[("authorization", "AWS4-HMAC-SHA256 Credential=x")], None),
            (&[("authorization", "Bearer a,Bearer b")], None),
            (&[("x-access-token", "a")], None),
            (&[], None),
        ];
        for (headers, expected) in table {
            let found = of_caller(&map(headers)).map(|token| token.expose().to_owned());
            assert_eq!(found.as_deref(), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_token_is_taken_from_its_header_and_from_nowhere_else() {
        let table: [(Headers, Option<&str>); 9] = [
            (&[("authorization", "Bearer a.b-c_d")], Some("a.b-c_d")),
            (&[("authorization", "bearer a")], Some("a")),
            (&[("x-access-token", "a")], Some("a")),
            (&[("authorization", "AWS4-HMAC-SHA256 Credential=x"), ("x-access-token", "a")], Some("a")),
            (&[("authorization", "AWS4-HMAC-SHA256 Credential=x")], None),
            (&[("authorization", "a")], None),
            (&[("authorization", "Bearer ")], None),
            (&[("authorization", "Bearer two words")], None),
            (&[], None),
        ];
        for (headers, expected) in table {
            assert_eq!(token(&map(headers)), expected, "{headers:?}");
        }
    }
}
