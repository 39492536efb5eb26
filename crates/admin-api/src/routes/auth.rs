//! Self-service routes, for servers that call Cognito on behalf of their users through the backend client.
//!
//! These routes require no permission, only credentials in the body or the user's access token in a header.

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
use startup::metrics;
use utoipa::ToSchema;

use crate::app::App;
use crate::http::error::ApiError;

pub(super) use sign_out::SignedOut;

/// Rejects attributes that users cannot set through the app client. Cognito does not check them in
/// `AdminRespondToAuthChallenge`, which is sent with the function's credentials. Cognito also lets a client without a
/// list of write attributes write custom attributes.
async fn require_writable(app: &App, attributes: &Attributes) -> Result<(), ApiError> {
    if attributes.is_empty() {
        return Ok(());
    }
    let writable = app.sessions.write_attributes().await?;
    let rejected = attributes.keys().find(|name| !writable.allow(name));
    rejected.map_or(Ok(()), |name| {
        Err(ApiError::invalid(&format!("attributes.{name}"), "Users cannot set this attribute."))
    })
}

/// The destination of a code. The response for an unknown user has the same form.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CodeSent, example = json!({"code_sent_to": example_delivery()}))]
pub(crate) struct CodeSent {
    /// The destination is simulated or null if the user does not exist.
    #[schema(required = true)]
    code_sent_to: Option<CodeDelivery>,
}

impl CodeSent {
    /// Hides that the user does not exist, even if the app client reveals it.
    fn of(sent: Result<Option<CodeDelivery>, UserPoolError>) -> Result<Self, ApiError> {
        match sent {
            Ok(code_sent_to) => {
                count_mail(code_sent_to.as_ref());
                Ok(Self { code_sent_to })
            }
            Err(error) if error.reason == Reason::UserNotFound => Ok(Self { code_sent_to: None }),
            Err(error) => Err(error.into()),
        }
    }
}

/// Counts a code that was sent by mail.
fn count_mail(delivery: Option<&CodeDelivery>) {
    if delivery.is_some_and(|delivery| delivery.medium == "EMAIL") {
        metrics::mail();
    }
}

/// Example for the OpenAPI document.
fn example_delivery() -> Value {
    json!({"medium": "EMAIL", "destination": "m***@e***", "attribute": "email"})
}

// The type contains tokens as text, so it does not implement `Debug`.
/// The result of a sign-in or of an answered challenge: tokens, or the next challenge.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SignInOutcome)]
pub(crate) enum Outcome {
    #[schema(title = "SignInTokens")]
    Tokens(TokensView),
    #[schema(title = "SignInChallenge")]
    Challenge(ChallengeView),
}

/// Tokens of an authenticated user.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens, example = Self::example)]
pub(crate) struct TokensView {
    #[schema(format = Password)]
    access_token: String,
    #[schema(format = Password)]
    id_token: String,
    /// Absent after a refresh unless the app client rotates refresh tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = Password)]
    refresh_token: Option<String>,
    /// Validity of the access token.
    expires_in_seconds: u32,
    #[schema(value_type = String)]
    token_type: &'static str,
    /// The user name, never an alias. A refresh requires it.
    username: Username,
}

/// A challenge that must be answered before tokens are issued. Answer it with `POST /v1/auth/challenge`.
#[derive(Serialize, ToSchema)]
#[schema(as = Challenge, example = Self::example)]
pub(crate) struct ChallengeView {
    name: ChallengeName,
    /// Must be sent with the answer. Valid for a few minutes.
    #[schema(required = true, format = Password)]
    session: Option<String>,
    /// The user name, never an alias. Must be sent with the answer.
    username: Username,
    /// Required attributes that the user lacks.
    missing_attributes: Vec<String>,
    /// The second factors to choose from.
    factors: Vec<Factor>,
    /// The destination of the code; null if no code was sent.
    #[schema(required = true)]
    code_sent_to: Option<CodeDelivery>,
    /// The TOTP secret; null unless an authenticator app is being set up.
    #[schema(required = true, format = Password)]
    authenticator_secret: Option<String>,
}

impl TokensView {
    /// Example for the OpenAPI document.
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
    /// Example for the OpenAPI document.
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
    /// The user who signs in.
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
