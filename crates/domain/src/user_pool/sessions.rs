//! The port for sign-up and sign-in through one app client.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::secret::Secret;
use crate::user_pool::error::UserPoolError;
use crate::user_pool::user::{Attributes, Username};
use crate::user_pool::write_attributes::WriteAttributes;

/// The context of the client's request, which Cognito's threat protection evaluates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientContext {
    /// The client's IP address.
    pub ip_address: Option<String>,
    /// The host name that the request was sent to.
    pub server_name: String,
    /// The path that the request was sent to.
    pub server_path: String,
    /// Headers of the request, without those that carry credentials.
    pub headers: Vec<(String, String)>,
    /// The data that Cognito's context data library collected on the device (`EncodedData`).
    pub device_data: Option<String>,
}

/// A sign-up. Has no `Debug`, because the data for the triggers can contain an invitation, which is a secret.
#[derive(Clone)]
pub struct Registration {
    /// The user name (in a pool with e-mail sign-in: the e-mail address).
    pub username: Username,
    /// The password.
    pub password: Secret,
    /// The initial attributes.
    pub attributes: Attributes,
    /// Data for the pre-sign-up trigger. Not stored.
    pub validation_data: Attributes,
    /// Data for all triggers. Not stored.
    pub client_metadata: Attributes,
    /// The context of the request.
    pub context: ClientContext,
}

/// A sign-in.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user name or an alias.
    pub username: Username,
    /// The password.
    pub password: Secret,
    /// The context of the request.
    pub context: ClientContext,
}

/// The result of a sign-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The user's `sub`.
    pub sub: String,
    /// Whether the user is confirmed.
    pub confirmed: bool,
    /// The destination of the confirmation code, if one was sent.
    pub code_sent_to: Option<CodeDelivery>,
}

/// The destination of a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeDelivery {
    /// `EMAIL` or `SMS`.
    pub medium: String,
    /// The address or number, masked by Cognito, e.g. `m***@e***`.
    pub destination: String,
    /// The attribute that the code verifies, e.g. `email`, if any.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub attribute: Option<String>,
}

/// Tokens of an authenticated user.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Authorizes calls to the pool's API and to API Gateway.
    pub access_token: Secret,
    /// Identifies the user.
    pub id_token: Secret,
    /// Requests new tokens. Absent after a refresh, unless the client rotates refresh tokens.
    pub refresh_token: Option<Secret>,
    /// The validity of the access token in seconds.
    pub expires_in_seconds: u32,
    /// The user name, not an alias. A refresh needs it for the `SECRET_HASH`.
    pub username: Username,
}

/// A challenge that must be answered before Cognito issues tokens.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// The challenge.
    pub name: ChallengeName,
    /// Links the response to the sign-in. Expires after a few minutes.
    pub session: Option<Secret>,
    /// The user name for the response, never an alias.
    pub username: Username,
    /// Attributes that the pool requires and the user does not have.
    pub missing_attributes: Vec<String>,
    /// The factors that `SELECT_MFA_TYPE` and `MFA_SETUP` offer.
    pub factors: Vec<Factor>,
    /// The destination of the challenge's code, if one was sent.
    pub code_sent_to: Option<CodeDelivery>,
    /// The secret for the authenticator app, after [`ChallengeResponse::BeginSetup`].
    pub authenticator_secret: Option<Secret>,
}

/// The challenges that can be answered, as Cognito names them.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ChallengeName {
    /// The password is a temporary one.
    NewPasswordRequired,
    /// The user enters the code sent by text message.
    SmsMfa,
    /// The user enters the code of the authenticator app.
    SoftwareTokenMfa,
    /// The user enters the code sent by e-mail.
    EmailOtp,
    /// The user has several factors and chooses one.
    SelectMfaType,
    /// The pool requires a second factor, and the user has none.
    MfaSetup,
}

impl ChallengeName {
    /// All values.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Cognito's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Factor {
    /// All values.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Cognito's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The result of a sign-in.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// The user is signed in.
    Tokens(Tokens),
    /// The user must answer a challenge.
    Challenge(Challenge),
    /// A challenge that is not supported, as Cognito names it, e.g. `CUSTOM_CHALLENGE`.
    Unsupported(String),
}

/// The answer to a challenge.
#[derive(Debug, Clone)]
pub struct ChallengeAnswer {
    /// [`Challenge::username`].
    pub username: Username,
    /// [`Challenge::session`].
    pub session: Secret,
    /// The response.
    pub response: ChallengeResponse,
    /// The context of the request.
    pub context: ClientContext,
}

/// The response to a challenge.
#[derive(Debug, Clone)]
pub enum ChallengeResponse {
    /// `NEW_PASSWORD_REQUIRED`
    NewPassword {
        /// The new password.
        new_password: Secret,
        /// Values for [`Challenge::missing_attributes`].
        attributes: Attributes,
    },
    /// `SMS_MFA`, `SOFTWARE_TOKEN_MFA` or `EMAIL_OTP`: a code.
    Code {
        /// The factor of the code.
        factor: Factor,
        /// The code.
        code: Secret,
    },
    /// `SELECT_MFA_TYPE`: the factor to use.
    SelectFactor(Factor),
    /// `MFA_SETUP`, step 1: requests a secret for an authenticator app. Results in another `MFA_SETUP` challenge with
    /// the secret in [`Challenge::authenticator_secret`].
    BeginSetup,
    /// `MFA_SETUP`, step 2: proves that the app has the secret.
    FinishSetup {
        /// The code that the app shows.
        code: Secret,
        /// The user's name for the device.
        device_name: Option<String>,
    },
}

/// A second factor.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Factor {
    /// A code in a text message.
    SmsMfa,
    /// A code from an authenticator app (TOTP).
    SoftwareTokenMfa,
    /// A code in an e-mail.
    EmailOtp,
}

/// Sign-up and sign-in through one app client. If the client has a secret, the implementation sends `SECRET_HASH`.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Returns the attributes that users can set through the app client.
    async fn write_attributes(&self) -> Result<WriteAttributes, UserPoolError>;

    /// Signs a user up. MUST return `UserExists`, `InvalidPassword` or `SignUpRefused` for these failures.
    async fn sign_up(&self, registration: &Registration) -> Result<Registered, UserPoolError>;

    /// Signs in with a password. MUST return `InvalidCredentials` for both a wrong password and an unknown user, and
    /// `UserNotConfirmed` for an unconfirmed user.
    async fn sign_in(&self, credentials: &Credentials) -> Result<SignIn, UserPoolError>;

    /// Answers a challenge. MUST return `InvalidCredentials` for an unknown or expired session, and `CodeMismatch` or
    /// `CodeExpired` for a wrong code.
    async fn answer_challenge(&self, answer: &ChallengeAnswer) -> Result<SignIn, UserPoolError>;

    /// Returns new tokens for a refresh token. `username` MUST be [`Tokens::username`], because Cognito rejects the
    /// hash of an alias. If the app client rotates refresh tokens, the result contains a new refresh token, and the old
    /// one is revoked.
    async fn refresh(
        &self,
        username: &Username,
        refresh_token: &Secret,
        context: &ClientContext,
    ) -> Result<Tokens, UserPoolError>;

    /// Revokes one refresh token and the access tokens issued with it. Safe to repeat.
    async fn revoke(&self, refresh_token: &Secret) -> Result<(), UserPoolError>;

    /// Signs out the owner of an access token of any client of the pool everywhere. A repeated call returns `InvalidCredentials`, because the
    /// token is revoked.
    async fn sign_out_everywhere(&self, access_token: &Secret) -> Result<(), UserPoolError>;
}
