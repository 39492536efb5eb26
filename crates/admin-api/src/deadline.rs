//! No request outlives its function: a request of several slow calls ends before Lambda would end it, so that the caller gets a
//! problem and the audit its record.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::user_pool_error::{Reason, UserPoolError};

use crate::error::ApiError;

/// Below the function's own 29 s in template.yaml, and the 30 s of API Gateway.
const LIMIT: Duration = Duration::from_secs(26);

/// Ends a request that takes too long. What its last call did is then unknown, as the code says.
pub(crate) async fn keep(request: Request, next: Next) -> Response {
    match tokio::time::timeout(LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::UserPool(UserPoolError::new("the whole request", Reason::DeadlineExceeded)).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;
    use crate::error::ErrorCode;
    use crate::problem::code_of;

    async fn code_after(work: Duration) -> (Option<ErrorCode>, Duration) {
        let slow = get(move || tokio::time::sleep(work)).route_layer(from_fn(keep));
        let began = tokio::time::Instant::now();
        let answer = Router::new().route("/", slow).oneshot(Request::new(Body::empty())).await.unwrap();
        (code_of(&answer), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_ends_before_its_function_does() {
        assert_eq!(code_after(Duration::from_secs(25)).await.0, None);
        let (code, elapsed) = code_after(Duration::from_hours(1)).await;
        assert_eq!(code, Some(ErrorCode::DeadlineExceeded));
        assert!(elapsed < Duration::from_secs(29), "{elapsed:?}");
    }
}
