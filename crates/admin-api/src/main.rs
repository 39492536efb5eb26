//! Starts the admin API as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use admin_api::{App, Lambda, Ports, Served, Settings, lambda, service};
use aws::{Attempt, Aws, RevocationTable};
use domain::invitation::InvitationKey;
use domain::revocation::{Revocations, Scope};
use lambda_http::lambda_runtime;
use startup::metrics;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Boxed, because the future of the SDK's startup holds tens of kilobytes.
    startup::run(Box::pin(async {
        let settings = Settings::read(startup::environment())?;
        let aws = Aws::connect(&settings.region, startup::environment()).await.observed_by(count);
        let user_pool_id = settings.user_pool_id.clone();
        // The routes are created while Cognito accepts the connection.
        let revocations = settings.revocation_table.as_deref().map(|name| aws.revocation_table(name));
        let checks_callers = settings.served != Served::Auth;
        let warm_up_table = async {
            if let Some(table) = revocations.as_ref().filter(|_| checks_callers) {
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
    let client = aws.app_client(&settings.user_pool_id, &settings.client_id);
    let invitation_key = settings.invitation_key_parameter.as_deref();
    let ports = Ports {
        pool: Arc::new(aws.directory(&settings.user_pool_id)),
        sessions: client.clone(),
        self_service: client.clone(),
        cursor_key: client,
        invitation_key: invitation_key.map(|name| Arc::new(aws.invitation_key(name)) as Arc<dyn InvitationKey>),
        revocations: revocations.map(|table| Arc::new(table) as Arc<dyn Revocations>),
        // The SDKs of jobs would double the start.
        jobs: None,
        clock: Arc::new(aws::SystemClock::starting_now(Duration::MAX)),
    };
    let served = settings.served;
    lambda(service(App::new(ports, settings), served))
}
