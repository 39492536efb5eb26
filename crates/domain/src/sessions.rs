//! The port for sign-up and sign-in through one app client.

use async_trait::async_trait;

use crate::secret::Secret;
use crate::user::{Attributes, Username};
use crate::user_pool_error::UserPoolError;

/// A person signing up.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The user name (in a pool with e-mail sign-in: the e-mail address).
    pub username: Username,
    /// The password.
    pub password: Secret,
    /// The attributes to begin with.
    pub attributes: Attributes,
    /// Facts for the pre-sign-up policy that are not stored.
    pub validation_data: Attributes,
    /// Facts for every trigger, not stored.
    pub client_metadata: Attributes,
}

/// What became of a sign-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The user's `sub`.
    pub sub: String,
    /// Whether the user may sign in at once.
    pub confirmed: bool,
    /// Where a confirmation code went (masked by Cognito, e.g. `m***@e***`), where one did.
    pub code_sent_to: Option<String>,
}

/// Tokens of a signed-in user.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// For the pool's own API and for API Gateway.
    pub access_token: Secret,
    /// Who the user is.
    pub id_token: Secret,
    /// For new tokens; absent in the answer to a refresh, unless the client rotates them.
    pub refresh_token: Option<Secret>,
    /// How long the access token lives, in seconds.
    pub expires_in_seconds: u32,
    /// The real user name, as a later refresh needs it for its `SECRET_HASH`.
    pub username: Username,
}

/// A step that must come before tokens.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// Cognito's name, e.g. `NEW_PASSWORD_REQUIRED`.
    pub name: String,
    /// Ties the answer to the sign-in. Lives for minutes.
    pub session: Option<Secret>,
    /// The name to answer with: the real user name, whatever was typed at sign-in.
    pub username: Username,
    /// Attributes that the pool requires and the user does not have.
    pub missing_attributes: Vec<String>,
    /// The other parameters that Cognito gave, without those that carry attributes of the user.
    pub parameters: Attributes,
}

/// What a sign-in came to.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// Signed in.
    Tokens(Tokens),
    /// One more step.
    Challenge(Challenge),
}

/// The answer to the challenge `NEW_PASSWORD_REQUIRED`.
#[derive(Debug, Clone)]
pub struct NewPassword {
    /// [`Challenge::username`].
    pub username: Username,
    /// [`Challenge::session`].
    pub session: Secret,
    /// The password from now on.
    pub new_password: Secret,
    /// Values for [`Challenge::missing_attributes`].
    pub attributes: Attributes,
}

/// Sign-up and sign-in through one app client. Where the client has a secret, the implementation sends `SECRET_HASH`.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Signs a person up. MUST answer `UserExists`, `InvalidPassword` and `SignUpRefused` as their own reasons.
    async fn sign_up(&self, registration: &Registration) -> Result<Registered, UserPoolError>;

    /// Signs in with a password. MUST answer `InvalidCredentials` alike for a wrong password and an unknown user, and
    /// `UserNotConfirmed` for one who has not been confirmed.
    async fn sign_in(&self, username: &Username, password: &Secret) -> Result<SignIn, UserPoolError>;

    /// Answers `NEW_PASSWORD_REQUIRED`.
    async fn set_new_password(&self, answer: &NewPassword) -> Result<SignIn, UserPoolError>;

    /// New tokens for a refresh token. `username` MUST be the real name ([`Tokens::username`]): the hash of an alias is refused.
    async fn refresh(&self, username: &Username, refresh_token: &Secret) -> Result<Tokens, UserPoolError>;

    /// Revokes one refresh token and the access tokens that came from it. Safe to repeat.
    async fn revoke(&self, refresh_token: &Secret) -> Result<(), UserPoolError>;

    /// Signs the owner of the access token out everywhere. A second time it is `InvalidCredentials`: the token is dead.
    async fn sign_out_everywhere(&self, access_token: &Secret) -> Result<(), UserPoolError>;
}
