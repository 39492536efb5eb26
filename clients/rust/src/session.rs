//! Sends requests: adds the token and the `Idempotency-Key`, and retries.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use progenitor_client::{ClientHooks, ClientInfo, OperationInfo, ResponseValue};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Request, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::generated::{Client, Error, OPERATIONS};
use crate::retries::{IDEMPOTENCY_KEY, Outcome, Retries, has_code, is_repeatable};
use crate::secret::Secret;
use crate::token_source::TokenSource;

/// The operation with an optional `Idempotency-Key`.
const CREATE_USER: &str = "create_user";

/// The operation in which `invalid-credentials` can also mean a wrong current password. A repeated attempt would count
/// towards the lockout.
const CHANGE_OWN_PASSWORD: &str = "change_own_password";

/// All characters except unreserved ones (RFC 3986).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An operation of the API.
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    /// The path, with placeholders.
    pub(crate) path: &'static str,
    /// Whether the operation requires no token.
    pub(crate) is_public: bool,
}

/// The source of tokens and the limits of retries of a client.
#[derive(Clone)]
pub struct Session {
    tokens: Arc<dyn TokenSource>,
    retries: Retries,
}

impl Session {
    /// Combines a token source with limits for [`Client::new_with_client`].
    pub fn new(tokens: impl TokenSource + 'static, retries: Retries) -> Self {
        Self { tokens: Arc::new(tokens), retries }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Session").field("retries", &self.retries).finish_non_exhaustive()
    }
}

impl ClientHooks<Session> for Client {
    async fn pre<E>(&self, request: &mut Request, operation: &OperationInfo) -> Result<(), Error<E>> {
        if operation.operation_id == CREATE_USER && !request.headers().contains_key(IDEMPOTENCY_KEY) {
            let key = HeaderValue::from_str(&Uuid::new_v4().to_string());
            request.headers_mut().insert(IDEMPOTENCY_KEY, key.map_err(|error| Error::Custom(error.to_string()))?);
        }
        let Some(Operation { path, is_public, .. }) =
            OPERATIONS.iter().find(|known| known.id == operation.operation_id)
        else {
            return Err(Error::InvalidRequest(format!("unknown operation `{}`", operation.operation_id)));
        };
        if !has_segments_of(request.url(), self.baseurl(), path) {
            return Err(Error::InvalidRequest("names in paths must not be empty, `.` or `..`".to_owned()));
        }
        if !is_public {
            let token =
                self.inner().tokens.token(self, None).await.map_err(|error| Error::Custom(error.to_string()))?;
            authorize(request, &token).map_err(|error| Error::Custom(error.to_string()))?;
        }
        Ok(())
    }

    async fn exec(&self, mut request: Request, operation: &OperationInfo) -> reqwest::Result<Response> {
        let Session { tokens, retries } = self.inner();
        let is_repeatable = is_repeatable(&request);
        let mut retry = 0;
        let mut may_renew = true;
        loop {
            // Bodies are JSON texts, so a request can always be cloned.
            let Some(mut next) = request.try_clone() else { return self.client().execute(request).await };
            let result = read(self.client().execute(request).await).await;
            if may_renew && result.as_ref().is_ok_and(|response| rejects_token(response, operation)) {
                may_renew = false;
                if let Some(rejected) = bearer(&next)
                    && let Ok(token) = tokens.token(self, Some(&rejected)).await
                    && token != rejected
                    && authorize(&mut next, &token).is_ok()
                {
                    request = next;
                    continue;
                }
            }
            let outcome = result.as_ref().map_or(Outcome::Ambiguous { retry_after: None }, Outcome::of);
            let Some(delay) = retries.delay(retry, &outcome, is_repeatable) else { return result.map(Response::from) };
            tokio::time::sleep(delay).await;
            retry += 1;
            request = next;
        }
    }
}

/// Whether the API did not accept the token.
fn rejects_token(response: &http::Response<Bytes>, operation: &OperationInfo) -> bool {
    let checks_password = operation.operation_id == CHANGE_OWN_PASSWORD;
    response.status() == StatusCode::UNAUTHORIZED && !(checks_password && has_code(response, "invalid-credentials"))
}

/// Whether the URL has as many segments as the path below the base URL. URLs lose the segments `.` and `..`, so that
/// such a name would address another resource.
fn has_segments_of(url: &Url, base: &str, path: &str) -> bool {
    let base = base.split_once("://").map_or(base, |(_, rest)| rest);
    let segments = url.path().split('/').skip(1);
    let expected = base.matches('/').count() + path.matches('/').count();
    segments.clone().count() == expected && segments.clone().all(|segment| !segment.is_empty())
}

/// Reads the body, which the outcome of an error depends on.
async fn read(result: reqwest::Result<Response>) -> reqwest::Result<http::Response<Bytes>> {
    let response = result?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut read = http::Response::new(response.bytes().await?);
    *read.status_mut() = status;
    *read.headers_mut() = headers;
    Ok(read)
}

/// The error of a body that does not have the expected form contains the status, but not the body, which can contain
/// tokens.
pub(crate) async fn decode<T: DeserializeOwned, E>(response: Response) -> Result<ResponseValue<T>, Error<E>> {
    let status = response.status();
    ResponseValue::from_response(response).await.map_err(|error| match error {
        Error::InvalidResponsePayload(..) => {
            let mut response = http::Response::new("");
            *response.status_mut() = status;
            Error::UnexpectedResponse(response.into())
        }
        other => other,
    })
}

/// Encodes a name as a segment of a path. URLs treat `\\` like `/`, so it is encoded as well.
pub(crate) fn encode_path(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

fn authorize(request: &mut Request, token: &Secret) -> Result<(), http::header::InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(())
}

fn bearer(request: &Request) -> Option<Secret> {
    request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(Secret::from)
}
