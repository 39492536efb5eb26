//! What people do for themselves through the backend client: for servers whose users do not talk to Cognito themselves.
//!
//! Nobody needs a permission here. The credentials are in the body or, for one's own account, an access token is in a header.

mod attributes;
mod challenge;
mod confirm_sign_up;
mod forgot_password;
mod me;
mod refresh;
mod resend_code;
mod reset_password;
mod secrets;
mod sign_in;
mod sign_out;
mod sign_up;

use domain::secret::Secret;
use domain::sessions::{Challenge, ChallengeName, CodeDelivery, Factor, SignIn, Tokens};
use domain::user::{Attributes, Username};
use domain::user_pool_error::{Reason, UserPoolError};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::app::App;
use crate::error::ApiError;
use crate::router::{Endpoint, Method};

pub(super) use sign_out::SignedOut;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Method::Post, "/v1/auth/sign-up", sign_up::handle),
        Endpoint::new(Method::Post, "/v1/auth/confirm-sign-up", confirm_sign_up::handle),
        Endpoint::new(Method::Post, "/v1/auth/resend-code", resend_code::handle),
        Endpoint::new(Method::Post, "/v1/auth/sign-in", sign_in::handle),
        Endpoint::new(Method::Post, "/v1/auth/challenge", challenge::handle),
        Endpoint::new(Method::Post, "/v1/auth/refresh", refresh::handle),
        Endpoint::new(Method::Post, "/v1/auth/sign-out", sign_out::handle),
        Endpoint::new(Method::Post, "/v1/auth/forgot-password", forgot_password::handle),
        Endpoint::new(Method::Post, "/v1/auth/reset-password", reset_password::handle),
        Endpoint::new(Method::Get, "/v1/auth/me", me::handle),
        Endpoint::new(Method::Post, "/v1/auth/me/totp", me::totp::start::handle),
        Endpoint::new(Method::Post, "/v1/auth/me/totp/verify", me::totp::verify::handle),
        Endpoint::new(Method::Delete, "/v1/auth/me/totp", me::totp::remove::handle),
        Endpoint::new(Method::Post, "/v1/auth/attributes/{name}/code", attributes::code::handle),
        Endpoint::new(Method::Post, "/v1/auth/attributes/{name}/verify", attributes::verify::handle),
    ]
}

/// What the annotations of these routes say.
#[derive(OpenApi)]
#[openapi(paths(
    sign_up::handle,
    confirm_sign_up::handle,
    resend_code::handle,
    sign_in::handle,
    challenge::handle,
    refresh::handle,
    sign_out::handle,
    forgot_password::handle,
    reset_password::handle,
    me::handle,
    me::totp::start::handle,
    me::totp::verify::handle,
    me::totp::remove::handle,
    attributes::code::handle,
    attributes::verify::handle
))]
pub(super) struct Documented;

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
struct CodeSent {
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
enum Outcome {
    Tokens(TokensView),
    Challenge(ChallengeView),
}

/// Tokens of a signed-in person.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens, example = Self::example)]
struct TokensView {
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
struct ChallengeView {
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
