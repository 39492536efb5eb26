//! The port for sign-up and sign-in through one app client.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;
use crate::user_pool::error::UserPoolError;
use crate::user_pool::user::{Attributes, Username};
use crate::user_pool::write_attributes::WriteAttributes;

/// What is known about the person's end of the line: Cognito's threat protection weighs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientContext {
    /// The address that the person's request came from.
    pub ip_address: Option<String>,
    /// The host name that the request was sent to.
    pub server_name: String,
    /// The path that the request was sent to.
    pub server_path: String,
    /// Headers of the request, without those that carry credentials.
    pub headers: Vec<(String, String)>,
    /// What Cognito's context data library collected on the person's device (`EncodedData`).
    pub device_data: Option<String>,
}

/// A person signing up. An invitation is a secret, and can be in the facts for the policy: so there is no `Debug`.
#[derive(Clone)]
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
    /// Where the request comes from.
    pub context: ClientContext,
}

/// A person signing in.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user name, or an alias.
    pub username: Username,
    /// The password.
    pub password: Secret,
    /// Where the request comes from.
    pub context: ClientContext,
}

/// What became of a sign-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The user's `sub`.
    pub sub: String,
    /// Whether the user may sign in at once.
    pub confirmed: bool,
    /// Where a confirmation code went, where one did.
    pub code_sent_to: Option<CodeDelivery>,
}

/// Where a code went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeDelivery {
    /// `EMAIL` or `SMS`.
    pub medium: String,
    /// The address or number, masked by Cognito, e.g. `m***@e***`.
    pub destination: String,
    /// The attribute that the code verifies, e.g. `email`, where it is about one.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub attribute: Option<String>,
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
    /// Which step.
    pub name: ChallengeName,
    /// Ties the answer to the sign-in. Lives for minutes.
    pub session: Option<Secret>,
    /// The name to answer with: the real user name, whatever was typed at sign-in.
    pub username: Username,
    /// Attributes that the pool requires and the user does not have.
    pub missing_attributes: Vec<String>,
    /// The factors that `SELECT_MFA_TYPE` and `MFA_SETUP` offer.
    pub factors: Vec<Factor>,
    /// Where the code of this challenge went, where one did.
    pub code_sent_to: Option<CodeDelivery>,
    /// For the authenticator app, after [`ChallengeResponse::BeginSetup`].
    pub authenticator_secret: Option<Secret>,
}

/// The challenges that can be answered, by Cognito's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChallengeName {
    /// The password is a temporary one.
    NewPasswordRequired,
    /// A code went out in a text message.
    SmsMfa,
    /// The code of the authenticator app is needed.
    SoftwareTokenMfa,
    /// A code went out in an e-mail.
    EmailOtp,
    /// The user has several factors and chooses one.
    SelectMfaType,
    /// The pool asks for a second factor, and the user has none yet.
    MfaSetup,
}

impl ChallengeName {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::NewPasswordRequired,
        Self::SmsMfa,
        Self::SoftwareTokenMfa,
        Self::EmailOtp,
        Self::SelectMfaType,
        Self::MfaSetup,
    ];

    /// Cognito's name for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewPasswordRequired => "NEW_PASSWORD_REQUIRED",
            Self::SmsMfa => "SMS_MFA",
            Self::SoftwareTokenMfa => "SOFTWARE_TOKEN_MFA",
            Self::EmailOtp => "EMAIL_OTP",
            Self::SelectMfaType => "SELECT_MFA_TYPE",
            Self::MfaSetup => "MFA_SETUP",
        }
    }
}

impl Factor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SmsMfa, Self::SoftwareTokenMfa, Self::EmailOtp];

    /// Cognito's name for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SmsMfa => "SMS_MFA",
            Self::SoftwareTokenMfa => "SOFTWARE_TOKEN_MFA",
            Self::EmailOtp => "EMAIL_OTP",
        }
    }
}

/// What a sign-in came to.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// Signed in.
    Tokens(Tokens),
    /// One more step.
    Challenge(Challenge),
    /// A step that cannot be answered here, by Cognito's name for it, e.g. `CUSTOM_CHALLENGE`.
    Unsupported(String),
}

/// The answer to a challenge.
#[derive(Debug, Clone)]
pub struct ChallengeAnswer {
    /// [`Challenge::username`].
    pub username: Username,
    /// [`Challenge::session`].
    pub session: Secret,
    /// What is answered.
    pub response: ChallengeResponse,
    /// Where the request comes from.
    pub context: ClientContext,
}

/// What is answered to a challenge.
#[derive(Debug, Clone)]
pub enum ChallengeResponse {
    /// `NEW_PASSWORD_REQUIRED`
    NewPassword {
        /// The password from now on.
        new_password: Secret,
        /// Values for [`Challenge::missing_attributes`].
        attributes: Attributes,
    },
    /// `SMS_MFA`, `SOFTWARE_TOKEN_MFA` or `EMAIL_OTP`: a code.
    Code {
        /// What the code comes from.
        factor: Factor,
        /// The code.
        code: Secret,
    },
    /// `SELECT_MFA_TYPE`: which factor the code is to come from.
    SelectFactor(Factor),
    /// `MFA_SETUP`, the first half: asks for the secret of a new authenticator app. Comes to another challenge `MFA_SETUP`, with the
    /// secret in [`Challenge::authenticator_secret`].
    BeginSetup,
    /// `MFA_SETUP`, the second half: proves that the app has the secret.
    FinishSetup {
        /// The code that the app shows.
        code: Secret,
        /// What the person calls the device.
        device_name: Option<String>,
    },
}

/// A second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Factor {
    /// A code in a text message.
    SmsMfa,
    /// A code from an authenticator app (TOTP).
    SoftwareTokenMfa,
    /// A code in an e-mail.
    EmailOtp,
}

/// Sign-up and sign-in through one app client. Where the client has a secret, the implementation sends `SECRET_HASH`.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Which attributes users may set through the app client.
    async fn write_attributes(&self) -> Result<WriteAttributes, UserPoolError>;

    /// Signs a person up. MUST answer `UserExists`, `InvalidPassword` and `SignUpRefused` as their own reasons.
    async fn sign_up(&self, registration: &Registration) -> Result<Registered, UserPoolError>;

    /// Signs in with a password. MUST answer `InvalidCredentials` alike for a wrong password and an unknown user, and
    /// `UserNotConfirmed` for one who has not been confirmed.
    async fn sign_in(&self, credentials: &Credentials) -> Result<SignIn, UserPoolError>;

    /// Answers a challenge. MUST answer `InvalidCredentials` for a session that is not (or no longer) open, and `CodeMismatch`
    /// and `CodeExpired` for a code.
    async fn answer_challenge(&self, answer: &ChallengeAnswer) -> Result<SignIn, UserPoolError>;

    /// New tokens for a refresh token. `username` MUST be the real name ([`Tokens::username`]): the hash of an alias is refused.
    /// Where the app client rotates refresh tokens the answer holds a new one, and the old one dies.
    async fn refresh(
        &self,
        username: &Username,
        refresh_token: &Secret,
        context: &ClientContext,
    ) -> Result<Tokens, UserPoolError>;

    /// Revokes one refresh token and the access tokens that came from it. Safe to repeat.
    async fn revoke(&self, refresh_token: &Secret) -> Result<(), UserPoolError>;

    /// Signs the owner of the access token out everywhere. A second time it is `InvalidCredentials`: the token is dead.
    async fn sign_out_everywhere(&self, access_token: &Secret) -> Result<(), UserPoolError>;
}
