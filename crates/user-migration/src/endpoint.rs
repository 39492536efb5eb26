//! Implements [`OldDirectory`] with an HTTPS endpoint of the operator (docs/operations/migrate-users.md).

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws::{HttpRequests, SecretParameter};
use domain::migration::{Denial, Flow, LookupError, OldDirectory, OldUser};
use domain::secret::Secret;
use domain::user_pool::error::UserPoolError;
use domain::user_pool::user::{UserStatus, Username};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::OnceCell;

use crate::webhook::SigningKey;

/// The time limit of a request. The handler can end it earlier.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The endpoint and the secret that signs its requests.
pub struct Endpoint {
    requests: HttpRequests,
    url: String,
    secret: SecretParameter,
    /// Read at the first request, and again after a failure or a secret that is not a signing key.
    key: OnceCell<SigningKey>,
}

/// The response of the endpoint is not the documented JSON object. Contains no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the response is not the documented JSON object")]
struct UnreadableAnswer;

/// The body of a response.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    /// Must be present, so that an error document is no denial.
    #[serde(deserialize_with = "Option::deserialize")]
    user: Option<User>,
}

/// All fields are required, so that an endpoint cannot omit a check by mistake.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    username: String,
    active: bool,
    second_factor: bool,
    attributes: BTreeMap<String, String>,
}

impl From<User> for OldUser {
    fn from(user: User) -> Self {
        Self {
            username: user.username,
            status: UserStatus::Confirmed,
            enabled: user.active,
            has_second_factor: user.second_factor,
            attributes: user.attributes,
        }
    }
}

impl Endpoint {
    /// Creates the client of an endpoint.
    #[must_use]
    pub fn new(requests: HttpRequests, url: &str, secret: SecretParameter) -> Self {
        Self { requests, url: url.to_owned(), secret, key: OnceCell::new() }
    }

    /// Reads the secret. A failure is ignored, because the next request reads it again.
    pub async fn warm_up(&self) {
        let _ = self.key().await;
    }

    async fn key(&self) -> Result<&SigningKey, LookupError> {
        key(&self.key, async || self.secret.secret().await).await
    }

    async fn ask(&self, flow: Flow, name: &Username, password: Option<&Secret>) -> Result<OldUser, LookupError> {
        let key = self.key().await?;
        let now = OffsetDateTime::now_utc();
        let body = body(flow, name, password, now);
        let id = format!("msg_{:032x}", rand::random::<u128>());
        let headers = key.headers(&id, now.unix_timestamp(), &body);
        let answer = self.requests.post(&self.url, &headers, body, TIMEOUT).await.map_err(LookupError::unavailable)?;
        user_in(&answer)
    }
}

#[async_trait]
impl OldDirectory for Endpoint {
    async fn sign_in(&self, name: &Username, password: &Secret) -> Result<OldUser, LookupError> {
        self.ask(Flow::SignIn, name, Some(password)).await
    }

    async fn find(&self, name: &Username) -> Result<OldUser, LookupError> {
        self.ask(Flow::ForgotPassword, name, None).await
    }
}

/// Returns the cached key, or reads the secret and caches its key.
async fn key(
    cached: &OnceCell<SigningKey>,
    read: impl AsyncFnOnce() -> Result<Secret, UserPoolError>,
) -> Result<&SigningKey, LookupError> {
    let parsed = async || {
        let secret = read().await.map_err(LookupError::unavailable)?;
        SigningKey::parse(&secret).map_err(LookupError::unavailable)
    };
    cached.get_or_try_init(parsed).await
}

/// The body of a request.
fn body(flow: Flow, name: &Username, password: Option<&Secret>, now: OffsetDateTime) -> String {
    let kind = match flow {
        Flow::SignIn => "user-migration.sign-in",
        Flow::ForgotPassword => "user-migration.forgot-password",
    };
    let mut data = json!({"username": name.as_str()});
    if let Some(password) = password {
        data["password"] = password.expose().into();
    }
    // A time of this century can always be formatted.
    let timestamp = now.format(&Rfc3339).unwrap_or_default();
    json!({"type": kind, "timestamp": timestamp, "data": data}).to_string()
}

/// Parses a response. The parser's message can contain attributes and is therefore omitted.
fn user_in(answer: &[u8]) -> Result<OldUser, LookupError> {
    let answer: Answer = serde_json::from_slice(answer).map_err(|_| LookupError::unavailable(UnreadableAnswer))?;
    answer.user.map(OldUser::from).ok_or_else(|| Denial::Credentials.into())
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use serde_json::Value;

    use super::*;

    #[tokio::test]
    async fn corrected_secret_is_read_again_and_a_signing_key_is_not() {
        let cached = OnceCell::new();
        let secret = |text: &str| Ok(Secret::new(text));
        for (answer, is_key, reads) in [
            (Err(UserPoolError::new("GetParameter", Reason::Unavailable)), false, 1),
            (secret("whsec_!"), false, 1),
            (secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), true, 1),
            (secret("whsec_!"), true, 0),
        ] {
            let mut calls = 0;
            let is_found = key(&cached, async || {
                calls += 1;
                answer
            });
            assert_eq!((is_found.await.is_ok(), calls), (is_key, reads));
        }
    }

    #[test]
    fn request_contains_name_and_password_of_the_flow() {
        let (name, password) = ("mia@example.com".parse().unwrap(), Secret::new("Correct-\"Horse\"-1"));
        let now = OffsetDateTime::UNIX_EPOCH;
        let signs_in: Value = serde_json::from_str(&body(Flow::SignIn, &name, Some(&password), now)).unwrap();
        let expected = json!({
            "type": "user-migration.sign-in", "timestamp": "1970-01-01T00:00:00Z",
            "data": {"username": "mia@example.com", "password": "Correct-\"Horse\"-1"},
        });
        assert_eq!(signs_in, expected);
        let forgot: Value = serde_json::from_str(&body(Flow::ForgotPassword, &name, None, now)).unwrap();
        assert_eq!(forgot["type"], "user-migration.forgot-password");
        assert_eq!(forgot["data"], json!({"username": "mia@example.com"}));
    }

    fn parsed(answer: &Value) -> Result<OldUser, LookupError> {
        user_in(answer.to_string().as_bytes())
    }

    #[test]
    fn only_the_documented_response_is_an_answer() {
        let user = json!({"username": "mia", "active": true, "second_factor": false, "attributes": {"name": "Mia"}});
        let found = parsed(&json!({"user": user})).ok().unwrap();
        assert!(found.enabled && !found.has_second_factor && found.attributes["name"] == "Mia");
        assert!(matches!(parsed(&json!({"user": null})), Err(LookupError::Denied(Denial::Credentials))));

        let without = |field: &str| {
            let mut user = user.clone();
            user.as_object_mut().unwrap().remove(field);
            json!({"user": user})
        };
        let with = |field: &str, value: Value| {
            let mut user = user.clone();
            user[field] = value;
            json!({"user": user})
        };
        for answer in [
            json!({}),
            json!(null),
            json!([]),
            json!({"error": "canary"}),
            json!({"user": null, "error": "canary"}),
            without("active"),
            without("second_factor"),
            without("username"),
            without("attributes"),
            with("groups", json!(["admins"])),
            with("active", json!("true")),
            with("attributes", json!({"email_verified": true})),
        ] {
            let Err(LookupError::Unavailable(error)) = parsed(&answer) else { unreachable!("{answer}") };
            assert_eq!(error.to_string(), "the response is not the documented JSON object");
        }
        assert!(matches!(user_in(b"<html>"), Err(LookupError::Unavailable(_))));
    }
}
