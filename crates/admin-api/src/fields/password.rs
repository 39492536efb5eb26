//! Passwords in request bodies, within what Cognito takes before it looks at the pool's policy.

use std::borrow::Cow;

use domain::secret::Secret;
use serde::Deserialize;
use thiserror::Error;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A password that somebody sets. Whether it is good enough is the pool's to say.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Password(Secret);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a password has 1 to 256 characters, with no blank or control character at either end")]
pub(crate) struct NotAPassword;

/// The most characters that Cognito takes.
const MAX_CHARS: usize = 256;

impl TryFrom<String> for Password {
    type Error = NotAPassword;

    fn try_from(text: String) -> Result<Self, NotAPassword> {
        let is_blank = |character: char| character.is_whitespace() || character.is_control();
        let fits = (1..=MAX_CHARS).contains(&text.chars().count());
        if fits && !text.starts_with(is_blank) && !text.ends_with(is_blank) {
            Ok(Self(Secret::new(text)))
        } else {
            Err(NotAPassword)
        }
    }
}

impl From<Password> for Secret {
    fn from(password: Password) -> Self {
        password.0
    }
}

impl PartialSchema for Password {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A password that meets the pool's policy. Never logged, never shown again."))
            .min_length(Some(1))
            .max_length(Some(MAX_CHARS))
            .pattern(Some(r"^[^\s\u0000-\u001F\u007F-\u009F]([\s\S]*[^\s\u0000-\u001F\u007F-\u009F])?$"))
            .examples(["Correct-Horse-9"])
            .into()
    }
}

impl ToSchema for Password {
    fn name() -> Cow<'static, str> {
        "Password".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_a_length_and_no_blanks_around_it() {
        for good in ["x", "weak", "Correct horse 9!", "Größe-1\u{1F511}", &"x".repeat(256), &"ü".repeat(256)] {
            let password: Secret = Password::try_from(good.to_owned()).ok().unwrap().into();
            assert_eq!(password.expose(), good);
        }
        for bad in ["", " ", " Correct-1", "Correct-1 ", "Correct-1\n", "\tCorrect-1", "\u{a0}x", &"x".repeat(257)] {
            assert_eq!(Password::try_from(bad.to_owned()).err(), Some(NotAPassword), "{bad:?}");
        }
    }

    #[test]
    fn a_refusal_does_not_hold_the_password() {
        let refusal = serde_json::from_str::<Password>(r#"" Hunter-2""#).err().unwrap().to_string();
        assert!(refusal.starts_with("a password has 1 to 256 characters"), "{refusal}");
        assert!(!refusal.contains("Hunter"), "{refusal}");
    }
}
