//! The flows that the demo, `make prove` and the end-to-end tests run, one per file.
//!
//! Each step checks the result and shows it without secrets.

pub mod account_status;
pub mod attributes;
pub mod auto_confirm;
pub mod client_secret;
pub mod first_admin;
pub mod invitations;
pub mod move_users;
pub mod second_factor;
pub mod second_pool;
mod session;
pub mod session_gate;
pub mod support_desk;

use std::time::Duration;

use domain::secret::Secret;
use serde_json::Value;

use crate::deployment::{Deployment, Target};
use crate::failure::Failure;
use crate::report::Report;

/// Runs every flow.
///
/// # Errors
/// Returns an error if a step fails.
pub async fn run_all(deployment: &Deployment, report: &mut Report) -> Result<(), Failure> {
    let admin = first_admin::sign_in(deployment, report).await?;
    account_status::run(deployment, &admin.token, report).await?;
    client_secret::run(deployment, &admin.token, report).await?;
    second_pool::run(deployment, report).await?;
    auto_confirm::run(deployment, &admin.token, report).await?;
    attributes::run(deployment, &admin.token, report).await?;
    support_desk::run(deployment, &admin.token, report).await?;
    second_factor::run(deployment, &admin.token, report).await?;
    invitations::run(deployment, &admin.token, report).await?;
    session_gate::run(deployment, &admin.token, report).await?;
    move_users::run(deployment, report).await
}

/// Reads a user and checks the status.
async fn expect_status(
    deployment: &Deployment<impl Target>,
    token: &Secret,
    username: &str,
    wanted: &str,
) -> Result<Value, Failure> {
    let user = deployment.api.get(&format!("/v1/users/{username}"), token).await?.expect(200)?;
    expect_text(&user["status"], wanted)?;
    Ok(user)
}

/// Checks a string of a response. It must not be a secret, because the failure shows it.
fn expect_text(found: &Value, wanted: &str) -> Result<(), Failure> {
    if found == wanted { Ok(()) } else { Err(Failure::unexpected(wanted, found.to_string())) }
}

/// Reads a list until it contains exactly this user, because lists lag behind writes. Returns the number of attempts.
pub(crate) async fn expect_listed(
    deployment: &Deployment<impl Target>,
    token: &Secret,
    path: &str,
    wanted: &str,
) -> Result<u32, Failure> {
    for attempts in 1.. {
        let body = deployment.api.get(path, token).await?.expect(200)?;
        let found = usernames(&body);
        if found == [wanted] {
            return Ok(attempts);
        }
        if attempts > deployment.aws.list_lag_seconds() {
            return Err(Failure::unexpected(wanted, found.join(", ")));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(0)
}

fn usernames(body: &Value) -> Vec<&str> {
    body["users"].as_array().into_iter().flatten().filter_map(|user| user["username"].as_str()).collect()
}
