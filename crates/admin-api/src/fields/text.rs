//! Texts and secrets in requests, within the limits of Cognito. Errors never contain the value.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use domain::jobs::{JobId, JobType};
use domain::secret::Secret;
use domain::user_pool::user::CREATION_ATTRIBUTE;
use serde::Deserialize;
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::authz::access_token::{MAX_TOKEN_CHARS, is_token_char};

/// The required format of a text, and its description in the OpenAPI document.
struct Format {
    chars: RangeInclusive<usize>,
    /// The error for a text that does not have the format.
    rule: &'static str,
    accepts: fn(&str) -> bool,
    pattern: Option<&'static str>,
    examples: &'static [&'static str],
}

impl Format {
    /// Accepts all characters.
    const fn new(chars: RangeInclusive<usize>, rule: &'static str) -> Self {
        Self { chars, rule, accepts: |_| true, pattern: None, examples: &[] }
    }

    /// Accepts only texts for which `accepts` returns true. The pattern must match the same texts.
    const fn only(self, pattern: &'static str, accepts: fn(&str) -> bool) -> Self {
        Self { accepts, pattern: Some(pattern), ..self }
    }

    const fn examples(self, examples: &'static [&'static str]) -> Self {
        Self { examples, ..self }
    }

    fn check(&self, text: String) -> Result<String, &'static str> {
        let is_valid = self.chars.contains(&text.chars().count()) && (self.accepts)(&text);
        if is_valid { Ok(text) } else { Err(self.rule) }
    }

    fn schema(&self, description: &str, format: Option<KnownFormat>) -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(format.map(SchemaFormat::KnownFormat))
            .description(Some(description))
            .min_length(Some(*self.chars.start()).filter(|min| *min > 0))
            .max_length(Some(*self.chars.end()))
            .pattern(self.pattern)
            .examples(self.examples.iter().copied())
            .into()
    }
}

/// The value of a text.
trait TextValue {
    /// The `format` in the OpenAPI document.
    const FORMAT: Option<KnownFormat>;
}

impl TextValue for String {
    const FORMAT: Option<KnownFormat> = None;
}

impl TextValue for Secret {
    /// Generated clients do not print values of this format.
    const FORMAT: Option<KnownFormat> = Some(KnownFormat::Password);
}

/// Declares types that contain a `String` or [`Secret`] in a format. The OpenAPI document has their names and comments.
macro_rules! texts {
    ($(#[doc = $description:literal] $(#[$attribute:meta])* $name:ident($value:ty) = $format:expr;)+) => {$(
        #[doc = $description]
        #[derive(Debug, Deserialize)]
        #[serde(try_from = "String")]
        $(#[$attribute])*
        pub(crate) struct $name($value);

        impl $name {
            const FORMAT: Format = $format;
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, &'static str> {
                Self::FORMAT.check(text).map(|text| Self(text.into()))
            }
        }

        impl From<$name> for $value {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                Self::FORMAT.schema($description.trim(), <$value>::FORMAT)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

texts! {
    /// The name of an attribute, with its prefix.
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    AttributeName(String) =
        Format::new(1..=32, "must be 1–32 characters without whitespace or control characters, and not a reserved name")
            .only(r"^(?!custom:poolkeeper_created$)[^\s\u0000-\u001F\u007F-\u009F]+$", |text| {
                !text.contains(is_whitespace_or_control) && text != CREATION_ATTRIBUTE
            })
            .examples(&["email", "custom:team"]);

    /// The value of an attribute. All values are strings.
    AttributeValue(String) = Format::new(0..=2048, "must be at most 2048 characters");

    /// The code that an authenticator app shows.
    AuthenticatorCode(Secret) = Format::new(6..=6, "must be 6 digits")
        .only("^[0-9]+$", |text| text.bytes().all(|byte| byte.is_ascii_digit()));

    /// The id of an app client.
    ClientId(String) = Format::new(1..=128, "must be 1–128 letters, digits, underscores or plus signs")
        .only("^[A-Za-z0-9_+]+$", |text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+".contains(&byte)));

    /// A code that was sent to the user.
    Code(Secret) = Format::new(1..=2048, "must be 1–2048 characters without whitespace")
        .only(r"^[^\t-\r ]+$", |text| text.bytes().all(|byte| !matches!(byte, b'\t'..=b'\r' | b' ')));

    /// The key of a device.
    DeviceKey(String) = Format::new(
        1..=55,
        "must be a device key of at most 55 characters: a region, `_` and hexadecimal digits with hyphens",
    )
    .only("^[A-Za-z0-9_-]+_[0-9a-f-]+$", is_device_key)
    .examples(&["eu-central-1_0b7a4a54-3f6e-4f1f-8a51-9d7d5ce6f1a2"]);

    /// The id of a backup that succeeded, whose archive still exists.
    BackupId(String) = Format::new(39..=39, "must be `backup-` and 32 lowercase hexadecimal digits")
        .only("^backup-[0-9a-f]{32}$", |text| is_job(text, JobType::Backup))
        .examples(&["backup-9c1b1c5f0ea24a1bb7f3a4c7d2e5f608"]);

    /// The id of a user at an external identity provider.
    ExternalUserId(String) = Format::new(1..=2048, "must be 1–2048 characters");

    /// The purpose of a group.
    GroupDescription(String) = Format::new(0..=2048, "must be at most 2048 characters");

    /// A password that meets the pool's policy. Never logged or returned.
    Password(Secret) =
        Format::new(1..=256, "must be 1–256 characters, without whitespace or control characters at the start or end")
            .only(r"^[^\s\u0000-\u001F\u007F-\u009F]([\s\S]*[^\s\u0000-\u001F\u007F-\u009F])?$", |text| {
                !text.starts_with(is_whitespace_or_control) && !text.ends_with(is_whitespace_or_control)
            })
            .examples(&["Correct-Horse-9"]);

    /// The name of an external identity provider of the user pool.
    ProviderName(String) =
        Format::new(1..=32, "must be 1–32 characters without whitespace or control characters, and not `Cognito`")
            // Cognito's name for the user pool itself is `Cognito`.
            .only(r"^(?![Cc][Oo][Gg][Nn][Ii][Tt][Oo]$)[^\s\u0000-\u001F\u007F-\u009F]+$", |text| {
                !text.contains(is_whitespace_or_control) && !text.eq_ignore_ascii_case("Cognito")
            })
            .examples(&["Google"]);

    /// The `id` in the response of `POST /v1/jobs/uploads` for a restore. It becomes the id of the job.
    RestoreId(String) = Format::new(40..=40, "must be `restore-` and 32 lowercase hexadecimal digits")
        .only("^restore-[0-9a-f]{32}$", |text| is_job(text, JobType::Restore))
        .examples(&["restore-50d858e0985ecc7f60418aaf0cc5ab58"]);

    /// The `session` of the challenge. Valid for a few minutes and for one correct answer.
    Session(Secret) = Format::new(1..=2048, "must be 1–2048 characters");

    /// An access or refresh token, as Cognito issued it.
    Token(Secret) =
        Format::new(1..=MAX_TOKEN_CHARS, "must be 1–16384 letters, digits, dots, hyphens, underscores and equals signs")
            .only("^[A-Za-z0-9_=.-]+$", |text| text.chars().all(is_token_char));

    /// The `id` in the response of `POST /v1/jobs/uploads` for an import. It becomes the id of the job.
    UploadId(String) = Format::new(39..=39, "must be `import-` and 32 lowercase hexadecimal digits")
        .only("^import-[0-9a-f]{32}$", |text| is_job(text, JobType::Import))
        .examples(&["import-50d858e0985ecc7f60418aaf0cc5ab58"]);

    /// The current password of the user. Never logged or returned.
    TypedPassword(Secret) = Format::new(1..=256, "must be 1–256 characters");
}

fn is_whitespace_or_control(character: char) -> bool {
    character.is_whitespace() || character.is_control()
}

fn is_job(text: &str, job_type: JobType) -> bool {
    text.parse().is_ok_and(|id: JobId| id.job_type() == job_type)
}

fn is_device_key(text: &str) -> bool {
    let is_region = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let is_id =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte) || byte == b'-');
    // The id contains no underscore, so the last one ends the region.
    text.rsplit_once('_')
        .is_some_and(|(region, id)| !region.is_empty() && !id.is_empty() && is_region(region) && is_id(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: TryFrom<String, Error = &'static str>>(good: &[&str], bad: &[&str]) {
        for (texts, is_valid) in [(good, true), (bad, false)] {
            for text in texts {
                let found = T::try_from((*text).to_owned()).is_ok();
                assert_eq!(found, is_valid, "{}: {text:?}", std::any::type_name::<T>());
            }
        }
    }

    #[test]
    fn formats_accept_what_cognito_accepts() {
        let (x, umlauts) = (|count| "x".repeat(count), |count| "ü".repeat(count));
        let key = |count: usize| format!("{}_0", x(count - 2));
        let example = DeviceKey::FORMAT.examples[0];

        check::<AttributeName>(
            &["a", "custom:team", &x(32), &umlauts(32)],
            &["", "two words", "line\n", CREATION_ATTRIBUTE, &x(33)],
        );
        check::<AttributeValue>(&["", &umlauts(2048)], &[&x(2049)]);
        check::<AuthenticatorCode>(
            &["123456", "000000"],
            &["", "12345", "1234567", "12345x", "１２３４５６", "12345\n"],
        );
        check::<Code>(&["1", "123456", "ä-\u{a0}", &x(2048)], &["", "12 34", "123456\n", "\t", "\u{b}", &x(2049)]);
        check::<DeviceKey>(
            &[example, "a_0", "a_b_c", "-_-", "__a", &key(55)],
            &["", "_", "a_", "_0", "a", "a_g", "a_A", "a.b_0", "a b_0", "ü_0", "a_0\n", &key(56)],
        );
        check::<ExternalUserId>(&["x", " ", &umlauts(2048)], &["", &x(2049)]);
        check::<GroupDescription>(&["", &umlauts(2048)], &[&x(2049)]);
        check::<Password>(
            &["x", "weak", "Correct horse 9!", "Größe-1\u{1F511}", &x(256), &umlauts(256)],
            &["", " ", " Correct-1", "Correct-1 ", "Correct-1\n", "\tCorrect-1", "\u{a0}x", &x(257)],
        );
        check::<ProviderName>(
            &["Google", "SignInWithApple", "Cognito2", "my-idp_1", "Ü", &x(32)],
            &["", "two words", "line\n", "Cognito", "COGNITO", "cognito", &x(33)],
        );
        check::<Session>(&["x", "a b", &x(2048)], &["", &x(2049)]);
        check::<Token>(&["a.b-c_d=", &x(16_384)], &["", "a b", "ä", "a+b", &x(16_385)]);
        check::<TypedPassword>(&[" ", "two words ", &umlauts(256)], &["", &x(257)]);
    }

    #[test]
    fn error_and_debug_output_omit_the_secret() {
        let error = serde_json::from_str::<Password>(r#"" Hunter-2""#).err().unwrap().to_string();
        assert_eq!(error, Password::FORMAT.rule);
        let password = Password::try_from("Hunter-2".to_owned()).unwrap();
        assert!(!format!("{password:?}").contains("Hunter"));
        assert_eq!(Secret::from(password).expose(), "Hunter-2");
    }
}
