//! Audit records: one log line with the message and target `audit` for each write, list or search request, whatever its
//! outcome. docs/audit.md documents the fields.
//!
//! The user name of a sign-in is recorded only after Cognito has confirmed that the user exists, because users type
//! passwords into this field.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use domain::user_pool::groups::GroupName;
use domain::user_pool::user::{User, Username};
use http::request::Parts;
use startup::metrics;

use crate::authz::access::Access;
use crate::authz::caller::Caller;
use crate::http::error::{ApiError, ErrorCode};
use crate::http::gateway::RequestId;
use crate::http::problem::{code_of, completed_of};

/// The record of a request. Handlers add to it; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Audit(Arc<Mutex<Facts>>);

#[derive(Debug, Default)]
struct Facts {
    caller: Option<String>,
    caller_sub: Option<String>,
    user: Option<String>,
    user_sub: Option<String>,
    group: Option<String>,
    fields: Vec<String>,
    results: Option<usize>,
}

impl Audit {
    /// Sets the caller.
    pub(crate) fn by(&self, caller: &Caller) {
        let mut facts = self.facts();
        facts.caller = Some(caller.name().to_owned());
        if let Caller::User { sub, .. } = caller {
            facts.caller_sub = Some(sub.clone());
        }
    }

    /// Sets the target user and `sub` from a user read from the user pool.
    pub(crate) fn on_found(&self, user: &User) {
        self.on(&user.username);
        self.facts().user_sub = user.attributes.get("sub").cloned();
    }

    /// Sets the target user.
    pub(crate) fn on(&self, user: &(impl ToString + ?Sized)) {
        self.facts().user = Some(user.to_string());
    }

    /// Sets the target group.
    pub(crate) fn on_group(&self, group: &(impl ToString + ?Sized)) {
        self.facts().group = Some(group.to_string());
    }

    /// Adds the names of given or changed fields.
    pub(crate) fn fields(&self, names: impl IntoIterator<Item = impl Into<String>>) {
        self.facts().fields.extend(names.into_iter().map(Into::into));
    }

    /// Sets the number of results that a list or search request returned.
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

/// Counts a record of an administrator, and a write by its result.
fn count(action: &Action, response: &Response) {
    if matches!(action.access, Access::List(_) | Access::Write(_)) {
        metrics::audit_record();
    }
    if matches!(action.access, Access::Write(_)) {
        let status = response.status();
        metrics::admin_write(match () {
            () if status.is_success() => "success",
            () if status.is_server_error() => "failure",
            () => "rejected",
        });
    }
    if code_of(response) == Some(ErrorCode::MailQuotaExceeded) {
        metrics::mail_quota_exceeded();
    }
}

/// A route in the audit record.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    /// Method and path.
    pub(crate) name: Arc<str>,
    /// Whether requests are recorded.
    pub(crate) is_recorded: bool,
    /// The access that requests need.
    pub(crate) access: Access,
}

/// Creates the record before the handler runs, and logs it afterwards.
pub(crate) async fn record(
    State(action): State<Action>,
    id: RequestId,
    path: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let audit = Audit::default();
    // The handler rejects a path that is not UTF-8.
    if let Ok(path) = path {
        for (parameter, value) in &path {
            match parameter {
                // An invalid name is not recorded, because its content and length are unrestricted.
                "username" if value.parse::<Username>().is_ok() => audit.on(value),
                "group" if value.parse::<GroupName>().is_ok() => audit.on_group(value),
                _ => {}
            }
        }
    }
    request.extensions_mut().insert(audit.clone());
    let response = next.run(request).await;
    if action.is_recorded {
        count(&action, &response);
        let facts = audit.facts();
        tracing::info!(
            target: "audit",
            action = &*action.name,
            caller = facts.caller,
            caller_sub = facts.caller_sub,
            user = facts.user,
            user_sub = facts.user_sub,
            group = facts.group,
            fields = (!facts.fields.is_empty()).then(|| facts.fields.join(" ")),
            // A caller whose check fails during the read receives no results.
            results = facts.results.filter(|_| response.status().is_success()),
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
