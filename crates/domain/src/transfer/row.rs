//! One user in a file: a line of the JSON Lines format.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;

use super::code::RowCode;
use crate::json::{self, JsonError};
use crate::secret::Secret;
use crate::user_pool::groups::GroupName;
use crate::user_pool::import_jobs::HashAlgorithm;
use crate::user_pool::sessions::Factor;
use crate::user_pool::user::{Attributes, UserStatus, Username};

/// A user in a file. Only `username` is required.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UserRow {
    /// The version of the format.
    #[serde(default)]
    pub version: Version,
    /// The user name. In a user pool with sign-in by e-mail address or phone number: the address or number.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "String", length(min = 1, max = 128), regex(pattern = r"^[^\s\u0000-\u001F\u007F-\u009F]+$"))
    )]
    pub username: Username,
    /// The attributes. An import leaves other attributes of an existing user unchanged.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Whether the user is enabled. An import enables new users by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The groups of the user. An import does not remove an existing user from other groups.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "BTreeSet<String>",
            inner(length(min = 1, max = 128), regex(pattern = r"^[^\s\u0000-\u001F\u007F-\u009F]+$"))
        )
    )]
    pub groups: BTreeSet<GroupName>,
    /// The second factors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<MfaPreference>,
    /// The password of a new user. Without password and invitation, the user sets a password with "forgot password".
    #[serde(default, skip_serializing)]
    pub password: Option<RowPassword>,
    /// Whether Cognito sends a new user a message with a temporary password.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invite: bool,
    /// What an export recorded about the user. An import cannot set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// The version of the format. The only version is 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Version;

impl TryFrom<u32> for Version {
    type Error = &'static str;

    fn try_from(version: u32) -> Result<Self, &'static str> {
        if version == 1 { Ok(Self) } else { Err("must be 1; a later version of Poolkeeper may support this version") }
    }
}

impl From<Version> for u32 {
    fn from(_: Version) -> Self {
        1
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Version {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"const": 1})
    }
}

/// The second factors of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MfaPreference {
    /// The enabled factors. The secret of an authenticator app (`SOFTWARE_TOKEN_MFA`) cannot be moved.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeSet<FactorName>"))]
    pub enabled: BTreeSet<Factor>,
    /// The preferred factor, one of the enabled factors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<FactorName>"))]
    pub preferred: Option<Factor>,
}

/// A second factor.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(rename_all = "SCREAMING_SNAKE_CASE", inline)]
#[expect(dead_code, reason = "only its schema is used")]
enum FactorName {
    SmsMfa,
    SoftwareTokenMfa,
    EmailOtp,
}

/// What an export recorded about a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The `sub` in the exported user pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The status, as Cognito spells it. An import skips `UNCONFIRMED` and `EXTERNAL_PROVIDER` users.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub status: UserStatus,
    /// When the user was created.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub created_at: OffsetDateTime,
    /// When the user was last changed.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub modified_at: OffsetDateTime,
}

/// The password of a new user.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "PasswordFields")]
pub enum RowPassword {
    /// The user signs in with this password.
    Permanent(Secret),
    /// The user must change this password at the first sign-in.
    Temporary(Secret),
    /// The hash of the password in another system. The user signs in with the password.
    Hash(Hash),
}

/// The hash of a password, which only an import job of Cognito can set.
#[derive(Debug, Clone)]
pub struct Hash {
    /// How the hash was computed.
    pub algorithm: HashAlgorithm,
    /// The hash with its parameters.
    pub value: Secret,
}

/// Exactly one form of the password.
// A struct, because the errors of an enum quote values.
#[derive(Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "Password", extend("minProperties" = 1, "maxProperties" = 1))
)]
#[serde(deny_unknown_fields)]
struct PasswordFields {
    /// The user signs in with this password.
    #[cfg_attr(feature = "schema", schemars(with = "String", length(max = 256)))]
    #[serde(default)]
    permanent: Option<Secret>,
    /// The user must change this password at the first sign-in.
    #[cfg_attr(feature = "schema", schemars(with = "String", length(max = 256)))]
    #[serde(default)]
    temporary: Option<Secret>,
    /// A bcrypt hash of the password.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    #[serde(default)]
    bcrypt: Option<Secret>,
    /// A scrypt hash of the password.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    #[serde(default)]
    scrypt: Option<Secret>,
    /// An Argon2id hash of the password.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    #[serde(default)]
    argon2id: Option<Secret>,
    /// A PBKDF2 hash of the password with SHA-256.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    #[serde(default)]
    pbkdf2_sha256: Option<Secret>,
}

impl TryFrom<PasswordFields> for RowPassword {
    type Error = &'static str;

    fn try_from(fields: PasswordFields) -> Result<Self, &'static str> {
        let PasswordFields { permanent, temporary, bcrypt, scrypt, argon2id, pbkdf2_sha256 } = fields;
        let hash = |algorithm| move |value| Self::Hash(Hash { algorithm, value });
        let mut forms = [
            permanent.map(Self::Permanent),
            temporary.map(Self::Temporary),
            bcrypt.map(hash(HashAlgorithm::Bcrypt)),
            scrypt.map(hash(HashAlgorithm::Scrypt)),
            argon2id.map(hash(HashAlgorithm::Argon2id)),
            pbkdf2_sha256.map(hash(HashAlgorithm::Pbkdf2Sha256)),
        ]
        .into_iter()
        .flatten();
        match (forms.next(), forms.next()) {
            (Some(password), None) => Ok(password),
            _ => Err("must have exactly one of `permanent`, `temporary`, `bcrypt`, `scrypt`, `argon2id`, \
                      `pbkdf2_sha256`"),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for RowPassword {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        PasswordFields::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        PasswordFields::json_schema(generator)
    }
}

/// Why a row cannot be imported. Contains no values of the row.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{problem}", field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default())]
pub struct RowError {
    /// The code of the result.
    pub code: RowCode,
    /// The path of the field. `None` if the whole row is wrong.
    pub field: Option<String>,
    /// What is expected.
    pub problem: String,
}

impl RowError {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self { code: RowCode::InvalidRequest, field: None, problem: problem.into() }
    }

    pub(super) fn at(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(problem) }
    }
}

impl From<JsonError> for RowError {
    fn from(error: JsonError) -> Self {
        match error {
            // A row is one line, and its number is in the result.
            JsonError::Syntax { column, .. } => Self::new(format!("not valid JSON at column {column}")),
            JsonError::Field { field, problem } => Self { field, ..Self::new(problem) },
        }
    }
}

impl UserRow {
    /// A row with only a user name.
    pub(super) fn new(username: Username) -> Self {
        Self {
            version: Version,
            username,
            attributes: Attributes::new(),
            enabled: None,
            groups: BTreeSet::new(),
            mfa: None,
            password: None,
            invite: false,
            origin: None,
        }
    }

    /// Parses one line.
    ///
    /// # Errors
    ///
    /// Returns an error that names the field.
    pub fn parse(line: &[u8]) -> Result<Self, RowError> {
        let row: Self = json::parse(line)?;
        row.check()?;
        Ok(row)
    }

    /// Checks the rules about several fields.
    fn check(&self) -> Result<(), RowError> {
        if self.invite && matches!(self.password, Some(RowPassword::Permanent(_) | RowPassword::Hash(_))) {
            return Err(RowError::at("invite", "must be false with a permanent password or a hash"));
        }
        if let Some(MfaPreference { enabled, preferred: Some(preferred) }) = &self.mfa
            && !enabled.contains(preferred)
        {
            return Err(RowError::at("mfa.preferred", "must be one of the enabled factors"));
        }
        Ok(())
    }
}

/// The JSON Schema (draft 2020-12) of a line.
#[cfg(feature = "schema")]
#[must_use]
pub fn schema() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut schema = generator.into_root_schema_for::<UserRow>();
    schema.insert("title".to_owned(), "Poolkeeper user".into());
    schema.to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: &str) -> String {
        UserRow::parse(line.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn row_needs_only_a_username() {
        let row = UserRow::parse(br#"{"username": "mia"}"#).unwrap();
        assert_eq!(serde_json::to_string(&row).unwrap(), r#"{"version":1,"username":"mia"}"#);
    }

    #[test]
    fn written_row_is_read_again_without_its_password() {
        let line = r#"{"version":1,"username":"mia","attributes":{"custom:team":"a","email":"mia@example.com"},"enabled":false,"groups":["editors"],"mfa":{"enabled":["SMS_MFA"],"preferred":"SMS_MFA"},"invite":true,"origin":{"sub":"1","status":"CONFIRMED","created_at":"2026-01-02T03:04:05Z","modified_at":"2026-01-02T03:04:05Z"}}"#;
        let row = UserRow::parse(line.as_bytes()).unwrap();
        assert_eq!(serde_json::to_string(&row).unwrap(), line);
        let secret = UserRow::parse(br#"{"username": "mia", "password": {"permanent": "Hunter-2"}}"#).unwrap();
        assert!(
            !serde_json::to_string(&secret).unwrap().contains("Hunter") && !format!("{secret:?}").contains("Hunter")
        );
    }

    #[test]
    fn a_password_has_exactly_one_form() {
        let parse = |password: &str| {
            let row = UserRow::parse(format!(r#"{{"username": "mia", "password": {password}}}"#).as_bytes());
            row.map(|row| row.password)
        };
        assert!(matches!(parse(r#"{"permanent": "x"}"#), Ok(Some(RowPassword::Permanent(_)))));
        assert!(matches!(parse(r#"{"temporary": "x"}"#), Ok(Some(RowPassword::Temporary(_)))));
        for (name, algorithm) in [
            ("bcrypt", HashAlgorithm::Bcrypt),
            ("scrypt", HashAlgorithm::Scrypt),
            ("argon2id", HashAlgorithm::Argon2id),
            ("pbkdf2_sha256", HashAlgorithm::Pbkdf2Sha256),
        ] {
            let Ok(Some(RowPassword::Hash(hash))) = parse(&format!(r#"{{"{name}": "x"}}"#)) else { panic!("{name}") };
            assert_eq!((hash.algorithm, <&str>::from(algorithm)), (algorithm, name.to_uppercase().as_str()));
        }
        for wrong in ["{}", r#"{"permanent": "x", "bcrypt": "x"}"#] {
            assert!(parse(wrong).unwrap_err().to_string().starts_with("password: must have exactly one of"), "{wrong}");
        }
    }

    #[test]
    fn errors_name_the_field_and_contain_no_values() {
        for (line, expected) in [
            ("", "not valid JSON at column 0"),
            ("mia", "not valid JSON at column 1"),
            ("[]", "must be an object"),
            ("{}", "username: missing field"),
            (r#"{"username": "a b"}"#, "username: must be 1–128 characters without whitespace or control characters"),
            (r#"{"version": 2, "username": "mia"}"#, "version: must be 1; a later version of Poolkeeper may"),
            (r#"{"username": "mia", "group": []}"#, "group: unknown field; expected one of `version`"),
            (r#"{"username": "mia", "groups": ["a b"]}"#, "groups[0]: must be 1–128 characters"),
            (
                r#"{"username": "mia", "attributes": {"email_verified": true}}"#,
                "attributes.email_verified: must be a string",
            ),
            (r#"{"username": "mia", "password": "Hunter-2"}"#, "password: must be an object"),
            (
                r#"{"username": "mia", "password": {"plain": "Hunter-2"}}"#,
                "password.plain: unknown field; expected one of",
            ),
            (r#"{"username": "mia", "password": {"permanent": 12345678}}"#, "password.permanent: must be a string"),
            (r#"{"username": "mia", "mfa": {"enabled": ["PAGER"]}}"#, "mfa.enabled[0]: must be one of `SMS_MFA`"),
            (
                r#"{"username": "mia", "mfa": {"enabled": [], "preferred": "SMS_MFA"}}"#,
                "mfa.preferred: must be one of the enabled factors",
            ),
            (
                r#"{"username": "mia", "invite": true, "password": {"permanent": "Hunter-2"}}"#,
                "invite: must be false with a permanent password or a hash",
            ),
        ] {
            let error = error(line);
            assert!(error.starts_with(expected), "{line}: {error}");
            assert!(!error.contains("Hunter") && !error.contains("12345678"), "{line}: {error}");
        }
    }
}
