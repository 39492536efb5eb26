//! Starts the worker of exports and backups as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aws::{Attempt, Aws};
use jobs_exporter::{Handler, Settings, serve};
use startup::metrics;

/// The timeout of one attempt of a call that is not an upload of an archive.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// The timeout of such a call with all its attempts.
const OPERATION_TIMEOUT: Duration = Duration::from_mins(1);

/// The timeout of a call to S3. A function uploads an archive of 5 GB in one to three minutes.
const TRANSFER_TIMEOUT: Duration = Duration::from_mins(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Boxed, because the future of the SDK's startup holds tens of kilobytes.
    startup::run(Box::pin(async {
        let settings = Settings::read(startup::environment())?;
        let aws = Aws::connect(&settings.region, startup::environment()).await.observed_by(count);
        let calls = aws.clone().with_timeouts(ATTEMPT_TIMEOUT, OPERATION_TIMEOUT).observed_by(count);
        let pool = Arc::new(calls.directory_without_retries(&settings.user_pool_id));
        let files = Arc::new(aws.with_timeouts(TRANSFER_TIMEOUT, TRANSFER_TIMEOUT).job_bucket(&settings.bucket));
        let source = Arc::new(calls.platform());
        let folder = std::env::temp_dir();
        serve(&Handler { files, pool: pool.clone(), quotas: pool, source, settings, folder }).await
    }))
    .await
}

fn count(attempt: Attempt) {
    match attempt {
        Attempt::Throttled { category } => metrics::throttle(category),
        Attempt::Repeated => metrics::retry(),
    }
}
