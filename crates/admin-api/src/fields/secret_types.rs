//! Secrets in request bodies, with the limits of Cognito. Errors never contain the value.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use domain::secret::Secret;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::authz::access_token;

/// A code that was sent to the user.
pub(crate) type Code = FormattedSecret<CodeFormat>;

/// The code that an authenticator app shows.
pub(crate) type AppCode = FormattedSecret<AppCodeFormat>;

/// The session of an unfinished sign-in.
pub(crate) type Session = FormattedSecret<SessionFormat>;

/// An access or refresh token.
pub(crate) type Token = FormattedSecret<TokenFormat>;

/// The current password of a user. Unlike a new password, only its length is checked.
pub(crate) type TypedPassword = FormattedSecret<TypedPasswordFormat>;

/// A secret of one format.
pub(crate) struct FormattedSecret<F>(Secret, PhantomData<F>);

/// The format of a kind of secret.
pub(crate) trait SecretFormat {
    /// The name in the OpenAPI document.
    const NAME: &'static str;
    const DESCRIPTION: &'static str;
    /// The error of a value that does not match.
    const RULE: &'static str;
    const CHARS: RangeInclusive<usize>;
    /// The pattern for the characters that [`SecretFormat::accepts`].
    const PATTERN: Option<&'static str>;

    fn accepts(character: char) -> bool;
}

pub(crate) struct CodeFormat;

impl SecretFormat for CodeFormat {
    const NAME: &'static str = "Code";
    const DESCRIPTION: &'static str = "A code that was sent to the user.";
    const RULE: &'static str = "must be 1–2048 characters without whitespace";
    const CHARS: RangeInclusive<usize> = 1..=2048;
    const PATTERN: Option<&'static str> = Some(r"^[^\t-\r ]+$");

    fn accepts(character: char) -> bool {
        !matches!(character, '\t'..='\r' | ' ')
    }
}

pub(crate) struct AppCodeFormat;

impl SecretFormat for AppCodeFormat {
    const NAME: &'static str = "AuthenticatorCode";
    const DESCRIPTION: &'static str = "The code that an authenticator app shows.";
    const RULE: &'static str = "must be 6 digits";
    const CHARS: RangeInclusive<usize> = 6..=6;
    const PATTERN: Option<&'static str> = Some("^[0-9]+$");

    fn accepts(character: char) -> bool {
        character.is_ascii_digit()
    }
}

pub(crate) struct SessionFormat;

impl SecretFormat for SessionFormat {
    const NAME: &'static str = "Session";
    const DESCRIPTION: &'static str = "The `session` of the challenge. Valid for minutes and for one response.";
    const RULE: &'static str = "must be 1–2048 characters";
    const CHARS: RangeInclusive<usize> = 1..=2048;
    const PATTERN: Option<&'static str> = None;

    fn accepts(_: char) -> bool {
        true
    }
}

pub(crate) struct TokenFormat;

impl SecretFormat for TokenFormat {
    const NAME: &'static str = "Token";
    const DESCRIPTION: &'static str = "An unchanged access or refresh token.";
    const RULE: &'static str = "must be 1–16384 letters, digits, dots, hyphens, underscores and equals signs";
    const CHARS: RangeInclusive<usize> = 1..=access_token::MAX_TOKEN_CHARS;
    const PATTERN: Option<&'static str> = Some("^[A-Za-z0-9_=.-]+$");

    fn accepts(character: char) -> bool {
        access_token::is_token_char(character)
    }
}

pub(crate) struct TypedPasswordFormat;

impl SecretFormat for TypedPasswordFormat {
    const NAME: &'static str = "TypedPassword";
    const DESCRIPTION: &'static str = "The current password of the user. Never logged or returned.";
    const RULE: &'static str = "must be 1–256 characters";
    const CHARS: RangeInclusive<usize> = 1..=256;
    const PATTERN: Option<&'static str> = None;

    fn accepts(_: char) -> bool {
        true
    }
}

impl<F> From<FormattedSecret<F>> for Secret {
    fn from(secret: FormattedSecret<F>) -> Self {
        secret.0
    }
}

impl<'de, F: SecretFormat> Deserialize<'de> for FormattedSecret<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if F::CHARS.contains(&text.chars().count()) && text.chars().all(F::accepts) {
            Ok(Self(Secret::new(text), PhantomData))
        } else {
            Err(D::Error::custom(F::RULE))
        }
    }
}

impl<F: SecretFormat> PartialSchema for FormattedSecret<F> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(F::DESCRIPTION))
            .min_length(Some(*F::CHARS.start()))
            .max_length(Some(*F::CHARS.end()))
            .pattern(F::PATTERN)
            .into()
    }
}

impl<F: SecretFormat> ToSchema for FormattedSecret<F> {
    fn name() -> Cow<'static, str> {
        F::NAME.into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Whether the format accepts the text. Asserts that the error is the rule.
    fn accepts<F: SecretFormat>(text: &str) -> bool {
        match serde_json::from_value::<FormattedSecret<F>>(json!(text)) {
            Ok(secret) => Secret::from(secret).expose() == text,
            Err(error) => {
                assert_eq!(error.to_string(), F::RULE);
                false
            }
        }
    }

    fn check<F: SecretFormat>(good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(accepts::<F>(text), "{}: {text:?}", F::NAME);
        }
        for text in bad {
            assert!(!accepts::<F>(text), "{}: {text:?}", F::NAME);
        }
    }

    #[test]
    fn formats_accept_what_cognito_accepts() {
        let long = "x".repeat(2048);
        let too_long = "x".repeat(2049);
        check::<CodeFormat>(&["1", "123456", "ä-\u{a0}", &long], &["", "12 34", "123456\n", "\t", "\u{b}", &too_long]);
        check::<AppCodeFormat>(&["123456", "000000"], &["", "12345", "1234567", "12345x", "１２３４５６", "12345\n"]);
        check::<SessionFormat>(&["x", "a b", &long], &["", &too_long]);
        check::<TokenFormat>(
            &["a.b-c_d=", &too_long, &"x".repeat(16_384)],
            &["", "a b", "ä", "a+b", &"x".repeat(16_385)],
        );
        check::<TypedPasswordFormat>(&[" ", "two words ", &"ü".repeat(256)], &["", &"x".repeat(257)]);
    }

    #[test]
    fn schema_has_the_same_limits() {
        let schema = |schema: RefOr<Schema>| serde_json::to_value(schema).unwrap();
        let code = schema(Code::schema());
        assert_eq!((&code["minLength"], &code["maxLength"]), (&json!(1), &json!(2048)));
        assert_eq!(code["pattern"], r"^[^\t-\r ]+$");
        assert_eq!(schema(Session::schema()).get("pattern"), None::<&Value>);
    }
}
