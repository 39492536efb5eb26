//! The completed steps of requests that make several calls. Errors list them if a later step fails or the time runs
//! out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::FromRequestParts;
use domain::user_pool::error::UserPoolError;
use http::request::Parts;

use crate::http::error::{Advice, ApiError};

/// The completed steps and the current step of a request. Clones share the steps, so that [`crate::http::deadline`] can
/// report them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Arc<Mutex<Steps>>);

#[derive(Debug, Default)]
struct Steps {
    completed: Vec<String>,
    current: Option<String>,
    advice: Advice,
}

/// The step after the last call, which creates the response.
const ANSWER: &str = "answer";

impl Progress {
    /// Sets the advice for a later failure, for routes that cannot be repeated.
    pub(crate) fn advise(&self, advice: Advice) {
        self.steps().advice = advice;
    }

    /// Marks a step of an earlier request as completed.
    pub(crate) fn mark_completed(&self, step: impl Into<String>) {
        self.steps().completed.push(step.into());
    }

    /// Runs a step and marks it as completed. On failure, the error lists the completed steps.
    pub(crate) async fn then<T>(
        &self,
        step: impl Into<String>,
        call: impl Future<Output = Result<T, UserPoolError>>,
    ) -> Result<T, ApiError> {
        let step = step.into();
        self.steps().current = Some(step.clone());
        let outcome = call.await;
        self.steps().current = None;
        match outcome {
            Ok(value) => {
                self.steps().completed.push(step);
                Ok(value)
            }
            Err(error) => Err(self.failure(step, error)),
        }
    }

    /// Runs a read-only step, which is never listed as completed. If the step fails, the error names it.
    pub(crate) async fn read<T>(
        &self,
        step: &str,
        call: impl Future<Output = Result<T, UserPoolError>>,
    ) -> Result<T, ApiError> {
        self.steps().current = Some(step.to_owned());
        let outcome = call.await;
        self.steps().current = None;
        outcome.map_err(|error| self.failure(step, error))
    }

    /// Returns the error for a failed step: [`ApiError::Partial`] if earlier steps took effect.
    fn failure(&self, step: impl Into<String>, source: UserPoolError) -> ApiError {
        let completed = std::mem::take(&mut self.steps().completed);
        if completed.is_empty() {
            source.into()
        } else {
            let advice = self.steps().advice;
            ApiError::Partial { completed, failed: step.into(), advice, source }
        }
    }

    /// The error of a request that ends during the current step.
    pub(crate) fn interrupt(&self, source: UserPoolError) -> ApiError {
        let current = self.steps().current.take();
        self.failure(current.unwrap_or_else(|| ANSWER.to_owned()), source)
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
