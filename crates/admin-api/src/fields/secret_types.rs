//! Secrets in the bodies of these routes, within what Cognito takes: what is outside can never be right. A refusal says what is
//! expected, and never what was found.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use domain::secret::Secret;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::authz::access_token;

/// A code that was sent to the person.
pub(crate) type Code = Formed<CodeForm>;

/// The code that an authenticator app shows.
pub(crate) type AppCode = Formed<AppCodeForm>;

/// The session of an open sign-in.
pub(crate) type Session = Formed<SessionForm>;

/// An access or refresh token.
pub(crate) type Token = Formed<TokenForm>;

/// What somebody types as the password that they have. Unlike one that is to be set, it may be anything: it is right or wrong.
pub(crate) type TypedPassword = Formed<TypedPasswordForm>;

/// A secret of one form.
pub(crate) struct Formed<F>(Secret, PhantomData<F>);

/// What all secrets of a kind have in common.
pub(crate) trait Form {
    /// The name in the OpenAPI document.
    const NAME: &'static str;
    const DESCRIPTION: &'static str;
    /// What is expected, as it stands after "Expected that".
    const RULE: &'static str;
    const CHARS: RangeInclusive<usize>;
    /// What [`Form::takes`] takes, one or more times.
    const PATTERN: Option<&'static str>;

    fn takes(character: char) -> bool;
}

pub(crate) struct CodeForm;

impl Form for CodeForm {
    const NAME: &'static str = "Code";
    const DESCRIPTION: &'static str = "A code that was sent to the person.";
    const RULE: &'static str = "a code has 1 to 2048 characters, without blanks";
    const CHARS: RangeInclusive<usize> = 1..=2048;
    const PATTERN: Option<&'static str> = Some(r"^[^\t-\r ]+$");

    fn takes(character: char) -> bool {
        !matches!(character, '\t'..='\r' | ' ')
    }
}

pub(crate) struct AppCodeForm;

impl Form for AppCodeForm {
    const NAME: &'static str = "AuthenticatorCode";
    const DESCRIPTION: &'static str = "The code that an authenticator app shows.";
    const RULE: &'static str = "the code of an authenticator app has 6 digits";
    const CHARS: RangeInclusive<usize> = 6..=6;
    const PATTERN: Option<&'static str> = Some("^[0-9]+$");

    fn takes(character: char) -> bool {
        character.is_ascii_digit()
    }
}

pub(crate) struct SessionForm;

impl Form for SessionForm {
    const NAME: &'static str = "Session";
    const DESCRIPTION: &'static str = "The `session` of the challenge. Lives for minutes, and is good for one answer.";
    const RULE: &'static str = "a session has 1 to 2048 characters";
    const CHARS: RangeInclusive<usize> = 1..=2048;
    const PATTERN: Option<&'static str> = None;

    fn takes(_: char) -> bool {
        true
    }
}

pub(crate) struct TokenForm;

impl Form for TokenForm {
    const NAME: &'static str = "Token";
    const DESCRIPTION: &'static str = "A token, as it was handed out.";
    const RULE: &'static str = "a token has 1 to 16384 letters, digits, dots, hyphens, underscores and equals signs";
    const CHARS: RangeInclusive<usize> = 1..=access_token::MAX_TOKEN_CHARS;
    const PATTERN: Option<&'static str> = Some("^[A-Za-z0-9_=.-]+$");

    fn takes(character: char) -> bool {
        access_token::stands_in_a_token(character)
    }
}

pub(crate) struct TypedPasswordForm;

impl Form for TypedPasswordForm {
    const NAME: &'static str = "TypedPassword";
    const DESCRIPTION: &'static str = "The password that the person has. Never logged, never shown again.";
    const RULE: &'static str = "a password has 1 to 256 characters";
    const CHARS: RangeInclusive<usize> = 1..=256;
    const PATTERN: Option<&'static str> = None;

    fn takes(_: char) -> bool {
        true
    }
}

impl<F> From<Formed<F>> for Secret {
    fn from(formed: Formed<F>) -> Self {
        formed.0
    }
}

impl<'de, F: Form> Deserialize<'de> for Formed<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if F::CHARS.contains(&text.chars().count()) && text.chars().all(F::takes) {
            Ok(Self(Secret::new(text), PhantomData))
        } else {
            Err(D::Error::custom(F::RULE))
        }
    }
}

impl<F: Form> PartialSchema for Formed<F> {
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

impl<F: Form> ToSchema for Formed<F> {
    fn name() -> Cow<'static, str> {
        F::NAME.into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Whether the form takes the text. A refusal says the rule and nothing else.
    fn takes<F: Form>(text: &str) -> bool {
        match serde_json::from_value::<Formed<F>>(json!(text)) {
            Ok(formed) => Secret::from(formed).expose() == text,
            Err(error) => {
                assert_eq!(error.to_string(), F::RULE);
                false
            }
        }
    }

    fn check<F: Form>(good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(takes::<F>(text), "{}: {text:?}", F::NAME);
        }
        for text in bad {
            assert!(!takes::<F>(text), "{}: {text:?}", F::NAME);
        }
    }

    #[test]
    fn each_form_takes_what_cognito_does() {
        let long = "x".repeat(2048);
        let too_long = "x".repeat(2049);
        check::<CodeForm>(&["1", "123456", "ä-\u{a0}", &long], &["", "12 34", "123456\n", "\t", "\u{b}", &too_long]);
        check::<AppCodeForm>(&["123456", "000000"], &["", "12345", "1234567", "12345x", "１２３４５６", "12345\n"]);
        check::<SessionForm>(&["x", "a b", &long], &["", &too_long]);
        check::<TokenForm>(
            &["a.b-c_d=", &too_long, &"x".repeat(16_384)],
            &["", "a b", "ä", "a+b", &"x".repeat(16_385)],
        );
        check::<TypedPasswordForm>(&[" ", "two words ", &"ü".repeat(256)], &["", &"x".repeat(257)]);
    }

    #[test]
    fn the_document_says_the_same() {
        let schema = |schema: RefOr<Schema>| serde_json::to_value(schema).unwrap();
        let code = schema(Code::schema());
        assert_eq!((&code["minLength"], &code["maxLength"]), (&json!(1), &json!(2048)));
        assert_eq!(code["pattern"], r"^[^\t-\r ]+$");
        assert_eq!(schema(Session::schema()).get("pattern"), None::<&Value>);
    }
}
