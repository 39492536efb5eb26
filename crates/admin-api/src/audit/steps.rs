//! Requests that take several calls: how far one has come, for the caller whose later call fails, or has no time left.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::FromRequestParts;
use domain::user_pool::error::UserPoolError;
use http::request::Parts;

use crate::http::error::{Advice, ApiError};

/// The steps that are done, and the one under way. Clones are the same: [`crate::http::deadline`] holds one while the handler works.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Arc<Mutex<Steps>>);

#[derive(Debug, Default)]
struct Steps {
    done: Vec<String>,
    under_way: Option<String>,
    advice: Advice,
}

/// What is under way when no step is: the answer is put together.
const ANSWER: &str = "answer";

impl Progress {
    /// Sets what the caller does if a later step fails, for routes that cannot be repeated.
    pub(crate) fn advise(&self, advice: Advice) {
        self.steps().advice = advice;
    }

    /// Counts a step as done that nobody had to do any more.
    pub(crate) fn found(&self, step: impl Into<String>) {
        self.steps().done.push(step.into());
    }

    /// Does a step and counts it as done, or tells how far it went.
    pub(crate) async fn then<T>(
        &self,
        step: impl Into<String>,
        call: impl Future<Output = Result<T, UserPoolError>>,
    ) -> Result<T, ApiError> {
        let step = step.into();
        self.steps().under_way = Some(step.clone());
        let outcome = call.await;
        self.steps().under_way = None;
        match outcome {
            Ok(value) => {
                self.steps().done.push(step);
                Ok(value)
            }
            Err(error) => Err(self.ends_at(step, error)),
        }
    }

    /// Does a step that leaves nothing behind: it is named where it fails, and never counts as done.
    pub(crate) async fn looking<T>(
        &self,
        step: &str,
        call: impl Future<Output = Result<T, UserPoolError>>,
    ) -> Result<T, ApiError> {
        self.steps().under_way = Some(step.to_owned());
        let outcome = call.await;
        self.steps().under_way = None;
        outcome.map_err(|error| self.ends_at(step, error))
    }

    /// What the failure of a step means for the request.
    pub(crate) fn ends_at(&self, step: impl Into<String>, source: UserPoolError) -> ApiError {
        let completed = std::mem::take(&mut self.steps().done);
        if completed.is_empty() {
            // Nothing stands yet: it is an error like any other.
            source.into()
        } else {
            let advice = self.steps().advice;
            ApiError::Partial { completed, failed: step.into(), advice, source }
        }
    }

    /// What it means that the request ends while it is under way.
    pub(crate) fn breaks_off(&self, source: UserPoolError) -> ApiError {
        let under_way = self.steps().under_way.take();
        self.ends_at(under_way.unwrap_or_else(|| ANSWER.to_owned()), source)
    }

    fn steps(&self) -> MutexGuard<'_, Steps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Sync> FromRequestParts<S> for Progress {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().ok_or(ApiError::Internal("the route has no progress"))
    }
}
