//! `make prove`: runs the flows on an AWS account, probes AWS behavior that no emulator reproduces, and writes a report
//! without secrets.
//!
//! Every resource of a run has the run's random name in its name. At the end, the run deletes all its resources, even
//! after a failure.

mod account;
mod cleanup;
mod error;
mod markdown_report;
mod plan;
mod probes;
mod prompt;
mod proof;
mod runner;
mod scrub;

use std::process::ExitCode;

use account::Account;
use error::ProveError;
use plan::Plan;
use proof::Proof;
use testkit::local_aws::Tooling as _;

use crate::Interruptions;
use crate::arguments::ProveOptions;

/// Runs the command and returns its exit code.
pub async fn run(options: &ProveOptions) -> ExitCode {
    match Box::pin(prove(options)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nFailed: {error}");
            error.code()
        }
    }
}

async fn prove(options: &ProveOptions) -> Result<(), ProveError> {
    // One listener serves the whole run, so that no signal is lost.
    let mut interruptions = Interruptions::listen();
    let prepared = async {
        let account = Account::connect(options).await?;
        if options.check {
            println!("Found credentials: {} in {}", account.operator, account.region());
            return Ok(None);
        }
        if let Some(name) = &options.clean {
            clean(&account, name).await?;
            return Ok(None);
        }
        let plan = Plan::new(&account, options).await?;
        plan.confirm(&account, options.yes).await?;
        Ok::<_, ProveError>(Some((account, plan)))
    };
    let prepared = tokio::select! {
        prepared = prepared => prepared?,
        () = interruptions.next() => {
            let message = if options.clean.is_some() { "interrupted" } else { "interrupted. Nothing was created." };
            return Err(ProveError::Interrupted(message.to_owned()));
        }
    };
    let Some((account, plan)) = prepared else { return Ok(()) };

    let path = markdown_report::create(&account, options.report.as_deref())?;
    let mut proof = Proof::default();
    let mut was_interrupted = tokio::select! {
        () = runner::run(&account, &plan, &mut proof) => false,
        () = interruptions.next() => true,
    };
    if was_interrupted {
        println!("\nInterrupted.");
        proof.report.skip("the current step", "interrupted");
        proof.problem("The run was interrupted.".to_owned());
    }
    proof.complete(&runner::FLOWS, &probes::STATEMENTS);
    if options.keep {
        println!("\n{}", plan.what_stays(&account));
        proof.kept = true;
    } else {
        println!("\nDeleting all resources. Press Ctrl-C again to stop the deletion.");
        let finished = tokio::select! {
            () = cleanup::run(&account, &plan.name, &mut proof) => true,
            () = interruptions.next() => false,
        };
        if !finished {
            was_interrupted = true;
            proof.problem(format!("The deletion was interrupted. {}", plan.what_stays(&account)));
        }
    }
    println!("\n{}", proof.summary());
    // If the report cannot be written, `verdict` still prints the problems.
    match markdown_report::write(&account, &plan, &proof, &path) {
        Ok(()) => println!("Report: {}", path.display()),
        Err(failure) => proof.problem(failure.with_causes()),
    }
    proof.verdict(was_interrupted)
}

/// Deletes what an earlier run left.
async fn clean(account: &Account, name: &str) -> Result<(), ProveError> {
    let mut proof = Proof::default();
    Box::pin(cleanup::run(account, name, &mut proof)).await;
    if proof.left.is_some() && proof.left().is_empty() { Ok(()) } else { proof.verdict(false) }
}
