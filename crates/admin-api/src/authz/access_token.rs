//! Access tokens in request headers. The user pool verifies a token when it is passed to a call.

use axum::extract::FromRequestParts;
use domain::secret::Secret;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::http::error::{ApiError, Unauthenticated};

/// The header that contains the token if `Authorization` contains an AWS signature.
const X_ACCESS_TOKEN: &str = "x-access-token";

/// The token from `X-Access-Token`, or else from `Authorization: Bearer`, for routes on the user's own account.
pub(crate) struct AccessToken(pub(crate) Secret);

impl<S: Sync> FromRequestParts<S> for AccessToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        owner_token(&parts.headers).map(Self).ok_or(ApiError::Unauthenticated(Unauthenticated::NoAccessToken))
    }
}

/// The maximum number of characters of a token. Cognito's tokens have a few thousand.
pub(crate) const MAX_TOKEN_CHARS: usize = 16_384;

/// Whether the character can occur in Cognito's tokens, which consist of base64url characters and dots.
pub(crate) fn is_token_char(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_=.".contains(character)
}

/// The token that API Gateway's authorizer verified. Authorizers accept it with and without `Bearer`.
pub(crate) fn caller_token(headers: &HeaderMap) -> Option<Secret> {
    let bare = || text(headers, AUTHORIZATION.as_str());
    bearer(headers).or_else(bare).filter(is_token).map(Secret::new)
}

/// The access token of a user who acts on their own account.
pub(crate) fn owner_token(headers: &HeaderMap) -> Option<Secret> {
    text(headers, X_ACCESS_TOKEN).or_else(|| bearer(headers)).filter(is_token).map(Secret::new)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text(headers, AUTHORIZATION.as_str())?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn is_token(token: &&str) -> bool {
    (1..=MAX_TOKEN_CHARS).contains(&token.len()) && token.chars().all(is_token_char)
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
    fn accepts_the_callers_token_with_and_without_the_scheme() {
        let table: [(Headers, Option<&str>); 6] = [
            (&[("authorization", "Bearer a.b-c_d")], Some("a.b-c_d")),
            (&[("authorization", "a.b-c_d")], Some("a.b-c_d")),
            (&[("authorization", "AWS4-HMAC-SHA256 Credential=x")], None),
            (&[("authorization", "Bearer a,Bearer b")], None),
            (&[("x-access-token", "a")], None),
            (&[], None),
        ];
        for (headers, expected) in table {
            let found = caller_token(&map(headers)).map(|token| token.expose().to_owned());
            assert_eq!(found.as_deref(), expected, "{headers:?}");
        }
    }

    #[test]
    fn accepts_a_token_only_from_its_headers() {
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
            assert_eq!(
                owner_token(&map(headers)).map(|token| token.expose().to_owned()),
                expected.map(str::to_owned),
                "{headers:?}"
            );
        }
    }
}
