//! Starts the authorizer as a Lambda function.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use authorizer::{Authorizer, PublicKeys, Settings};
use aws::{Aws, TokenKeys};
use domain::revocation::{Revocations, Scope};
use lambda_runtime::{LambdaEvent, service_fn};
use token_verifier::{KeyCache, KeySource};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Boxed, because the future of the SDK's startup holds tens of kilobytes.
    startup::run(Box::pin(async {
        let settings = Settings::read(startup::environment())?;
        let aws = Aws::connect(&settings.region, startup::environment()).await;
        let table = aws.revocation_table(&settings.revocation_table);
        let keys = TokenKeys::new(&settings.region, startup::environment());
        let source = PublicKeys::new(keys, &settings.policy.issuer);
        let keys = async {
            match settings.keys {
                Some(keys) => keys,
                None => source.keys().await.unwrap_or_default(),
            }
        };
        // The read opens the connection. The first request reports failures, if they persist.
        let (keys, _) = tokio::join!(keys, table.revocations(&[Scope::Pool]));
        let keys = KeyCache::new(source, keys);
        let authorizer = Authorizer::new(settings.policy, keys, Arc::new(table), settings.token_source);
        lambda_runtime::run(service_fn(|event: LambdaEvent<_>| authorizer.handle(event.payload, SystemTime::now())))
            .await
    }))
    .await
}
