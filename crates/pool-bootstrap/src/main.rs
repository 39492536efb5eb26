//! Starts the function: reads the settings, and connects to AWS and CloudFormation.

use std::process::ExitCode;
use std::sync::Arc;

use aws::{Attempt, Aws, HttpRequests, TokenKeys};
use lambda_runtime::service_fn;
use pool_bootstrap::{Handler, HttpReplies, Settings};
use startup::metrics;

/// Counts throttled calls. The log of the run counts repeated calls, because the SDK repeats none.
fn count(attempt: Attempt) {
    if let Attempt::Throttled { category } = attempt {
        metrics::throttle(category);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Boxed, because the future of the SDK's start is tens of kilobytes large.
    startup::run(Box::pin(async {
        let settings = Settings::read(startup::environment())?;
        let aws = Aws::connect(&settings.region, startup::environment()).await.observed_by(count);
        let (platform, keys) = (Arc::new(aws.platform()), Arc::new(aws.invitation_keys()));
        let requests = HttpRequests::new(&settings.region, startup::environment());
        let replies = HttpReplies::new(&settings.region, requests, settings.local_reply_host.as_deref());
        let handler = Handler::new(platform, keys, Arc::new(replies), settings.passable_roles)
            .with_boundary(settings.permissions_boundary)
            .with_public_keys(Arc::new(TokenKeys::new(&settings.region, startup::environment())));
        lambda_runtime::run(service_fn(|event| handler.handle(event))).await
    }))
    .await
}
