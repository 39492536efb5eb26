//! Sign-up and sign-in through the backend client: for servers whose users do not talk to Cognito themselves.
//!
//! Nobody has to say who they are here; the credentials are in the body.

mod challenge;
mod refresh;
mod sign_in;
mod sign_out;
mod sign_up;

use domain::sessions::{Challenge, SignIn, Tokens};
use domain::user::{Attributes, Username};
use serde::Serialize;

use crate::router::Route;

pub(super) use sign_out::SignedOut;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::public("/v1/auth/sign-up", sign_up::handle),
        Route::public("/v1/auth/sign-in", sign_in::handle),
        Route::public("/v1/auth/challenge", challenge::handle),
        Route::public("/v1/auth/refresh", refresh::handle),
        Route::public("/v1/auth/sign-out", sign_out::handle),
    ]
}

/// What a sign-in came to. Holds the texts of tokens, so it has no `Debug`.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Tokens(TokensView),
    Challenge(ChallengeView),
}

#[derive(Serialize)]
struct TokensView {
    access_token: String,
    id_token: String,
    /// Absent after a refresh, unless the app client rotates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    expires_in_seconds: u32,
    token_type: &'static str,
    username: Username,
}

#[derive(Serialize)]
struct ChallengeView {
    name: String,
    session: Option<String>,
    username: Username,
    missing_attributes: Vec<String>,
    parameters: Attributes,
}

impl From<SignIn> for Outcome {
    fn from(sign_in: SignIn) -> Self {
        match sign_in {
            SignIn::Tokens(tokens) => Self::Tokens(tokens.into()),
            SignIn::Challenge(challenge) => Self::Challenge(challenge.into()),
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
        let Challenge { name, session, username, missing_attributes, parameters } = challenge;
        let session = session.map(|session| session.expose().to_owned());
        Self { name, session, username, missing_attributes, parameters }
    }
}
