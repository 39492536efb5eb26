//! What people do for themselves through the backend client: for servers whose users do not talk to Cognito themselves.
//!
//! Nobody needs a permission here. The credentials are in the body or, for one's own account, an access token is in a header.

pub(crate) mod attributes;
pub(crate) mod challenge;
pub(crate) mod confirm_sign_up;
pub(crate) mod forgot_password;
pub(crate) mod me;
pub(crate) mod refresh;
pub(crate) mod resend_code;
pub(crate) mod reset_password;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod sign_up;

use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::sessions::{Challenge, ChallengeName, CodeDelivery, Factor, SignIn, Tokens};
use domain::user_pool::user::{Attributes, Username};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::app::App;
use crate::http::error::ApiError;

pub(super) use sign_out::SignedOut;

/// Refuses attributes that users may not set through the app client, before anything is sent. `AdminRespondToAuthChallenge` is sent
/// with the function's own credentials, and a client without a list of write attributes may write custom attributes as well.
async fn require_writable(app: &App, attributes: &Attributes) -> Result<(), ApiError> {
    if attributes.is_empty() {
        return Ok(());
    }
    let writable = app.sessions.write_attributes().await?;
    let refused = attributes.keys().find(|name| !writable.allow(name));
    refused.map_or(Ok(()), |name| {
        Err(ApiError::invalid(&format!("attributes.{name}"), "Expected an attribute that users may set themselves."))
    })
}

/// Where a code went, or would have gone: somebody who does not exist is answered alike.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CodeSent, example = json!({"code_sent_to": example_delivery()}))]
pub(crate) struct CodeSent {
    /// Made up where there is no such user, or null.
    #[schema(required = true)]
    code_sent_to: Option<CodeDelivery>,
}

impl CodeSent {
    /// Where the app client does not hide who exists by making a delivery up, this does by keeping silent.
    fn of(sent: Result<Option<CodeDelivery>, UserPoolError>) -> Result<Self, ApiError> {
        match sent {
            Ok(code_sent_to) => Ok(Self { code_sent_to }),
            Err(error) if error.reason == Reason::UserNotFound => Ok(Self { code_sent_to: None }),
            Err(error) => Err(error.into()),
        }
    }
}

/// Where a code for an attribute went, as the OpenAPI document shows it.
fn example_delivery() -> Value {
    json!({"medium": "EMAIL", "destination": "m***@e***", "attribute": "email"})
}

/// What a sign-in came to: tokens, or the challenge that comes before them. Holds the texts of tokens, so it has no `Debug`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SignInOutcome)]
pub(crate) enum Outcome {
    Tokens(TokensView),
    Challenge(ChallengeView),
}

/// Tokens of a signed-in person.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens, example = Self::example)]
pub(crate) struct TokensView {
    access_token: String,
    id_token: String,
    /// Absent after a refresh, unless the app client rotates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh_token: Option<String>,
    /// How long the access token lives.
    expires_in_seconds: u32,
    #[schema(value_type = String)]
    token_type: &'static str,
    /// The real user name, as a refresh needs it.
    username: Username,
}

/// A step that comes before tokens; answer it with `POST /v1/auth/challenge`.
#[derive(Serialize, ToSchema)]
#[schema(as = Challenge, example = Self::example)]
pub(crate) struct ChallengeView {
    name: ChallengeName,
    /// To be sent back with the answer. Lives for minutes.
    #[schema(required = true)]
    session: Option<String>,
    /// To be sent back with the answer: the real user name, whatever was typed at sign-in.
    username: Username,
    /// Attributes that the pool requires and the user does not have.
    missing_attributes: Vec<String>,
    /// The factors that there is a choice of.
    factors: Vec<Factor>,
    /// Where a code went, where one did.
    #[schema(required = true)]
    code_sent_to: Option<CodeDelivery>,
    /// For an authenticator app, where one is being set up.
    #[schema(required = true)]
    authenticator_secret: Option<String>,
}

impl TokensView {
    /// As the OpenAPI document shows them.
    fn example() -> Value {
        json!({
            "access_token": "eyJraWQiOi…",
            "id_token": "eyJraWQiOi…",
            "refresh_token": "eyJjdHkiOi…",
            "expires_in_seconds": 3600,
            "token_type": "Bearer",
            "username": "mia",
        })
    }
}

impl ChallengeView {
    /// As the OpenAPI document shows one.
    fn example() -> Value {
        json!({
            "name": "EMAIL_OTP",
            "session": "AYABeGrXo6Ld2aCq",
            "username": "mia",
            "missing_attributes": [],
            "factors": [],
            "code_sent_to": {"medium": "EMAIL", "destination": "m***@e***", "attribute": null},
            "authenticator_secret": null,
        })
    }
}

impl TryFrom<SignIn> for Outcome {
    type Error = ApiError;

    fn try_from(sign_in: SignIn) -> Result<Self, ApiError> {
        match sign_in {
            SignIn::Tokens(tokens) => Ok(Self::Tokens(tokens.into())),
            SignIn::Challenge(challenge) => Ok(Self::Challenge(challenge.into())),
            SignIn::Unsupported(name) => Err(ApiError::UnsupportedChallenge(name)),
        }
    }
}

impl Outcome {
    /// Whose sign-in it is.
    fn username(&self) -> &Username {
        match self {
            Self::Tokens(tokens) => &tokens.username,
            Self::Challenge(challenge) => &challenge.username,
        }
    }
}

impl From<Tokens> for TokensView {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access_token.expose().to_owned(),
            id_token: tokens.id_token.expose().to_owned(),
            refresh_token: tokens.refresh_token.map(|token| token.expose().to_owned()),
            expires_in_seconds: tokens.expires_in_seconds,
            token_type: "Bearer",
            username: tokens.username,
        }
    }
}

impl From<Challenge> for ChallengeView {
    fn from(challenge: Challenge) -> Self {
        let text = |secret: Option<Secret>| secret.map(|secret| secret.expose().to_owned());
        let Challenge { name, session, username, missing_attributes, factors, code_sent_to, authenticator_secret } =
            challenge;
        let (session, authenticator_secret) = (text(session), text(authenticator_secret));
        Self { name, session, username, missing_attributes, factors, code_sent_to, authenticator_secret }
    }
}
