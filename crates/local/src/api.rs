//! The deployed HTTP API, called as an application calls it.

use std::time::Duration;

use domain::secret::Secret;
use reqwest::Method;
use serde_json::Value;

use crate::failure::Failure;

/// How long one answer may take: longer than a function may run.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// The API of one deployed stack.
#[derive(Debug)]
pub struct Api {
    http: reqwest::Client,
    url: String,
}

/// What came back. Holds tokens, so it has no `Debug`.
pub struct Answer {
    status: u16,
    body: Value,
}

impl Api {
    /// The API at `url`, without the slash before its routes.
    ///
    /// # Errors
    /// Where this machine cannot speak HTTP.
    pub fn new(url: String) -> Result<Self, Failure> {
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT).build().map_err(Failure::NoAnswer)?;
        Ok(Self { http, url })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a request, as the owner of `token` where there is one.
    ///
    /// # Errors
    /// Where no answer comes. An answer that refuses is an answer.
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

    async fn send(request: reqwest::RequestBuilder) -> Result<Answer, Failure> {
        let answer = request.send().await.map_err(Failure::NoAnswer)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(Failure::NoAnswer)?;
        // An empty body, and one that is no JSON, are told by what is expected of them.
        Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() })
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

    /// `POST` with a token and an `Idempotency-Key`: repeating it does what is not done yet.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn post_repeatably(
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

    /// `POST` to a route under `/v1/auth`, which takes no token.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn auth(&self, route: &str, body: &Value) -> Result<Answer, Failure> {
        self.call(Method::POST, &format!("/v1/auth/{route}"), None, Some(body)).await
    }
}

impl Answer {
    /// The body of an answer with this status.
    ///
    /// # Errors
    /// Where the status is another.
    pub fn expect(self, status: u16) -> Result<Value, Failure> {
        if self.status == status { Ok(self.body) } else { Err(Failure::unexpected(status.to_string(), self.summary())) }
    }

    /// What is shown of a refusal with this status and code.
    ///
    /// # Errors
    /// Where it is not refused, or in another way.
    pub fn expect_refusal(self, status: u16, code: &str) -> Result<String, Failure> {
        let wanted = format!("{status} {code}");
        let got = self.summary();
        if got == wanted { Ok(got) } else { Err(Failure::unexpected(wanted, got)) }
    }

    /// Status and, of a problem, its code: what can be shown.
    fn summary(&self) -> String {
        match self.body["code"].as_str() {
            Some(code) => format!("{} {code}", self.status),
            None => self.status.to_string(),
        }
    }
}
