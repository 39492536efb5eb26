//! `make soak`: deploys, sends mixed requests to all functions for some minutes, and checks that the memory and the
//! descriptors of the functions do not grow.

mod growth;
pub mod load;
pub mod processes;
mod round;
mod tables;
pub mod tally;

use std::pin::pin;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::{Options, SoakOptions};
use crate::demo::set_up;
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::flows::first_admin;
use crate::report::Report;

use growth::Growth;
use load::Load;
use processes::Processes;

/// Divides the duration to get the warm-up, after which memory and descriptors must not grow.
const WARM_UP_DIVISOR: u32 = 10;

/// The interval of the readings and of the progress bar.
const INTERVAL: Duration = Duration::from_secs(1);

/// Runs the load and prints the results.
///
/// # Errors
/// Returns an error if the deployment fails, a response was unexpected, a function logged an error, or memory or
/// descriptors grew.
pub async fn run(options: &SoakOptions) -> Result<(), Failure> {
    let mut report = Report::default();
    let deployment = set_up(&mut report, &Options::default()).await?;
    let admin = first_admin::sign_in(&deployment, &mut report).await?;
    let processes = Processes::of(&deployment);
    let load = Load::new(&deployment, &admin.password);
    let growth = run_and_measure(&load, processes.as_ref(), options.duration).await;
    // Without the emulator, every call fails with a different error.
    deployment.aws.check_running()?;
    let tally = load.into_tally();
    println!("\n{}", tables::of_calls(&tally));
    let mut problems = tally.problems().to_vec();
    match growth {
        Ok(growth) => {
            println!("\n{}", tables::of_growth(&growth));
            problems.extend(growth.problems());
        }
        Err(reason) => println!("\nMemory and descriptors: not measured, {reason}."),
    }
    problems.extend(logged_errors(&deployment).await);
    if problems.is_empty() { Ok(()) } else { Err(Failure::Problems(problems)) }
}

/// Runs the load for this time. Returns how the functions grew after the warm-up, or why the growth is not measured.
async fn run_and_measure(
    load: &Load<'_>,
    processes: Option<&Processes>,
    duration: Duration,
) -> Result<Growth, &'static str> {
    let started = Instant::now();
    let progress = progress_bar(duration);
    let mut ticks = tokio::time::interval(INTERVAL);
    let mut running = pin!(load.run(|_| started.elapsed() < duration));
    let mut growth: Option<Growth> = None;
    loop {
        tokio::select! {
            () = &mut running => break,
            _ = ticks.tick() => {}
        }
        let elapsed = started.elapsed();
        progress.set_position(elapsed.as_secs());
        progress.set_message(load.progress());
        let Some(processes) = processes else { continue };
        match &mut growth {
            Some(growth) => growth.observe(&processes.read()),
            None if elapsed >= duration / WARM_UP_DIVISOR => growth = Some(Growth::since(&processes.read())),
            None => {}
        }
    }
    progress.finish_and_clear();
    let processes = processes.ok_or("because this system has no /proc")?;
    let mut growth = growth.ok_or("because the load stopped during the warm-up")?;
    growth.observe(&processes.read());
    Ok(growth)
}

fn progress_bar(duration: Duration) -> ProgressBar {
    let progress = ProgressBar::new(duration.as_secs());
    let style = ProgressStyle::with_template("  {bar:30} {percent:>3}% {msg}");
    progress.with_style(style.unwrap_or(ProgressStyle::default_bar()))
}

/// The unexpected errors that the functions logged. The trigger logs a rejected sign-up as an error.
async fn logged_errors(deployment: &Deployment) -> Option<String> {
    const REJECTED: &str = "\"Refused(EmailDomain)\"";
    let logged = deployment.stack.logged_errors(&deployment.aws).await;
    let unexpected: Vec<&str> = logged.lines().filter(|line| !line.contains(REJECTED)).collect();
    let first = unexpected.iter().take(load::MAX_PROBLEMS).copied().collect::<Vec<_>>().join("\n  ");
    (!unexpected.is_empty()).then(|| format!("functions logged {} errors, such as:\n  {first}", unexpected.len()))
}
