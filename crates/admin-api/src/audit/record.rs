//! The audit: one record for every request that changes something, and for every list and search, whatever became of it.
//!
//! A record is a log line with the message (and target) `audit` and these fields:
//!
//! | field | content |
//! |---|---|
//! | `action` | method and route, e.g. `DELETE /v1/users/{username}` |
//! | `caller` | user name or ARN; absent where nobody had to say who they are, or nobody did |
//! | `user` | whom it was done to, as far as known; of an invitation a hash of the address |
//! | `group` | which group it was about; absent where it was about none |
//! | `fields` | names of what was given, changed or searched for, never values; absent where there are none |
//! | `results` | of a list or search that succeeded: how many entries the answer has |
//! | `outcome` | `success`, or the `code` of the problem |
//! | `completed` | where a later call of several failed: which ones stand |
//! | `request_id` | as in the answer |
//!
//! A name that somebody typed to sign in is recorded only once it turned out to be one: people type passwords there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use domain::user_pool::groups::GroupName;
use domain::user_pool::user::Username;
use http::request::Parts;

use crate::authz::caller::Caller;
use crate::http::error::ApiError;
use crate::http::gateway::RequestId;
use crate::http::problem::{code_of, completed_of};

/// What is known so far about a request. Handlers add to it; clones are the same record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Audit(Arc<Mutex<Facts>>);

#[derive(Debug, Default)]
struct Facts {
    caller: Option<String>,
    user: Option<String>,
    group: Option<String>,
    fields: Vec<String>,
    results: Option<usize>,
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

    /// How many entries a list or search has found.
    pub(crate) fn results(&self, count: usize) {
        self.facts().results = Some(count);
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Sync> FromRequestParts<S> for Audit {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().ok_or(ApiError::Internal("the route has no audit"))
    }
}

/// One route, as the audit sees it.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    /// Method and path.
    pub(crate) name: String,
    /// Whether it leaves a record.
    pub(crate) is_recorded: bool,
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
        for (parameter, value) in &path {
            match parameter {
                // What cannot be a name may be anything, of any length.
                "username" if value.parse::<Username>().is_ok() => audit.on(value),
                "group" if value.parse::<GroupName>().is_ok() => audit.on_group(value),
                _ => {}
            }
        }
    }
    request.extensions_mut().insert(audit.clone());
    let response = next.run(request).await;
    if action.is_recorded {
        let facts = audit.facts();
        tracing::info!(
            target: "audit",
            action = action.name,
            caller = facts.caller,
            user = facts.user,
            group = facts.group,
            fields = (!facts.fields.is_empty()).then(|| facts.fields.join(" ")),
            results = facts.results,
            outcome = code_of(&response).map_or("success", |code| code.as_str()),
            completed = completed_of(&response).map(|steps| steps.join(" ")),
            request_id = id.as_str(),
            "audit"
        );
    }
    response
}

#[cfg(test)]
mod tests;
