//! Ends a slow request before Lambda ends the invocation, so that the caller receives an error response and the audit
//! record is written.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::user_pool::error::{Reason, UserPoolError};
use lambda_http::RequestExt;
use time::OffsetDateTime;

use crate::app::App;
use crate::audit::steps::Progress;

/// The maximum time limit, also used if the deadline is missing or implausible. It is below the timeouts of the
/// function (29 s in template.yaml) and of API Gateway (30 s).
const LIMIT: Duration = Duration::from_secs(26);

/// The time that is reserved for the response.
const RESERVE: Duration = Duration::from_secs(1);

/// Ends a request that exceeds its limit. Whether its last call took effect is then unknown.
pub(crate) async fn enforce(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let limit = limit(request.extensions().lambda_context_ref().map(|context| context.deadline), app.now());
    let progress = Progress::default();
    request.extensions_mut().insert(progress.clone());
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => progress.interrupt(UserPoolError::new("request", Reason::DeadlineExceeded)).into_response(),
    }
}

/// The time until [`RESERVE`] before the invocation's deadline (milliseconds since 1970), at most [`LIMIT`]. A deadline
/// in the past is ignored, because `cargo lambda watch` and Lambda emulators invent deadlines.
fn limit(deadline: Option<u64>, now: OffsetDateTime) -> Duration {
    let now = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    let left = deadline.and_then(|deadline| deadline.checked_sub(now)).map(Duration::from_millis);
    left.map_or(LIMIT, |left| left.saturating_sub(RESERVE).min(LIMIT))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;
    use crate::http::error::ErrorCode;
    use crate::http::problem::{code_of, completed_of};

    #[tokio::test(start_paused = true)]
    async fn request_ends_before_its_function() {
        let slow = |work: Duration| {
            get(move || tokio::time::sleep(work)).route_layer(from_fn_with_state(crate::testing::app(), enforce))
        };
        for (work, expected) in [(25, None), (3600, Some(ErrorCode::DeadlineExceeded))] {
            let began = tokio::time::Instant::now();
            let router = Router::new().route("/", slow(Duration::from_secs(work)));
            let answer = router.oneshot(Request::new(Body::empty())).await.unwrap();
            assert_eq!(code_of(&answer), expected);
            assert!(began.elapsed() < Duration::from_secs(29), "{:?}", began.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn reports_completed_steps_at_deadline() {
        let handler = async |progress: Progress| {
            progress.then("create-user", std::future::ready(Ok(()))).await?;
            progress.then("set-password", std::future::pending::<Result<(), UserPoolError>>()).await
        };
        let slow = get(handler).route_layer(from_fn_with_state(crate::testing::app(), enforce));
        let answer = Router::new().route("/", slow).oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(code_of(&answer), Some(ErrorCode::DeadlineExceeded));
        assert_eq!(completed_of(&answer), Some(["create-user".to_owned()].as_slice()));
    }

    #[test]
    fn uses_plausible_deadline_of_invocation() {
        let now = OffsetDateTime::from_unix_timestamp(1_000).unwrap();
        let table = [
            (None, LIMIT),
            (Some(0), LIMIT),
            (Some(1_000_000 + 10_000), Duration::from_secs(9)),
            (Some(1_000_000 + 500), Duration::ZERO),
            (Some(1_000_000 + 3_600_000), LIMIT),
            (Some(u64::MAX), LIMIT),
        ];
        for (deadline, expected) in table {
            assert_eq!(limit(deadline, now), expected, "{deadline:?}");
        }
    }
}
