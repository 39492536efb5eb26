//! The port for the administration of the users of one pool.
//!
//! [`crate::user_pool::UserPool`] combines it with the ports for groups, second factors, identities and pool settings.
//!
//! CONTRIBUTING.md lists the steps to add a call.

use async_trait::async_trait;

use crate::secret::Secret;
use crate::user_pool::error::UserPoolError;
use crate::user_pool::groups::Membership;
use crate::user_pool::page::{Page, PageRequest};
use crate::user_pool::user::{Attributes, User, Username};

/// A user to create.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The user name (in a pool with e-mail sign-in: the e-mail address).
    pub username: Username,
    /// The initial attributes.
    pub attributes: Attributes,
    /// The temporary password. If `None`, Cognito generates one.
    pub temporary_password: Option<Secret>,
    /// Whether Cognito sends a message with the temporary password.
    pub welcome_message: WelcomeMessage,
}

/// The temporary password of a new user whose permanent password is set next: the reversed password. It meets a password
/// policy if and only if the permanent password does, because a policy counts characters of each kind.
///
/// `AdminCreateUser` checks the temporary password, so a weak permanent password creates no user. The two passwords
/// differ because AWS does not document whether the password history of a pool contains temporary passwords. A
/// palindrome stays the same.
#[must_use]
pub fn temporary_password_before(permanent: &Secret) -> Secret {
    Secret::new(permanent.expose().chars().rev().collect::<String>())
}

/// Whether Cognito sends a message with the temporary password to a created user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WelcomeMessage {
    /// Cognito sends the message.
    Send,
    /// No message is sent.
    Suppress,
}

/// A change of attributes. Attributes in neither list are left unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributeChanges {
    /// Attributes to set.
    pub set: Attributes,
    /// Names of attributes to remove.
    pub remove: Vec<String>,
}

/// A filter for listing users. Cognito supports one predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The field to compare.
    pub by: FilterBy,
    /// The comparison.
    pub comparison: Comparison,
    /// The value, unescaped. The implementation escapes it.
    pub value: String,
}

/// The fields that Cognito can filter by. Custom attributes and dates are not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterBy {
    /// The user name, not an alias.
    Username,
    /// The attribute `email`.
    Email,
    /// The attribute `phone_number`.
    PhoneNumber,
    /// The attribute `name`.
    Name,
    /// The status, e.g. `CONFIRMED`.
    Status,
    /// `Enabled` or `Disabled`.
    Enabled,
}

/// A comparison of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The value is equal.
    Equals,
    /// The value begins with the filter's value.
    BeginsWith,
}

/// The users of one pool. Every method with a user name returns
/// [`Reason::UserNotFound`](crate::user_pool::error::Reason) for an unknown user.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Creates a user in status `FORCE_CHANGE_PASSWORD`.
    ///
    /// MUST be sent once. After `Unavailable` or `DeadlineExceeded`, the caller must check whether the user exists.
    /// MUST return `UserExists` for an existing name, `AliasExists` for an existing alias, and `InvalidPassword` for a
    /// password that violates the pool's policy.
    async fn create(&self, user: &NewUser) -> Result<User, UserPoolError>;

    /// Returns a user, by name or alias.
    async fn get(&self, username: &Username) -> Result<User, UserPoolError>;

    /// Returns a page of all users, or of those that match the filter. Eventually consistent. MUST return
    /// `InvalidRequest` for an `after` from another list.
    async fn list(&self, filter: Option<&Filter>, page: &PageRequest) -> Result<Page<User>, UserPoolError>;

    /// Returns at most 60 users whose e-mail address begins with the prefix. Eventually consistent.
    async fn with_email_prefix(&self, prefix: &str) -> Result<Vec<User>, UserPoolError>;

    /// Sets attributes, then removes attributes. Safe to repeat. A failure in between leaves the new values set.
    async fn change_attributes(&self, username: &Username, changes: &AttributeChanges) -> Result<(), UserPoolError>;

    /// Deletes the user. MUST return `UserNotFound` if the user does not exist.
    async fn delete(&self, username: &Username) -> Result<(), UserPoolError>;

    /// Sets a password. The status becomes `CONFIRMED` with a permanent password, and `FORCE_CHANGE_PASSWORD` with a
    /// temporary password. Safe to repeat.
    async fn set_password(&self, username: &Username, password: &Secret, permanent: bool) -> Result<(), UserPoolError>;

    /// Requires the user to set a new password, and sends a code for it. The status becomes `RESET_REQUIRED`. MUST
    /// return `WrongState` if the status does not allow it or no code can be sent. Safe to repeat. Each call sends
    /// another code.
    async fn reset_password(&self, username: &Username) -> Result<(), UserPoolError>;

    /// Resends the welcome message with a new temporary password. `attributes` are the user's attributes, which determine whether
    /// the message is an e-mail or a text message. MUST return `WrongState` for a user who is not in
    /// `FORCE_CHANGE_PASSWORD`.
    async fn resend_invitation(&self, username: &Username, attributes: &Attributes) -> Result<User, UserPoolError>;

    /// Enables the user. Safe to repeat.
    async fn enable(&self, username: &Username) -> Result<(), UserPoolError>;

    /// Disables the user. Refresh tokens are revoked, and the pool's API rejects access tokens. ID tokens, and all
    /// tokens that are verified offline, stay valid until they expire. Safe to repeat.
    async fn disable(&self, username: &Username) -> Result<(), UserPoolError>;

    /// Confirms a user who signed up. MUST return `WrongState` for a user who is not `UNCONFIRMED`.
    async fn confirm(&self, username: &Username) -> Result<(), UserPoolError>;

    /// Revokes all refresh tokens of the user. The pool's API then rejects the access tokens. Safe to repeat.
    async fn sign_out(&self, username: &Username) -> Result<(), UserPoolError>;

    /// Returns all groups of the user, from all pages.
    async fn groups(&self, username: &Username) -> Result<Vec<Membership>, UserPoolError>;

    /// Adds the user to a group. Safe to repeat. MUST return `GroupNotFound` for an unknown group.
    async fn add_to_group(&self, username: &Username, group: &str) -> Result<(), UserPoolError>;

    /// Removes the user from a group. Safe to repeat. MUST return `GroupNotFound` for an unknown group.
    async fn remove_from_group(&self, username: &Username, group: &str) -> Result<(), UserPoolError>;
}
