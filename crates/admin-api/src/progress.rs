//! Requests that take several calls: how far one has come, for the caller whose later call fails.

use domain::user_pool_error::UserPoolError;

use crate::error::ApiError;

/// The steps that are done.
#[derive(Default)]
pub(crate) struct Progress(Vec<String>);

impl Progress {
    /// Counts a step as done that nobody had to do any more.
    pub(crate) fn found(&mut self, step: impl Into<String>) {
        self.0.push(step.into());
    }

    /// Counts a step as done, or tells how far it went.
    pub(crate) fn then<T>(
        &mut self,
        step: impl Into<String>,
        outcome: Result<T, UserPoolError>,
    ) -> Result<T, ApiError> {
        let step = step.into();
        match outcome {
            Ok(value) => {
                self.0.push(step);
                Ok(value)
            }
            Err(error) => Err(self.ends_at(step, error)),
        }
    }

    /// What the failure of a step means for the request.
    pub(crate) fn ends_at(&mut self, step: impl Into<String>, source: UserPoolError) -> ApiError {
        if self.0.is_empty() {
            // Nothing stands yet: it is an error like any other.
            source.into()
        } else {
            ApiError::Partial { completed: std::mem::take(&mut self.0), failed: step.into(), source }
        }
    }
}
