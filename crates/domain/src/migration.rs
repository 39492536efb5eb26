//! Decides which users of an old directory move into the user pool, and with which attributes.
//!
//! A migrated user has no more access than in the old directory: no verified address that the directory did not verify, no name of another
//! user, and no account without the second factor that the directory required.

mod attributes;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use strum::{IntoStaticStr, VariantArray};
use thiserror::Error;

use crate::secret::Secret;
use crate::spec::SignInWith;
use crate::user_pool::user::{Attributes, UserStatus, Username};

pub use attributes::{InvalidMigratedAttributes, MigratedAttributes};

const EMAIL: &str = "email";
const EMAIL_VERIFIED: &str = "email_verified";
const PHONE_NUMBER: &str = "phone_number";
const PHONE_NUMBER_VERIFIED: &str = "phone_number_verified";

/// Which users move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What users of the new pool sign in with.
    pub sign_in: SignInWith,
    /// The attributes that move.
    pub attributes: MigratedAttributes,
}

/// What a user without an account in the new pool does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
pub enum Flow {
    /// The user signs in with a password, which the old directory accepted.
    SignIn,
    /// The user requests a code to set a new password.
    ForgotPassword,
}

/// A user of the old directory. Has no `Debug`, because it is personal data.
#[derive(Clone)]
pub struct OldUser {
    /// The user name, never an alias.
    pub username: String,
    /// The status.
    pub status: UserStatus,
    /// Whether the user is enabled.
    pub enabled: bool,
    /// Whether a sign-in requires a second factor.
    pub has_second_factor: bool,
    /// The attributes, as Cognito names them.
    pub attributes: Attributes,
}

/// A user who moves. Has no `Debug`, because it is personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Migration {
    /// The status of the user in the new pool.
    pub status: UserStatus,
    /// The attributes of the user in the new pool, never empty.
    pub attributes: Attributes,
}

/// Why a user does not move. The log contains the reason. The user receives the same response for all reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error, IntoStaticStr, VariantArray)]
pub enum Denial {
    /// The old directory does not know the user, or the password is wrong.
    #[error("unknown user or wrong password")]
    Credentials,
    /// The old directory requires more than the password: a second factor or a new password.
    #[error("the old directory requires a further step to sign in")]
    Challenge,
    /// The user is disabled.
    #[error("the user is disabled")]
    Disabled,
    /// The user is not confirmed, has a temporary password, or signs in through an external provider.
    #[error("the status of the user does not allow it")]
    Status,
    /// The user has a second factor, which cannot move.
    #[error("the user has a second factor")]
    SecondFactor,
    /// The entered name is not the user's name in the new pool: the verified e-mail address or the user name, depending
    /// on [`SignInWith`].
    #[error("the entered name is not a name of the user in the new pool")]
    Name,
    /// A code could not be sent, because the user has no verified e-mail address that moves.
    #[error("the user has no verified e-mail address")]
    NoVerifiedEmail,
    /// No attribute moves. Cognito requires at least one.
    #[error("no attribute of the user moves")]
    NoAttributes,
}

impl Denial {
    /// All reasons.
    pub const ALL: &[Self] = Self::VARIANTS;
}

/// Why the old directory did not return a user.
#[derive(Debug, Error)]
pub enum LookupError {
    /// The user does not move.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The old directory did not answer, so whether the user can move is unknown.
    #[error("the old directory is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl LookupError {
    /// An answer that is missing or cannot be used.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// The port for the old directory. The calls change nothing there, except that a directory can count failed sign-ins.
#[async_trait]
pub trait OldDirectory: Send + Sync {
    /// Returns the user whose password this is. MUST be called at most once for each sign-in, because directories lock
    /// users out after several wrong passwords.
    async fn sign_in(&self, name: &Username, password: &Secret) -> Result<OldUser, LookupError>;

    /// Returns a user without a check of the password.
    async fn find(&self, name: &Username) -> Result<OldUser, LookupError>;
}

/// Decides whether a user moves. `entered` is the name that the user entered, which becomes the name in the new pool.
///
/// # Errors
/// Returns the reason if the user does not move.
pub fn decide(policy: &Policy, flow: Flow, entered: &Username, user: &OldUser) -> Result<Migration, Denial> {
    if !user.enabled {
        return Err(Denial::Disabled);
    }
    match (&user.status, flow) {
        // A reset with a code is what the status requires.
        (UserStatus::Confirmed, _) | (UserStatus::ResetRequired, Flow::ForgotPassword) => {}
        _ => return Err(Denial::Status),
    }
    if user.has_second_factor {
        return Err(Denial::SecondFactor);
    }
    if !policy.accepts_name(entered, user) {
        return Err(Denial::Name);
    }
    let attributes = policy.attributes_of(entered, user);
    if flow == Flow::ForgotPassword && !attributes.contains_key(EMAIL_VERIFIED) {
        return Err(Denial::NoVerifiedEmail);
    }
    if attributes.is_empty() {
        return Err(Denial::NoAttributes);
    }
    let status = match flow {
        Flow::SignIn => UserStatus::Confirmed,
        Flow::ForgotPassword => UserStatus::ResetRequired,
    };
    Ok(Migration { status, attributes })
}

impl Policy {
    /// Whether the entered name is the user's name in the new pool. Each user has only one such name. With a second one,
    /// the user could create another account, without the changed password, the second factor or the disabled status of
    /// the first.
    fn accepts_name(&self, entered: &Username, user: &OldUser) -> bool {
        match self.sign_in {
            SignInWith::Email => user.verified(EMAIL, EMAIL_VERIFIED).is_some_and(|email| is_same(entered, email)),
            SignInWith::Username => is_same(entered, &user.username),
        }
    }

    fn attributes_of(&self, entered: &Username, user: &OldUser) -> Attributes {
        let is_present = |(name, value): &(&String, &String)| self.attributes.contains(name) && !value.is_empty();
        let moved = user.attributes.iter().filter(is_present);
        let mut moved: Attributes = moved.map(|(name, value)| (name.clone(), value.clone())).collect();
        if self.sign_in == SignInWith::Email {
            // In a pool with e-mail sign-in, the name is the address, also if the old directory has it in another case.
            moved.insert(EMAIL.to_owned(), entered.to_string());
        }
        for (name, verified) in [(EMAIL, EMAIL_VERIFIED), (PHONE_NUMBER, PHONE_NUMBER_VERIFIED)] {
            if moved.contains_key(name) && user.verified(name, verified).is_some() {
                moved.insert(verified.to_owned(), "true".to_owned());
            }
        }
        moved
    }
}

impl OldUser {
    /// The value of an attribute, if the old directory verified it.
    fn verified(&self, name: &str, verified: &str) -> Option<&str> {
        let is_verified = self.attributes.get(verified).is_some_and(|value| value == "true");
        self.attributes.get(name).map(String::as_str).filter(|value| is_verified && !value.is_empty())
    }
}

/// Compares names like a pool that ignores case. Only A–Z are compared without case, because other letters could make two
/// mailboxes equal.
fn is_same(entered: &Username, name: &str) -> bool {
    entered.as_str().eq_ignore_ascii_case(name)
}
