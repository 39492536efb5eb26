//! Starts the HTTP API of jobs as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use admin_api::{App, JobPorts, Lambda, Ports, lambda, service};
use aws::{Attempt, Aws, RevocationTable};
use domain::revocation::{Revocations, Scope};
use jobs_api::Settings;
use startup::metrics;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Boxed, because the future of the SDK's startup holds tens of kilobytes.
    startup::run(Box::pin(async {
        let settings = Settings::read(startup::environment())?;
        let aws = Aws::connect(&settings.api.region, startup::environment()).await.observed_by(count);
        let user_pool_id = settings.api.user_pool_id.clone();
        let revocations = settings.api.revocation_table.as_deref().map(|name| aws.revocation_table(name));
        let warm_up_table = async {
            if let Some(table) = &revocations {
                // Opens the connection. A request reports a failure, if it persists.
                let _ = table.revocations(&[Scope::Pool]).await;
            }
        };
        let create = async { create(&aws, settings, revocations.clone()) };
        let ((), (), lambda) = tokio::join!(aws.warm_up(&user_pool_id), warm_up_table, create);
        lambda_runtime::run(lambda).await
    }))
    .await
}

fn count(attempt: Attempt) {
    match attempt {
        Attempt::Throttled { category } => metrics::throttle(category),
        Attempt::Repeated => metrics::retry(),
    }
}

/// Creates the API with the adapters for AWS.
fn create(aws: &Aws, settings: Settings, revocations: Option<RevocationTable>) -> Lambda {
    let Settings { api, bucket, state_machine_arn } = settings;
    let client = aws.app_client(&api.user_pool_id, &api.client_id);
    let ports = Ports {
        pool: Arc::new(aws.directory(&api.user_pool_id)),
        sessions: client.clone(),
        self_service: client.clone(),
        cursor_key: client,
        invitation_key: None,
        revocations: revocations.map(|table| Arc::new(table) as Arc<dyn Revocations>),
        jobs: Some(JobPorts {
            files: Arc::new(aws.job_bucket(&bucket)),
            executions: Arc::new(aws.job_state_machine(&state_machine_arn)),
        }),
        clock: Arc::new(aws::SystemClock::starting_now(Duration::MAX)),
    };
    let served = api.served;
    lambda(service(App::new(ports, api), served))
}
