//! The audit: one record for every request that changes something, whatever became of it.
//!
//! A record is a log line with the message (and target) `audit` and these fields:
//!
//! | field | content |
//! |---|---|
//! | `action` | method and route, e.g. `DELETE /v1/users/{username}` |
//! | `caller` | user name or ARN; absent where nobody had to say who they are, or nobody did |
//! | `user` | whom it was done to, as far as known |
//! | `group` | which group it was about; absent where it was about none |
//! | `fields` | names of what was given or changed, never values; absent where there are none |
//! | `outcome` | `success`, or the `code` of the problem |
//! | `request_id` | as in the answer |
//!
//! A name that somebody typed to sign in is recorded only once it turned out to be one: people type passwords there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;

use crate::caller::Caller;
use crate::error::ApiError;
use crate::gateway::RequestId;
use crate::problem::code_of;

/// What is known so far about a request. Handlers add to it; clones are the same record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Audit(Arc<Mutex<Facts>>);

#[derive(Debug, Default)]
struct Facts {
    caller: Option<String>,
    user: Option<String>,
    group: Option<String>,
    fields: Vec<String>,
}

impl Audit {
    /// Who does it.
    pub(crate) fn by(&self, caller: &Caller) {
        self.facts().caller = Some(caller.name().to_owned());
    }

    /// Whom it is done to.
    pub(crate) fn on(&self, user: &(impl ToString + ?Sized)) {
        self.facts().user = Some(user.to_string());
    }

    /// Which group it is about.
    pub(crate) fn on_group(&self, group: &(impl ToString + ?Sized)) {
        self.facts().group = Some(group.to_string());
    }

    /// What is given or changed, by name.
    pub(crate) fn fields(&self, names: impl IntoIterator<Item = impl Into<String>>) {
        self.facts().fields.extend(names.into_iter().map(Into::into));
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Sync> FromRequestParts<S> for Audit {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().ok_or(ApiError::Internal("the route hands on no audit"))
    }
}

/// One route, as the audit sees it.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    /// Method and path.
    pub(crate) name: String,
    /// Whether it changes something.
    pub(crate) is_write: bool,
}

/// Opens the record before everything else, and writes it down after.
pub(crate) async fn record(
    State(action): State<Action>,
    id: RequestId,
    path: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let audit = Audit::default();
    // A path that is no text names nobody; the handler refuses it.
    if let Ok(path) = path {
        let named = |parameter: &str| path.iter().find(|(name, _)| *name == parameter).map(|(_, value)| value);
        named("username").inspect(|username| audit.on(*username));
        named("group").inspect(|group| audit.on_group(*group));
    }
    request.extensions_mut().insert(audit.clone());
    let response = next.run(request).await;
    if action.is_write {
        let facts = audit.facts();
        tracing::info!(
            target: "audit",
            action = action.name,
            caller = facts.caller,
            user = facts.user,
            group = facts.group,
            fields = (!facts.fields.is_empty()).then(|| facts.fields.join(",")),
            outcome = code_of(&response).map_or("success", |code| code.as_str()),
            request_id = id.as_str(),
            "audit"
        );
    }
    response
}

#[cfg(test)]
mod tests {
    use domain::user::UserStatus;
    use domain::user_pool_error::Reason;
    use serde_json::{Value, json};

    use crate::testing::logs::Logs;
    use crate::testing::{Api, Call, token};

    /// The audit record of one call, without the time.
    async fn record_of(api: &Api, call: Call) -> Option<Value> {
        let logs = Logs::capture();
        api.call(call).await;
        let mut records: Vec<Value> = logs.lines().into_iter().filter(|line| line["target"] == "audit").collect();
        assert!(records.len() <= 1, "{records:?}");
        let mut fields = records.pop()?["fields"].take();
        assert_eq!(fields.as_object_mut().unwrap().remove("message"), Some(json!("audit")));
        Some(fields)
    }

    #[tokio::test]
    async fn a_write_is_recorded_with_who_what_whom_and_which_fields() {
        let api = Api::new();
        let body = json!({"attributes": {"name": "Mia Canary", "email_verified": null}});
        let record = record_of(&api, Call::patch("/v1/users/mia", &body)).await.unwrap();
        let expected = json!({
            "action": "PATCH /v1/users/{username}", "caller": "root", "user": "mia", "fields": "name,email_verified",
            "outcome": "success", "request_id": "request-1"
        });
        assert_eq!(record, expected);
    }

    #[tokio::test]
    async fn a_refused_and_a_failed_write_are_recorded_with_their_code() {
        let api = Api::new();
        let delete = Call::delete("/v1/users/mia");
        let record = record_of(&api, delete.clone().by(token("ray", "[readers]"))).await.unwrap();
        assert_eq!(
            (&record["caller"], &record["user"], &record["outcome"]),
            (&json!("ray"), &json!("mia"), &json!("forbidden"))
        );

        let record = record_of(&api, delete.clone().by_nobody()).await.unwrap();
        assert_eq!((record.get("caller"), &record["outcome"]), (None, &json!("unauthenticated")));

        api.pool.fail("delete", 1, Reason::Throttled);
        let record = record_of(&api, delete).await.unwrap();
        assert_eq!((&record["caller"], &record["outcome"]), (&json!("root"), &json!("throttled")));
    }

    #[tokio::test]
    async fn reads_are_not_recorded() {
        for path in ["/v1/users", "/v1/users/mia", "/v1/users/nobody", "/v1/me"] {
            assert_eq!(record_of(&Api::new(), Call::get(path)).await, None, "{path}");
        }
    }

    #[tokio::test]
    async fn a_name_typed_at_sign_in_is_recorded_only_when_it_is_one() {
        let api = Api::new();
        let sign_in = |username: &str, password: &str| {
            let body = json!({"username": username, "password": password});
            Call::post("/v1/auth/sign-in", Some(&body)).by_nobody()
        };
        let record = record_of(&api, sign_in("mia@example.com", "Password-of-mia-1")).await.unwrap();
        assert_eq!((&record["user"], &record["outcome"]), (&json!("mia"), &json!("success")));

        let record = record_of(&api, sign_in("Canary-Password-1", "mia")).await.unwrap();
        assert_eq!((record.get("user"), &record["outcome"]), (None, &json!("invalid-credentials")));
    }

    /// Passwords and tokens go through every route here, in success and failure, and none of them comes out in a log.
    #[tokio::test]
    async fn no_secret_is_ever_logged() {
        let api = Api::new();
        let logs = Logs::capture();
        let tokens = api.sign_in("mia").await;
        let secret = |name: &str| json!(format!("Canary-{name}-1"));
        let permanent = json!({"value": secret("created"), "permanent": true});
        let both = json!({"access_token": secret("access"), "refresh_token": secret("refresh")});
        let calls = [
            Call::post(
                "/v1/users",
                Some(&json!({"username": "a", "password": permanent, "groups": ["no-such-group"]})),
            ),
            Call::post("/v1/users", Some(&json!({"username": "b", "password": secret("misplaced")}))),
            Call::put("/v1/users/mia/password", &json!({"password": secret("set"), "permanent": false})),
            Call::put("/v1/users/mia/password", &json!({"password": secret("set"), "permanent": secret("misplaced")})),
            Call::put("/v1/users/mia/password", &json!({"password": "canary", "permanent": true})),
            Call::post("/v1/auth/sign-up", Some(&json!({"username": "c", "password": secret("signed-up")}))),
            Call::post("/v1/auth/sign-in", Some(&json!({"username": "c", "password": secret("signed-up")}))),
            Call::post("/v1/auth/sign-in", Some(&json!({"username": "mia", "password": secret("set")}))),
            Call::post("/v1/auth/sign-in", Some(&json!({"username": secret("typed"), "password": "mia"}))),
            Call::post(
                "/v1/auth/challenge",
                Some(&json!({
                    "challenge": "NEW_PASSWORD_REQUIRED", "username": "mia", "session": secret("session"),
                    "new_password": secret("new")
                })),
            ),
            Call::post("/v1/auth/refresh", Some(&json!({"username": "mia", "refresh_token": secret("refresh")}))),
            Call::post("/v1/auth/refresh", Some(&json!({"username": "mia", "refresh_token": tokens.refresh}))),
            Call::post("/v1/auth/sign-out", Some(&both)),
            Call::post("/v1/auth/sign-out", Some(&json!({"access_token": tokens.access}))),
            Call::post("/v1/auth/sign-out", Some(&json!({"access_token": secret("access")}))),
            Call::post("/v1/auth/sign-in", None)
                .raw_body("Canary-raw-1".to_owned())
                .content_type(Some("application/json")),
        ];
        api.pool.set_status("mia", UserStatus::Confirmed);
        let calls_made = calls.len();
        for call in calls {
            let answer = api.call(call).await;
            if answer.status >= 400 {
                assert!(!answer.body.to_string().to_lowercase().contains("canary"), "{}", answer.body);
            }
        }
        let written = logs.text();
        assert_eq!(logs.lines().iter().filter(|line| line["target"] == "audit").count(), calls_made);
        for secret in ["canary", "password-of", &tokens.access, &tokens.refresh, "session-", "id-token"] {
            assert!(!written.to_lowercase().contains(secret), "{secret} in {written}");
        }
    }
}
