//! Decides requests.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use domain::revocation::{CheckError, Denial, Revocations, RevocationsUnavailable, Token, TokenUser, check};
use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_json::Value;
use startup::{causes, metrics};
use thiserror::Error;
use token_verifier::{Claims, KeyCache, KeySource, Policy, Rejection, VerifyError};

use crate::introspection::{self, Introspection};
use crate::request::{Format, Request, TokenSource};
use crate::response::{accepted, denied};

/// How long a decision takes at most.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Decides which requests reach an API.
pub struct Authorizer<S: KeySource> {
    policy: Policy,
    keys: KeyCache<S>,
    revocations: Arc<dyn Revocations>,
    token_source: TokenSource,
}

/// Why a request does not reach the API.
#[derive(Debug, Error)]
enum Refusal {
    #[error("the request has no token")]
    NoToken,
    #[error("the request has more than one token")]
    SeveralTokens,
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error(transparent)]
    Denied(#[from] Denial),
}

/// Whether the token is valid is unknown.
#[derive(Debug, Error)]
enum Unknown {
    #[error("cannot read the keys of the user pool")]
    Keys(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Revocations(#[from] RevocationsUnavailable),
    #[error("no decision within {} ms", TIMEOUT.as_millis())]
    TimedOut,
}

/// Why an invocation fails. API Gateway does not show the text to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Failure {
    /// The token is not accepted. The text makes REST APIs respond with 401 instead of 500
    /// ([AWS](https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html)).
    #[error("Unauthorized")]
    Unauthorized,
    /// Whether the token is valid is unknown. API Gateway responds with 500.
    #[error("the token could not be checked; see the log")]
    Unavailable,
    /// The event is neither a request to an authorizer nor an introspection.
    #[error("the event is not a request of API Gateway to a Lambda authorizer or to the introspection route")]
    UnreadableEvent,
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let kind = match failure {
            Failure::Unauthorized => "Unauthorized",
            Failure::Unavailable => "Unavailable",
            Failure::UnreadableEvent => "UnreadableEvent",
        };
        Self { error_type: kind.to_owned(), error_message: failure.to_string() }
    }
}

impl<S: KeySource> Authorizer<S> {
    /// Creates an authorizer that accepts the tokens of a policy unless they are revoked.
    pub fn new(
        policy: Policy,
        keys: KeyCache<S>,
        revocations: Arc<dyn Revocations>,
        token_source: TokenSource,
    ) -> Self {
        Self { policy, keys, revocations, token_source }
    }

    /// Decides a request at this time, and returns the response to API Gateway. The log contains the reason if the
    /// request is not accepted.
    ///
    /// # Errors
    ///
    /// Returns [`Failure::Unavailable`] unless the token and its revocations could be checked within a second. Returns
    /// [`Failure::Unauthorized`] instead of a response if API Gateway expects a policy and the token is not accepted.
    /// An introspection always returns a response.
    pub async fn handle(&self, event: Value, now: SystemTime) -> Result<Value, Failure> {
        if let Some(request) = Introspection::deserialize(&event).ok().filter(Introspection::is_of_route) {
            // An event with an ARN is a request to the authorizer for a route of this name.
            if event.get("routeArn").is_none() {
                return Ok(self.introspect(&request, now).await);
            }
        }
        let request = Request::deserialize(event).ok();
        let (request, format) =
            request.and_then(|request| request.format().map(|format| (request, format))).ok_or_else(|| {
                tracing::error!("{}", Failure::UnreadableEvent);
                metrics::failure();
                Failure::UnreadableEvent
            })?;
        let decision = tokio::time::timeout(TIMEOUT, self.decide(&request, now)).await;
        match decision.unwrap_or(Err(Unknown::TimedOut)) {
            Ok(Ok(claims)) => Ok(accepted(&format, &claims)),
            Ok(Err(refusal)) => {
                tracing::warn!(reason = %refusal, "request denied");
                match format {
                    Format::Simple => Ok(denied()),
                    Format::Policy { .. } => Err(Failure::Unauthorized),
                }
            }
            Err(unknown) => {
                tracing::error!(error = causes(&unknown), "request denied without a decision");
                metrics::failure();
                Err(Failure::Unavailable)
            }
        }
    }

    /// Returns whether a token is active. The log contains the caller and the result, and the reason if the token is not
    /// active.
    async fn introspect(&self, request: &Introspection, now: SystemTime) -> Value {
        let caller_and_token = request.caller().and_then(|caller| Ok((caller, request.token()?)));
        let (caller, token) = match caller_and_token {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(reason = ?error, "introspection rejected");
                return introspection::rejected(error);
            }
        };
        let decision = tokio::time::timeout(TIMEOUT, self.check(&token, now)).await;
        match decision.unwrap_or(Err(Unknown::TimedOut)) {
            Ok(Ok(claims)) => {
                tracing::info!(caller, user_sub = claims.sub, "token is active");
                introspection::active(&claims, &self.policy.issuer)
            }
            Ok(Err(refusal)) => {
                tracing::warn!(caller, reason = %refusal, "token is not active");
                introspection::inactive()
            }
            Err(unknown) => {
                tracing::error!(caller, error = causes(&unknown), "introspection without a decision");
                metrics::failure();
                introspection::unavailable()
            }
        }
    }

    async fn decide(&self, request: &Request, now: SystemTime) -> Result<Result<Claims, Refusal>, Unknown> {
        match request.tokens(&self.token_source)[..] {
            [token] => self.check(token, now).await,
            [] => Ok(Err(Refusal::NoToken)),
            _ => Ok(Err(Refusal::SeveralTokens)),
        }
    }

    /// Verifies a token and checks its revocations.
    async fn check(&self, token: &str, now: SystemTime) -> Result<Result<Claims, Refusal>, Unknown> {
        let claims = match self.keys.verify(&self.policy, token, now).await {
            Ok(claims) => claims,
            Err(VerifyError::Rejected(rejection)) => return Ok(Err(rejection.into())),
            Err(error) => return Err(Unknown::Keys(error.into())),
        };
        match check(&*self.revocations, &to_token(&claims)).await {
            Ok(()) => Ok(Ok(claims)),
            Err(CheckError::Denied(denial)) => Ok(Err(denial.into())),
            Err(CheckError::Unavailable(error)) => Err(error.into()),
        }
    }
}

/// Returns the claims that revocations apply to.
fn to_token(claims: &Claims) -> Token<'_> {
    let user = claims.username.as_ref().map(|_| TokenUser { sub: &claims.sub, session: claims.session.as_deref() });
    Token { client_id: &claims.client_id, user, signed_in_at: claims.authenticated_at, issued_at: claims.issued_at }
}
