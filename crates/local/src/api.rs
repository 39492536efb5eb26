//! A client of the deployed HTTP API.

use std::fmt;
use std::time::Duration;

use domain::secret::Secret;
use reqwest::Method;
use serde_json::Value;

use crate::failure::Failure;

/// The timeout of a request, longer than that of a function.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// The maximum number of calls to a new API.
const MAX_ATTEMPTS: u32 = 60;

/// The API of one deployed stack.
#[derive(Debug)]
pub struct Api {
    http: reqwest::Client,
    url: String,
}

/// A response. It contains tokens, so it does not implement `Debug`.
pub struct Answer {
    status: u16,
    body: Value,
}

impl Api {
    /// Creates a client for `url`, which has no trailing slash.
    ///
    /// # Errors
    /// Returns an error if the HTTP client cannot be created.
    pub fn new(url: String) -> Result<Self, Failure> {
        let builder = reqwest::Client::builder().timeout(ANSWER_LIMIT);
        // An HTTP proxy cannot reach this machine.
        let is_local = url.starts_with("http://127.0.0.1");
        let builder = if is_local { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(Failure::NoAnswer)?;
        Ok(Self { http, url })
    }

    /// The URL of the API, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a request, with `token` as bearer token if given.
    ///
    /// # Errors
    /// Returns an error if no response arrives. An error status is a response.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&Secret>,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token.expose());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Self::send(request).await
    }

    /// Sends `GET` without a token until the response is 401, because a new API of AWS does not respond immediately.
    /// Returns the number of attempts.
    ///
    /// # Errors
    /// Returns the last result after 60 attempts, one per second.
    pub async fn wait_until_unauthenticated(&self, path: &str) -> Result<u32, Failure> {
        let mut attempts = 1;
        loop {
            let result = self.call(Method::GET, path, None, None).await.and_then(|answer| answer.expect(401));
            if result.is_ok() || attempts == MAX_ATTEMPTS {
                return result.map(|_| attempts);
            }
            attempts += 1;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn send(request: reqwest::RequestBuilder) -> Result<Answer, Failure> {
        let answer = request.send().await.map_err(Failure::NoAnswer)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(Failure::NoAnswer)?;
        // A body that is empty or not JSON becomes null; the caller checks what it needs.
        Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() })
    }

    /// Sends a CORS preflight request.
    ///
    /// # Errors
    /// Returns an error if no response arrives.
    pub async fn preflight(&self, path: &str, origin: &str) -> Result<Preflight, Failure> {
        let request = self.http.request(Method::OPTIONS, format!("{}{path}", self.url));
        let request = request.header("origin", origin).header("access-control-request-method", "POST");
        let request = request.header("access-control-request-headers", "authorization,content-type");
        let answer = request.send().await.map_err(Failure::NoAnswer)?;
        let allowed = answer.headers().get("access-control-allow-origin").and_then(|value| value.to_str().ok());
        Ok(Preflight { status: answer.status().as_u16(), origin: allowed.map(str::to_owned) })
    }

    /// `GET` with a token.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn get(&self, path: &str, token: &Secret) -> Result<Answer, Failure> {
        self.call(Method::GET, path, Some(token), None).await
    }

    /// `POST` with a token.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn post(&self, path: &str, token: &Secret, body: &Value) -> Result<Answer, Failure> {
        self.call(Method::POST, path, Some(token), Some(body)).await
    }

    /// `POST` with a token and an `Idempotency-Key`.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn post_idempotent(
        &self,
        path: &str,
        token: &Secret,
        key: &str,
        body: &Value,
    ) -> Result<Answer, Failure> {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(token.expose());
        Self::send(request.header("idempotency-key", key).json(body)).await
    }

    /// `PUT` with a token.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn put(&self, path: &str, token: &Secret, body: &Value) -> Result<Answer, Failure> {
        self.call(Method::PUT, path, Some(token), Some(body)).await
    }

    /// `PATCH` with a token.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn patch(&self, path: &str, token: &Secret, body: &Value) -> Result<Answer, Failure> {
        self.call(Method::PATCH, path, Some(token), Some(body)).await
    }

    /// `DELETE` with a token.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn delete(&self, path: &str, token: &Secret) -> Result<Answer, Failure> {
        self.call(Method::DELETE, path, Some(token), None).await
    }

    /// `POST` to a route under `/v1/auth`, without a token.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn auth(&self, route: &str, body: &Value) -> Result<Answer, Failure> {
        self.call(Method::POST, &format!("/v1/auth/{route}"), None, Some(body)).await
    }
}

/// The response to a preflight.
#[derive(Debug)]
pub struct Preflight {
    /// The status.
    pub status: u16,
    /// The allowed origin.
    pub origin: Option<String>,
}

impl fmt::Display for Preflight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(origin) => write!(formatter, "{} with the allowed origin {origin}", self.status),
            None => write!(formatter, "{} without CORS headers", self.status),
        }
    }
}

impl Answer {
    /// Returns the body.
    ///
    /// # Errors
    /// Returns an error if the status differs from `status`.
    pub fn expect(self, status: u16) -> Result<Value, Failure> {
        if self.status == status { Ok(self.body) } else { Err(Failure::unexpected(status.to_string(), self.summary())) }
    }

    /// Returns the summary of an error response.
    ///
    /// # Errors
    /// Returns an error if status or code differ.
    pub fn expect_refusal(self, status: u16, code: &str) -> Result<String, Failure> {
        let wanted = format!("{status} {code}");
        let got = self.summary();
        if got == wanted { Ok(got) } else { Err(Failure::unexpected(wanted, got)) }
    }

    /// The body, whatever the status.
    #[must_use]
    pub fn into_body(self) -> Value {
        self.body
    }

    /// Whether the response has this status.
    #[must_use]
    pub fn has_status(&self, status: u16) -> bool {
        self.status == status
    }

    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The status and, for a problem, its code. Contains no secret.
    #[must_use]
    pub fn summary(&self) -> String {
        match self.body["code"].as_str() {
            Some(code) => format!("{} {code}", self.status),
            None => self.status.to_string(),
        }
    }
}
