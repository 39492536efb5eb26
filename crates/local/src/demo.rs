//! `make demo`: deploys, runs every flow, and prints a table.

use std::time::{Duration, Instant};

use testkit::local_aws::LocalAws;

use crate::arguments::Options;
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::flows;
use crate::report::{Outcome, Report, StepResult};

/// Runs the demo.
///
/// # Errors
/// Returns an error if a step fails.
pub async fn run(options: &Options) -> Result<(), Failure> {
    let started = Instant::now();
    let mut report = Report::default();
    let deployment = set_up(&mut report, options).await?;
    if let Err(failure) = flows::run_all(&deployment, &mut report).await {
        return Err(diagnose(&deployment, failure).await);
    }
    println!("\n{}", report.table());
    let skipped = report.count_of(Outcome::Skipped);
    let elapsed = started.elapsed().as_secs();
    println!("\n{} steps succeeded in {elapsed} s, {skipped} skipped.", report.count());
    println!("Caller ARN of an authenticated user: {}", deployment.stack.output("CallerArn")?);
    Ok(())
}

/// Starts the emulator and deploys to it.
///
/// # Errors
/// Returns an error if the emulator does not start or the deployment fails.
pub async fn set_up(report: &mut Report, options: &Options) -> Result<Deployment, Failure> {
    report.flow("Set-up", "start the emulator and deploy template.yaml");
    let aws = report
        .step("start the emulator", async {
            let aws = LocalAws::start(options.port).await?;
            let endpoint_url = aws.endpoint_url().to_owned();
            Ok(StepResult::new(aws, endpoint_url))
        })
        .await?;
    report
        .step("sam deploy", async {
            let deployment = Deployment::deploy(aws, options).await?;
            Ok(StepResult::new(deployment, "functions, roles, API, and a user pool that passed verification"))
        })
        .await
}

/// How long to wait for the emulator's exit after a request has failed.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

/// Returns the cause of a step's failure: the emulator's exit, or the failure with the logged errors.
pub async fn diagnose(deployment: &Deployment, failure: Failure) -> Failure {
    let unreachable = matches!(failure, Failure::NoAnswer(_) | Failure::Cognito(_) | Failure::LocalAws(_));
    let wait = if unreachable { EXIT_TIMEOUT } else { Duration::ZERO };
    // Without the emulator, each step fails with a different error.
    if let Ok(stopped) = tokio::time::timeout(wait, deployment.aws.stopped()).await {
        return stopped.into();
    }
    let logged = deployment.stack.logged_errors(&deployment.aws).await;
    if logged.is_empty() { failure } else { Failure::Logged { failure: Box::new(failure), logged } }
}
