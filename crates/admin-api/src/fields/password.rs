//! New passwords in request bodies, with the limits that Cognito enforces before the pool's policy.

use std::borrow::Cow;

use domain::secret::Secret;
use serde::Deserialize;
use thiserror::Error;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A password to set. The pool checks its policy.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Password(Secret);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1–256 characters, without whitespace or control characters at the start or end")]
pub(crate) struct InvalidPassword;

/// The maximum length at Cognito.
const MAX_CHARS: usize = 256;

impl TryFrom<String> for Password {
    type Error = InvalidPassword;

    fn try_from(text: String) -> Result<Self, InvalidPassword> {
        let is_trimmable = |character: char| character.is_whitespace() || character.is_control();
        let fits = (1..=MAX_CHARS).contains(&text.chars().count());
        if fits && !text.starts_with(is_trimmable) && !text.ends_with(is_trimmable) {
            Ok(Self(Secret::new(text)))
        } else {
            Err(InvalidPassword)
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
            .description(Some("A password that meets the pool's policy. Never logged or returned."))
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
    fn rejects_wrong_length_and_surrounding_whitespace() {
        for good in ["x", "weak", "Correct horse 9!", "Größe-1\u{1F511}", &"x".repeat(256), &"ü".repeat(256)] {
            let password: Secret = Password::try_from(good.to_owned()).ok().unwrap().into();
            assert_eq!(password.expose(), good);
        }
        for bad in ["", " ", " Correct-1", "Correct-1 ", "Correct-1\n", "\tCorrect-1", "\u{a0}x", &"x".repeat(257)] {
            assert_eq!(Password::try_from(bad.to_owned()).err(), Some(InvalidPassword), "{bad:?}");
        }
    }

    #[test]
    fn error_does_not_contain_the_password() {
        let refusal = serde_json::from_str::<Password>(r#"" Hunter-2""#).err().unwrap().to_string();
        assert!(refusal.starts_with("must be 1–256 characters"), "{refusal}");
        assert!(!refusal.contains("Hunter"), "{refusal}");
    }
}
