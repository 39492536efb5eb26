//! Deletes everything that a run created, and lists what is left.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use super::account::{Account, text};
use super::plan::helpers;
use super::proof::{Left, Proof, entries};
use crate::deployment::Target as _;
use crate::failure::Failure;
use crate::flows::session_gate;
use crate::report::{Report, StepResult};

/// Deletes and lists everything. Adds failures to the problems of the run.
pub(super) async fn run(account: &Account, name: &str, proof: &mut Proof) {
    let started = Instant::now();
    proof.report.flow("Delete", "all resources of the run");
    for stack in [&session_gate::stack_name(name), name, &helpers(name)] {
        if let Err(failure) = delete(account, stack, &mut proof.report).await {
            proof.problem(format!("The stack {stack} was not deleted: {}", failure.with_causes()));
        }
    }
    if let Err(failure) = delete_artifacts(account, name, &mut proof.report).await {
        proof.problem(failure.with_causes());
    }
    match check(account, name, proof).await {
        Ok(left) => proof.left = Some(left),
        Err(failure) => proof.problem(format!("cannot list the remaining resources: {}", failure.with_causes())),
    }
    let left = proof.left();
    if !left.is_empty() {
        proof.problem(format!("Resources remain in the account:\n  {}", left.join("\n  ")));
    }
    proof.timings.push(("deletion", started.elapsed()));
}

async fn delete(account: &Account, name: &str, report: &mut Report) -> Result<(), Failure> {
    report
        .step(format!("delete the stack {name}"), async {
            let deleted = account.script(&["delete", name], None).await?;
            expect_none(&deleted["failed"])?;
            Ok(StepResult::new((), if deleted["existed"] == true { "deleted" } else { "the stack does not exist" }))
        })
        .await
}

async fn delete_artifacts(account: &Account, name: &str, report: &mut Report) -> Result<(), Failure> {
    report
        .step("delete the objects that `sam` uploaded for the stacks", async {
            let deleted = account.script(&["artifacts", name], None).await?;
            Ok(StepResult::new((), format!("{} deleted", deleted["deleted"])))
        })
        .await
}

/// Lists what is left. If the deletion of the stacks left resources, reports them as a problem and deletes them.
async fn check(account: &Account, name: &str, proof: &mut Proof) -> Result<Left, Failure> {
    let left = list(account, name, &mut proof.report).await?;
    if left.values().all(Vec::is_empty) {
        return Ok(left);
    }
    proof.problem(format!("The deletion of the stacks left resources:\n  {}", entries(&left).join("\n  ")));
    let swept = proof
        .report
        .step("delete the remaining resources individually", async {
            let swept = account.script(&["sweep", name], None).await?;
            expect_none(&swept["failed"])?;
            Ok(StepResult::new((), "deleted"))
        })
        .await;
    if let Err(failure) = swept {
        proof.problem(failure.to_string());
    }
    list(account, name, &mut proof.report).await
}

async fn list(account: &Account, name: &str, report: &mut Report) -> Result<Left, Failure> {
    report
        .step(format!("list the resources with {name} in their names"), async {
            let mut attempts = 1;
            loop {
                let listed = account.script(&["left", name], None).await?;
                let kinds = listed.as_object().into_iter().flatten();
                let left: Left = kinds.map(|(kind, found)| (kind.clone(), texts(found))).collect();
                let found = entries(&left);
                if found.is_empty() {
                    return Ok(StepResult::new(left, "no resources remain").after(attempts));
                }
                // IAM and other services list deleted resources for some seconds.
                if attempts > account.list_lag_seconds() {
                    return Ok(StepResult::new(left, format!("left: {}", found.join(", "))).after(attempts));
                }
                attempts += 1;
                sleep(Duration::from_secs(1)).await;
            }
        })
        .await
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(text).collect()
}

fn expect_none(failed: &Value) -> Result<(), Failure> {
    let failed = texts(failed);
    if failed.is_empty() { Ok(()) } else { Err(Failure::Account(failed.join("\n  "))) }
}
