//! Sources of access tokens.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::StatusCode;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::ApiError as _;
use crate::generated::types::{Challenge, ErrorBody, Refresh, SignIn as Credentials, SignInOutcome, Tokens};
use crate::generated::{Client, Error};
use crate::secret::Secret;

/// How long before its expiry a token is renewed.
const MARGIN: Duration = Duration::from_secs(30);

/// Returns the access tokens of a client.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// Returns a token for the next request. `rejected` is the token that the API did not accept; the source must not
    /// return it again unless it has no other.
    ///
    /// The source can call the public operations of `api`, such as [`Client::sign_in`].
    ///
    /// # Errors
    /// Returns an error if no token is available.
    async fn token(&self, api: &Client, rejected: Option<&Secret>) -> Result<Secret, TokenError>;
}

/// A fixed token, for example of the user whose request the back end serves.
#[async_trait]
impl TokenSource for Secret {
    async fn token(&self, _: &Client, _: Option<&Secret>) -> Result<Secret, TokenError> {
        Ok(self.clone())
    }
}

/// Why a source has no token.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The sign-in requires an answer to this challenge, which a program cannot give.
    #[error("the sign-in requires the challenge {}", .0.name)]
    ChallengeRequired(Box<Challenge>),
    /// The sign-in failed.
    #[error("the sign-in failed: {}", summary(.0))]
    SignIn(#[source] Box<Error<ErrorBody>>),
}

/// The status and the code of an error.
fn summary(error: &Error<ErrorBody>) -> String {
    match (error.status(), error.code()) {
        (Some(status), Some(code)) => format!("{} {code}", status.as_u16()),
        (Some(status), None) => status.as_u16().to_string(),
        (None, _) => "no valid response".to_owned(),
    }
}

impl From<Error<ErrorBody>> for TokenError {
    fn from(error: Error<ErrorBody>) -> Self {
        Self::SignIn(Box::new(error))
    }
}

/// Signs in with a user name and a password, and refreshes the tokens before they expire.
///
/// Concurrent requests share a sign-in or a refresh. If the API rejects the access token or the refresh token, the source
/// signs in again.
pub struct SignIn {
    username: String,
    password: Secret,
    /// Held during a sign-in, so that concurrent requests wait for it.
    current: Mutex<Option<Current>>,
}

struct Current {
    tokens: Tokens,
    renew_at: Instant,
}

impl SignIn {
    /// The credentials of a user, such as an administrator for a back end. The first request signs in.
    pub fn new(username: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self { username: username.into(), password: password.into(), current: Mutex::new(None) }
    }

    async fn sign_in(&self, api: &Client) -> Result<Tokens, TokenError> {
        let credentials = Credentials { username: self.username.clone(), password: self.password.clone() };
        match api.sign_in().body(credentials).send().await?.into_inner() {
            SignInOutcome::Tokens(outcome) => Ok(outcome.tokens),
            SignInOutcome::Challenge(outcome) => Err(TokenError::ChallengeRequired(Box::new(outcome.challenge))),
        }
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SignIn").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Refreshed tokens. `None` if the API rejects the refresh token.
async fn refreshed(api: &Client, tokens: Tokens) -> Result<Option<Tokens>, TokenError> {
    let Some(refresh_token) = tokens.refresh_token else { return Ok(None) };
    let body = Refresh { refresh_token: refresh_token.clone(), username: tokens.username };
    match api.refresh().body(body).send().await {
        // Without rotation, the response contains no refresh token.
        Ok(response) => {
            let tokens = response.into_inner().tokens;
            Ok(Some(Tokens { refresh_token: tokens.refresh_token.or(Some(refresh_token)), ..tokens }))
        }
        Err(error)
            if matches!(
                error.status(),
                Some(StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

#[async_trait]
impl TokenSource for SignIn {
    async fn token(&self, api: &Client, rejected: Option<&Secret>) -> Result<Secret, TokenError> {
        let mut current = self.current.lock().await;
        if let Some(Current { tokens, renew_at }) = &*current
            && Instant::now() < *renew_at
            && rejected != Some(&tokens.access_token)
        {
            return Ok(tokens.access_token.clone());
        }
        // After a sign-out of all users, a refresh succeeds, but the session gate denies the new token as well.
        let tokens = match current.take() {
            Some(Current { tokens, .. }) if rejected.is_none() => refreshed(api, tokens).await?,
            _ => None,
        };
        let tokens = match tokens {
            Some(tokens) => tokens,
            None => self.sign_in(api).await?,
        };
        let token = tokens.access_token.clone();
        let validity = Duration::from_secs(u64::try_from(tokens.expires_in_seconds).unwrap_or_default());
        *current = Some(Current { tokens, renew_at: Instant::now() + validity.saturating_sub(MARGIN) });
        Ok(token)
    }
}
