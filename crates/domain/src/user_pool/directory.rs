//! The port for user administration: the users of one pool, as an administrator handles them.
//!
//! Groups, ways of signing in and the pool itself have ports of their own; [`crate::user_pool::UserPool`] is all of them.
//!
//! To add an operation: a method here with what it must return in the cases that matter, its implementation in
//! `aws/src/directory.rs`, its stand-in in `testkit/src/in_memory/`, and one file in `admin-api/src/routes/`.

use async_trait::async_trait;

use crate::secret::Secret;
use crate::user_pool::error::UserPoolError;
use crate::user_pool::groups::Membership;
use crate::user_pool::user::{Attributes, User, Username};

/// A user to be created.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The user name (in a pool with e-mail sign-in: the e-mail address).
    pub username: Username,
    /// The attributes to begin with.
    pub attributes: Attributes,
    /// The temporary password; Cognito makes one up where there is none.
    pub temporary_password: Option<Secret>,
    /// Whether Cognito sends the invitation with the temporary password.
    pub invitation: Invitation,
}

/// Whether an invitation message is sent to a created user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invitation {
    /// Cognito sends it by the pool's default way.
    Send,
    /// Nothing is sent.
    Suppress,
}

/// A change of attributes. What is in neither list stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributeChanges {
    /// To be set.
    pub set: Attributes,
    /// To be removed.
    pub remove: Vec<String>,
}

/// Which page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many entries, 1 to 60.
    pub limit: u8,
    /// Where to go on: [`Page::next`] of the page before.
    pub after: Option<String>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it, in Cognito's order.
    pub entries: Vec<T>,
    /// Where the next page begins; none on the last page. There can be a next page after an empty one.
    pub next: Option<String>,
}

/// The one thing that Cognito can be asked to look for when it lists users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// What is compared.
    pub by: FilterBy,
    /// How.
    pub comparison: Comparison,
    /// With what, as it is: the implementation escapes it.
    pub value: String,
}

/// What Cognito compares in a filter. No custom attributes, and no dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterBy {
    /// The real user name.
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

/// How Cognito compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The whole value.
    Equals,
    /// The beginning of the value.
    BeginsWith,
}

/// The users of one pool. Every method answers [`Reason::UserNotFound`](crate::user_pool::error::Reason) for an unknown name.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Creates a user in status `FORCE_CHANGE_PASSWORD`.
    ///
    /// MUST be sent once: where the answer is lost the error says so (`Unavailable` or `DeadlineExceeded`), and the caller looks.
    /// MUST answer `UserExists` for a name that is taken, `AliasExists` for an alias that is, and `InvalidPassword` for a
    /// password that breaks the pool's policy.
    async fn create(&self, user: &NewUser) -> Result<User, UserPoolError>;

    /// Looks one user up, by name or alias.
    async fn get(&self, username: &Username) -> Result<User, UserPoolError>;

    /// One page of all users, or of those whom the filter meets. Lags writes by moments. MUST answer `InvalidRequest` for an
    /// `after` that is not from this list.
    async fn list(&self, filter: Option<&Filter>, page: &PageRequest) -> Result<Page<User>, UserPoolError>;

    /// Users whose e-mail address begins like this, 60 at the most. Lags writes by moments.
    async fn with_email_prefix(&self, prefix: &str) -> Result<Vec<User>, UserPoolError>;

    /// Sets and removes attributes. Safe to repeat. Sets first: a failure between the two leaves the new values set.
    async fn change_attributes(&self, username: &Username, changes: &AttributeChanges) -> Result<(), UserPoolError>;

    /// Deletes the user. MUST answer `UserNotFound` for one that is not (or no longer) there.
    async fn delete(&self, username: &Username) -> Result<(), UserPoolError>;

    /// Sets a password: a permanent one makes the user `CONFIRMED`, a temporary one `FORCE_CHANGE_PASSWORD`. Safe to repeat.
    async fn set_password(&self, username: &Username, password: &Secret, permanent: bool) -> Result<(), UserPoolError>;

    /// Makes the user set a new password, and sends a code for it: the status becomes `RESET_REQUIRED`. MUST answer `WrongState`
    /// for a user whose status does not allow it, and for one to whom no code can be sent. Safe to repeat: it sends another code.
    async fn reset_password(&self, username: &Username) -> Result<(), UserPoolError>;

    /// Sends the invitation again, with another temporary password that lives as long as the first one did. `attributes` are the
    /// user's, and say whether it goes out by e-mail or in a text message. MUST answer `WrongState` for a user who is not in
    /// `FORCE_CHANGE_PASSWORD`.
    async fn resend_invitation(&self, username: &Username, attributes: &Attributes) -> Result<User, UserPoolError>;

    /// Lets the user sign in again. Safe to repeat.
    async fn enable(&self, username: &Username) -> Result<(), UserPoolError>;

    /// Keeps the user from signing in. Refresh tokens die, and access tokens are refused at the pool's own API; ID tokens, and
    /// whatever is checked offline, live until they expire. Safe to repeat.
    async fn disable(&self, username: &Username) -> Result<(), UserPoolError>;

    /// Confirms a user who signed up. MUST answer `WrongState` for a user who is not `UNCONFIRMED`.
    async fn confirm(&self, username: &Username) -> Result<(), UserPoolError>;

    /// Revokes all refresh tokens of the user and shuts their access tokens out of the pool's own API. Safe to repeat.
    async fn sign_out(&self, username: &Username) -> Result<(), UserPoolError>;

    /// All groups of the user, all pages.
    async fn groups(&self, username: &Username) -> Result<Vec<Membership>, UserPoolError>;

    /// Puts the user into a group. Safe to repeat. MUST answer `GroupNotFound` for an unknown group.
    async fn add_to_group(&self, username: &Username, group: &str) -> Result<(), UserPoolError>;

    /// Takes the user out of a group. Safe to repeat: who is not in it is out of it. MUST answer `GroupNotFound` for an unknown
    /// group.
    async fn remove_from_group(&self, username: &Username, group: &str) -> Result<(), UserPoolError>;
}
