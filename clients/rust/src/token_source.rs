//! Sources of access tokens.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// How long before its expiry a token is refreshed, at most half of its validity.
const MARGIN: Duration = Duration::from_mins(1);

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
#[derive(Debug, Clone, Error)]
pub enum TokenError {
    /// The sign-in requires an answer to this challenge, which a program cannot give.
    #[error("the sign-in requires the challenge {}", .0.name)]
    ChallengeRequired(Box<Challenge>),
    /// The sign-in failed.
    #[error("the sign-in failed: {}", summary(.0))]
    SignIn(#[source] Arc<Error<ErrorBody>>),
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
        Self::SignIn(Arc::new(error))
    }
}

/// Signs in with a user name and a password, and refreshes the tokens before they expire.
///
/// Concurrent requests share a sign-in or a refresh, also if it fails. If the API rejects the access token or the refresh token, the source
/// signs in again.
pub struct SignIn {
    username: String,
    password: Secret,
    /// Held during a sign-in, so that concurrent requests wait for it.
    state: Mutex<State>,
    /// The number of sign-ins and refreshes that have ended.
    ended: AtomicU64,
}

#[derive(Default)]
struct State {
    current: Option<Current>,
    /// The error of the last sign-in or refresh, for the requests that waited for it.
    failure: Option<TokenError>,
}

struct Current {
    tokens: Tokens,
    refresh_at: Instant,
}

impl Current {
    fn of(tokens: Tokens) -> Self {
        let validity = Duration::from_secs(u64::try_from(tokens.expires_in_seconds).unwrap_or_default());
        Self { tokens, refresh_at: Instant::now() + validity - MARGIN.min(validity / 2) }
    }
}

impl SignIn {
    /// The credentials of a user, such as an administrator for a back end. The first request signs in.
    pub fn new(username: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self { username: username.into(), password: password.into(), state: Mutex::default(), ended: AtomicU64::new(0) }
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
async fn refreshed(api: &Client, tokens: &Tokens) -> Result<Option<Tokens>, TokenError> {
    let Some(refresh_token) = &tokens.refresh_token else { return Ok(None) };
    let body = Refresh { refresh_token: refresh_token.clone(), username: tokens.username.clone() };
    match api.refresh().body(body).send().await {
        // Without rotation, the response contains no refresh token.
        Ok(response) => {
            let tokens = response.into_inner().tokens;
            Ok(Some(Tokens { refresh_token: tokens.refresh_token.or_else(|| Some(refresh_token.clone())), ..tokens }))
        }
        Err(error) if rejects_refresh(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether the API itself rejects the refresh token. After other errors, the refresh token may still be valid.
fn rejects_refresh(error: &Error<ErrorBody>) -> bool {
    let is_rejected = |status: StatusCode| status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
    error.problem().is_some() && error.status().is_some_and(is_rejected)
}

impl SignIn {
    /// Refreshes the tokens, or signs in.
    async fn renewed(&self, api: &Client, current: Option<&Tokens>) -> Result<Tokens, TokenError> {
        if let Some(tokens) = current
            && let Some(tokens) = refreshed(api, tokens).await?
        {
            return Ok(tokens);
        }
        self.sign_in(api).await
    }
}

#[async_trait]
impl TokenSource for SignIn {
    async fn token(&self, api: &Client, rejected: Option<&Secret>) -> Result<Secret, TokenError> {
        let ended = self.ended.load(Ordering::SeqCst);
        let mut state = self.state.lock().await;
        if ended != self.ended.load(Ordering::SeqCst)
            && let Some(failure) = &state.failure
        {
            return Err(failure.clone());
        }
        // After a sign-out of all users, a refresh succeeds, but the session gate denies the new token as well.
        let is_rejected = |current: &&Current| rejected == Some(&current.tokens.access_token);
        let current = state.current.as_ref().filter(|current| !is_rejected(current));
        if let Some(Current { tokens, refresh_at }) = current
            && Instant::now() < *refresh_at
        {
            return Ok(tokens.access_token.clone());
        }
        let renewed = self.renewed(api, current.map(|current| &current.tokens)).await;
        self.ended.fetch_add(1, Ordering::SeqCst);
        state.failure = renewed.as_ref().err().cloned();
        let tokens = renewed?;
        let token = tokens.access_token.clone();
        state.current = Some(Current::of(tokens));
        Ok(token)
    }
}
