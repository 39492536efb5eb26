//! How the pool is set up, as far as its administrators need to know, and the port for it. No secrets.

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::user_pool::error::UserPoolError;

/// How a pool is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolDescription {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: Option<String>,
    /// About how many users it has.
    pub estimated_users: u32,
    /// What users sign in with in place of a user name: `email`, `phone_number`; empty where they sign in with the name.
    pub username_attributes: Vec<String>,
    /// What users can sign in with beside the user name.
    pub aliases: Vec<String>,
    /// What Cognito verifies by sending a code.
    pub auto_verified: Vec<String>,
    /// `OFF`, `ON` or `OPTIONAL`.
    pub mfa: String,
    /// Whether people may sign themselves up.
    pub self_sign_up: bool,
    /// Whether `Mia` and `mia` are two users.
    pub case_sensitive: bool,
    /// Whether Cognito refuses to delete the pool.
    pub deletion_protection: bool,
    /// What a password must be.
    pub password_policy: PasswordPolicy,
    /// What users have.
    pub attributes: Vec<AttributeDescription>,
    /// When the pool was created.
    pub created_at: Option<OffsetDateTime>,
    /// When the pool was last changed.
    pub modified_at: Option<OffsetDateTime>,
}

/// What a password must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four kinds of characters, as Cognito has them")]
pub struct PasswordPolicy {
    /// Fewest characters.
    pub minimum_length: u32,
    /// Whether a lower-case letter is needed.
    pub require_lowercase: bool,
    /// Whether an upper-case letter is needed.
    pub require_uppercase: bool,
    /// Whether a digit is needed.
    pub require_numbers: bool,
    /// Whether a special character is needed.
    pub require_symbols: bool,
    /// How many days a temporary password lives.
    pub temporary_password_validity_days: u32,
}

/// An attribute that users can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeDescription {
    /// The name, with its prefix: `email`, `custom:team`.
    pub name: String,
    /// `String`, `Number`, `DateTime` or `Boolean`.
    pub kind: String,
    /// Whether every user must have it.
    pub required: bool,
    /// Whether it can be changed once it is set.
    pub mutable: bool,
}

/// How the pool is set up.
#[async_trait]
pub trait PoolSettings: Send + Sync {
    /// Describes the pool as it is now.
    async fn describe(&self) -> Result<PoolDescription, UserPoolError>;
}
