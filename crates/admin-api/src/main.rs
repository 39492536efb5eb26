//! Wires the admin API together: settings, user pool, router, Lambda.

use std::process::ExitCode;
use std::sync::Arc;

use admin_api::{App, Settings, service};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Boxed, because starting the SDK keeps tens of kilobytes across its waits.
    startup::run(Box::pin(async {
        let settings = Settings::read(startup::environment())?;
        let aws = cognito_aws::Aws::connect(&settings.region).await;
        let directory = Arc::new(aws.directory(&settings.user_pool_id));
        let sessions = Arc::new(aws.sessions(&settings.user_pool_id, &settings.client_id));
        let served = settings.served;
        lambda_http::run(service(App::new(directory, sessions, settings), served)).await
    }))
    .await
}
