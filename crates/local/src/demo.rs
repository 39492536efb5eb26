//! `make demo`: deploys, walks through every flow, and ends with a table.

use std::time::Instant;

use testkit::local_aws::LocalAws;

use crate::arguments::Options;
use crate::failure::Failure;
use crate::flows;
use crate::report::{Report, Seen};
use crate::scene::Scene;

/// Runs the demo.
///
/// # Errors
/// Where a step is not as it should be.
pub async fn run(options: &Options) -> Result<(), Failure> {
    let started = Instant::now();
    let mut report = Report::default();
    let scene = set_up(&mut report, options).await?;
    if let Err(failure) = flows::walk(&scene, &mut report).await {
        // When the local AWS is gone, every step fails in some way of its own: say what is behind it.
        scene.aws.check_running()?;
        return Err(failure);
    }
    println!("\n{}", report.table());
    println!("\n{} steps in {} s, all as they should be.", report.count(), started.elapsed().as_secs());
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
