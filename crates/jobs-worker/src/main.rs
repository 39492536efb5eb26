//! Starts the worker of jobs as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aws::{Attempt, Aws};
use jobs_worker::{Handler, Settings, serve};
use startup::metrics;

/// The timeout of one attempt of a call, which can transfer 1 MiB.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// The timeout of a call with all its attempts.
const OPERATION_TIMEOUT: Duration = Duration::from_mins(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Boxed, because the future of the SDK's startup holds tens of kilobytes.
    startup::run(Box::pin(async {
        let settings = Settings::read(startup::environment())?;
        let aws = Aws::connect(&settings.region, startup::environment()).await;
        let aws = aws.with_timeouts(ATTEMPT_TIMEOUT, OPERATION_TIMEOUT).observed_by(count);
        let pool = Arc::new(aws.directory_without_retries(&settings.user_pool_id));
        let files = Arc::new(aws.job_bucket(&settings.bucket));
        serve(&Handler::new(files, pool.clone(), pool, &settings)).await
    }))
    .await
}

fn count(attempt: Attempt) {
    match attempt {
        Attempt::Throttled { category } => metrics::throttle(category),
        Attempt::Repeated => metrics::retry(),
    }
}
