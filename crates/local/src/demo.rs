//! `make demo`: deploys, walks through every flow, and ends with a table.

use std::time::{Duration, Instant};

use testkit::local_aws::LocalAws;

use crate::arguments::Options;
use crate::deployment::Scene;
use crate::failure::Failure;
use crate::flows;
use crate::report::{Outcome, Report, Seen};

/// Runs the demo.
///
/// # Errors
/// Where a step is not as it should be.
pub async fn run(options: &Options) -> Result<(), Failure> {
    let started = Instant::now();
    let mut report = Report::default();
    let scene = set_up(&mut report, options).await?;
    if let Err(failure) = flows::walk(&scene, &mut report).await {
        return Err(explained(&scene, failure).await);
    }
    println!("\n{}", report.table());
    let skipped = report.count_of(Outcome::Skipped);
    let elapsed = started.elapsed().as_secs();
    println!("\n{} steps in {elapsed} s, all as they should be; {skipped} skipped.", report.count());
    println!("Caller ARN of a signed-in user: {}", scene.stack.output("CallerArn")?);
    Ok(())
}

/// Starts a local AWS and deploys to it.
///
/// # Errors
/// Where that does not work.
pub async fn set_up(report: &mut Report, options: &Options) -> Result<Scene, Failure> {
    report.flow("Set-up", "a local AWS, and the stack of template.yaml on it");
    let aws = report
        .step("start a local AWS", async {
            let aws = LocalAws::start(options.port).await?;
            let endpoint_url = aws.endpoint_url().to_owned();
            Ok(Seen::new(aws, endpoint_url))
        })
        .await?;
    report
        .step("sam deploy", async {
            let scene = Scene::deploy(aws, options).await?;
            Ok(Seen::new(scene, "functions, roles and API are there, and a pool that is proved to work"))
        })
        .await
}

/// How long the end of the local AWS may take to show, after a first request has failed of it.
const END_SHOWS_WITHIN: Duration = Duration::from_secs(1);

/// The failure of a step with what is behind it, as far as that can be told.
pub async fn explained(scene: &Scene, failure: Failure) -> Failure {
    let unreached = matches!(failure, Failure::NoAnswer(_) | Failure::Cognito(_) | Failure::LocalAws(_));
    let wait = if unreached { END_SHOWS_WITHIN } else { Duration::ZERO };
    // When the local AWS is gone, every step fails in some way of its own.
    if let Ok(stopped) = tokio::time::timeout(wait, scene.aws.stopped()).await {
        return stopped.into();
    }
    let logged = scene.stack.logged_errors(&scene.aws).await;
    if logged.is_empty() { failure } else { Failure::Logged { failure: Box::new(failure), logged } }
}
