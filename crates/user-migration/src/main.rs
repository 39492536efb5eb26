//! Starts the trigger as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws::{Attempt, Aws, HttpRequests};
use domain::migration::OldDirectory;
use startup::metrics;
use user_migration::{Endpoint, Migrator, Settings, Source, serve};

/// The timeout of one attempt of a call to AWS, except for password checks. Two attempts fit into the time limit of an
/// invocation.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1800);

/// The timeout of a call to AWS with all its attempts, and of a password check.
const OPERATION_TIMEOUT: Duration = Duration::from_millis(3500);

/// How long the startup waits for the old directory, because Cognito already waits for the response.
const WARM_UP_TIMEOUT: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let started_at = Instant::now();
    // Boxed, because the future of the SDK's startup holds tens of kilobytes.
    startup::run(Box::pin(async {
        let Settings { region, policy, source } = Settings::read(startup::environment())?;
        let (directory, old_user_pool_id): (Arc<dyn OldDirectory>, _) = match source {
            Source::UserPool { user_pool_id, region, client_id } => {
                let pool = connect(&region).await.old_user_pool(&user_pool_id, &client_id);
                let pool = pool.with_password_timeout(OPERATION_TIMEOUT);
                let _ = tokio::time::timeout(WARM_UP_TIMEOUT, pool.warm_up()).await;
                (Arc::new(pool), Some(user_pool_id))
            }
            Source::Endpoint { url, secret_parameter } => {
                let secret = connect(&region).await.secret_parameter(&secret_parameter);
                let endpoint = Endpoint::new(HttpRequests::to_any_server(), &url, secret);
                let _ = tokio::time::timeout(WARM_UP_TIMEOUT, endpoint.warm_up()).await;
                (Arc::new(endpoint), None)
            }
        };
        serve(&Migrator::new(policy, directory, old_user_pool_id), started_at).await
    }))
    .await
}

async fn connect(region: &str) -> Aws {
    let aws = Aws::connect(region, startup::environment()).await;
    aws.with_timeouts(ATTEMPT_TIMEOUT, OPERATION_TIMEOUT).observed_by(count)
}

fn count(attempt: Attempt) {
    match attempt {
        Attempt::Throttled { category } => metrics::throttle(category),
        Attempt::Repeated => metrics::retry(),
    }
}
