//! The flows that the demo walks and the end-to-end tests assert, a file each.
//!
//! Each step names what is done, checks what comes back, and shows that much of it which is no secret.

pub mod account_status;
pub mod attributes;
pub mod auto_confirm;
pub mod client_secret;
pub mod first_admin;
pub mod invitations;
pub mod second_factor;
pub mod second_pool;
mod session;
pub mod support;

use std::time::Duration;

use domain::secret::Secret;
use serde_json::Value;

use crate::deployment::{Scene, Target};
use crate::failure::Failure;
use crate::report::Report;

/// Walks through all of them.
///
/// # Errors
/// Where a step is not as it should be.
pub async fn walk(scene: &Scene, report: &mut Report) -> Result<(), Failure> {
    let admin = first_admin::sign_in(scene, report).await?;
    account_status::walk(scene, &admin.token, report).await?;
    client_secret::walk(scene, &admin.token, report).await?;
    second_pool::walk(scene, report).await?;
    auto_confirm::walk(scene, &admin.token, report).await?;
    attributes::walk(scene, &admin.token, report).await?;
    support::walk(scene, &admin.token, report).await?;
    second_factor::walk(scene, &admin.token, report).await?;
    invitations::walk(scene, &admin.token, report).await
}

/// Looks a user up and checks the status.
async fn expect_status(
    scene: &Scene<impl Target>,
    token: &Secret,
    username: &str,
    wanted: &str,
) -> Result<Value, Failure> {
    let user = scene.api.get(&format!("/v1/users/{username}"), token).await?.expect(200)?;
    expect_text(&user["status"], wanted)?;
    Ok(user)
}

/// Checks a text in an answer that is no secret.
fn expect_text(found: &Value, wanted: &str) -> Result<(), Failure> {
    if found == wanted { Ok(()) } else { Err(Failure::unexpected(wanted, found.to_string())) }
}

/// Reads a list until it shows this one user, and returns how often it was read: lists lag behind writes.
pub(crate) async fn expect_listed(
    scene: &Scene<impl Target>,
    token: &Secret,
    path: &str,
    wanted: &str,
) -> Result<u32, Failure> {
    for attempts in 1.. {
        let body = scene.api.get(path, token).await?.expect(200)?;
        let found = usernames(&body);
        if found == [wanted] {
            return Ok(attempts);
        }
        if attempts > scene.aws.list_lag_seconds() {
            return Err(Failure::unexpected(wanted, found.join(", ")));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(0)
}

fn usernames(body: &Value) -> Vec<&str> {
    body["users"].as_array().into_iter().flatten().filter_map(|user| user["username"].as_str()).collect()
}
