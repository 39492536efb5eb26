//! Jobs: imports of uploaded files, exports and backups.

pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod results;
pub(crate) mod start;
pub(crate) mod stop;
#[cfg(test)]
mod tests;
pub(crate) mod uploads;
mod view;

use axum::extract::FromRequestParts;
use domain::jobs::JobId;
use http::request::Parts;

use crate::http::error::ApiError;
use crate::http::path;

/// The id of the job in the path.
pub(super) struct TargetJob(pub(super) JobId);

impl<S: Sync> FromRequestParts<S> for TargetJob {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        path::parameter(parts, "id").await.map(Self)
    }
}

/// A job in audit records.
fn recorded(id: &JobId) -> String {
    format!("job:{id}")
}
