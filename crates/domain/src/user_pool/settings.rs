//! The configuration of a pool, without secrets, and the port for it.

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::user_pool::error::UserPoolError;

/// The configuration of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolDescription {
    /// The pool's id.
    pub id: String,
    /// The pool's name.
    pub name: String,
    /// The pool's ARN.
    pub arn: Option<String>,
    /// The estimated number of users.
    pub estimated_users: u32,
    /// The attributes that replace the user name at sign-in: `email`, `phone_number`. Empty if users sign in with the
    /// user name.
    pub username_attributes: Vec<String>,
    /// The attributes that users can sign in with besides the user name.
    pub aliases: Vec<String>,
    /// The attributes that Cognito verifies with a code.
    pub auto_verified: Vec<String>,
    /// `OFF`, `ON` or `OPTIONAL`.
    pub mfa: String,
    /// Whether users can sign up themselves.
    pub self_sign_up: bool,
    /// Whether user names are case-sensitive.
    pub case_sensitive: bool,
    /// Whether deletion protection is enabled.
    pub deletion_protection: bool,
    /// The password policy.
    pub password_policy: PasswordPolicy,
    /// The attributes that users can have.
    pub attributes: Vec<AttributeDescription>,
    /// When the pool was created.
    pub created_at: Option<OffsetDateTime>,
    /// When the pool was last changed.
    pub modified_at: Option<OffsetDateTime>,
}

/// The password policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent switches of Cognito's password policy")]
pub struct PasswordPolicy {
    /// The minimum length.
    pub minimum_length: u32,
    /// Whether a lowercase letter is required.
    pub require_lowercase: bool,
    /// Whether an uppercase letter is required.
    pub require_uppercase: bool,
    /// Whether a digit is required.
    pub require_numbers: bool,
    /// Whether a symbol is required.
    pub require_symbols: bool,
    /// The validity of temporary passwords in days.
    pub temporary_password_validity_days: u32,
}

/// An attribute that users can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeDescription {
    /// The name, with its prefix: `email`, `custom:team`.
    pub name: String,
    /// `String`, `Number`, `DateTime` or `Boolean`.
    pub kind: String,
    /// Whether every user must have the attribute.
    pub required: bool,
    /// Whether it can be changed once it is set.
    pub mutable: bool,
}

/// The configuration of one pool.
#[async_trait]
pub trait PoolSettings: Send + Sync {
    /// Returns the current configuration.
    async fn describe(&self) -> Result<PoolDescription, UserPoolError>;

    /// Returns whether the pool has an app client with this id.
    async fn has_client(&self, client_id: &str) -> Result<bool, UserPoolError>;
}
