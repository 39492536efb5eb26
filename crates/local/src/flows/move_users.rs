//! M: moves the users of the stack's pool to a second pool: export, import, import again, compare.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws::{CognitoDirectory, SystemClock};
use domain::retry::Clock;
use domain::transfer::{
    Comparison, Export, ImportId, ImportOptions, Importer, Line, NotMoved, Outcome, Pace, PacedPool, Rates, Summary,
    UserRow,
};
use futures::TryStreamExt as _;
use serde_json::json;

use crate::deployment::{Deployment, Target};
use crate::failure::Failure;
use crate::report::{Report, StepResult};

/// The time limit of the flow.
const LIMIT: Duration = Duration::from_mins(5);

/// How long a call is repeated while the pool is unavailable.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the flow.
///
/// # Errors
/// Returns an error if a step fails.
pub async fn run(deployment: &Deployment<impl Target>, report: &mut Report) -> Result<(), Failure> {
    report.flow("M", "move all users to a second pool");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_now(LIMIT));
    let pace = Pace::new(Arc::clone(&clock), &Rates::default());
    let spec = json!({
        "name": format!("{}.copy", deployment.pool()),
        "sign_in": "username",
        "aliases": ["email", "preferred_username"],
        "custom_attributes": ["team"],
        "self_sign_up": false,
        "deletion_protection": false,
        "on_delete": "delete",
        "verify": false,
    });
    let copy = report
        .step("invoke the bootstrap: apply", async {
            let receipt = deployment.bootstrap("apply", &spec).await?;
            let id = receipt["user_pool_id"].as_str().unwrap_or_default().to_owned();
            Ok(StepResult::new(id, format!("a pool named {}", spec["name"])))
        })
        .await?;
    let source = deployment.stack.output("UserPoolId")?;
    let rows = report
        .step("export all users", async {
            let (rows, not_moved) = export(deployment, source, &pace, clock.as_ref()).await?;
            Ok(StepResult::new(rows.clone(), format!("{} users; not movable: {not_moved}", rows.len())))
        })
        .await?;
    for (step, outcome) in [
        ("import the users into the second pool", Outcome::Created),
        ("import the same users again", Outcome::Unchanged),
    ] {
        report
            .step(step, async {
                let summary = import(deployment, &copy, &rows, &pace, clock.as_ref()).await?;
                let moved = summary.count(outcome) + summary.count(Outcome::Skipped);
                let shown = shown(&summary);
                if summary.count(outcome) == 0 || moved != rows.len() as u64 {
                    return Err(Failure::unexpected("only this outcome, and skipped sign-ups", shown));
                }
                Ok(StepResult::new((), shown))
            })
            .await?;
    }
    report
        .step("compare both pools", async {
            for attempts in 1.. {
                let (compared, problem) = compare(deployment, &copy, &rows, &pace, clock.as_ref()).await?;
                match problem {
                    None => {
                        let shown = format!("{compared} users with the same attributes and groups");
                        return Ok(StepResult::new((), shown).after(attempts));
                    }
                    // Lists lag behind writes.
                    Some(_) if attempts <= deployment.aws.list_lag_seconds() => {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                    Some(problem) => return Err(Failure::unexpected("the same users", problem)),
                }
            }
            Ok(StepResult::new((), ""))
        })
        .await?;
    report
        .step("invoke the bootstrap: destroy", async {
            deployment.bootstrap("destroy", &spec).await?;
            Ok(StepResult::new((), "the second pool is deleted"))
        })
        .await
}

async fn export(
    deployment: &Deployment<impl Target>,
    pool: &str,
    pace: &Pace,
    clock: &dyn Clock,
) -> Result<(Vec<UserRow>, String), Failure> {
    let directory = deployment.cognito.directory_without_retries(pool);
    let export = Export::start(paced(&directory, pace, clock), false).await?;
    let rows = export.pages().try_concat().await?;
    let parts: BTreeSet<NotMoved> = rows.iter().flat_map(|row| export.not_moved(row)).collect();
    let parts: Vec<_> = parts.iter().map(|part| json!(part).as_str().unwrap_or_default().to_owned()).collect();
    Ok((rows, parts.join(", ")))
}

/// Returns the number of compared users, and the first differences.
async fn compare(
    deployment: &Deployment<impl Target>,
    pool: &str,
    rows: &[UserRow],
    pace: &Pace,
    clock: &dyn Clock,
) -> Result<(usize, Option<String>), Failure> {
    let directory = deployment.cognito.directory_without_retries(pool);
    let export = Export::start(paced(&directory, pace, clock), false).await?;
    let mut comparison = Comparison::new(export.facts());
    let compared = (1..).zip(rows).filter(|(line, row)| comparison.expect(*line, (*row).clone())).count();
    let users = export.pages().try_concat().await?;
    let mut mismatches: Vec<_> = users.iter().filter_map(|user| comparison.found(user)).collect();
    let others = comparison.others;
    mismatches.extend(comparison.missing());
    let differs = !mismatches.is_empty() || others > 0;
    Ok((compared, differs.then(|| format!("{mismatches:?}, {others} others"))))
}

async fn import(
    deployment: &Deployment<impl Target>,
    pool: &str,
    rows: &[UserRow],
    pace: &Pace,
    clock: &dyn Clock,
) -> Result<Summary, Failure> {
    let directory = deployment.cognito.directory_without_retries(pool);
    let options = ImportOptions { create_groups: true, explain: true, ..ImportOptions::default() };
    let import = (ImportId::new(clock), clock.wall_time());
    let importer = Importer::start(paced(&directory, pace, clock), import, options).await?;
    let lines = (1..).zip(rows).map(|(number, row)| Line { number, row: Ok(row.clone()) });
    let results: Vec<_> = importer.import_all(lines).try_collect().await?;
    Ok(results.iter().collect())
}

fn paced<'a>(directory: &'a CognitoDirectory, pace: &'a Pace, clock: &'a dyn Clock) -> PacedPool<'a> {
    PacedPool { pool: directory, pace, clock, patience: PATIENCE }
}

/// The outcomes, and the reasons of skipped and failed rows.
fn shown(summary: &Summary) -> String {
    let outcomes = summary.outcomes.iter().map(|(outcome, count)| format!("{count} {}", <&str>::from(*outcome)));
    let codes = summary.codes.iter().map(|(code, count)| format!("{count} {code}"));
    let [outcomes, codes] = [outcomes.collect::<Vec<_>>(), codes.collect()].map(|texts: Vec<_>| texts.join(", "));
    if codes.is_empty() { outcomes } else { format!("{outcomes} ({codes})") }
}
