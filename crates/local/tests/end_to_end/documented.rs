//! Runs the commands of the documentation in a shell, page by page.
//!
//! A block with the language `sh` must work on the stack of `make dev`. Blocks with `sh,account` require an AWS
//! account. Commands of `make` and `cargo` have their own tests.

use std::path::Path;
use std::{env, fs};

use futures::TryStreamExt;
use local::deployment::{Deployment, FIRST_ADMIN};
use local::flows::first_admin;
use local::report::Report;
use poolkeeper_client::builder::{ListGroups, ListUsers};
use poolkeeper_client::{Client, SignIn, items};
use testkit::local_aws::output_of;
use tokio::process::Command;

use crate::clients::{connect, wait_until_valid};
use crate::{deploy, emulator_environment};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[tokio::test]
async fn commands_of_the_documentation_succeed() {
    let pages = pages();
    assert!(pages.len() >= 10, "{} pages with commands", pages.len());
    let deployment = deploy(&[("Jobs", "true")]).await;
    let admin = first_admin::sign_in(&deployment, &mut Report::quiet()).await.unwrap();
    let password = admin.password.expose();
    for (page, script) in pages {
        let pool = connect(deployment.api.url(), SignIn::new(FIRST_ADMIN, password));
        clean(&pool).await;
        run(&deployment, &page, &script, password).await;
    }
}

/// The commands of each page that has any.
fn pages() -> Vec<(String, String)> {
    let folders = ["docs", "docs/operations"].map(|folder| Path::new(ROOT).join(folder));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let pages = files.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut pages: Vec<_> = pages
        .map(|path| (path.display().to_string(), commands(&fs::read_to_string(&path).unwrap())))
        .filter(|(_, commands)| !commands.is_empty())
        .collect();
    pages.sort();
    pages
}

/// The blocks of a page, as one script. `sh -e` ignores the status of a command after `!`, so the script checks it. Curl
/// exits with 22 after an error status.
fn commands(page: &str) -> String {
    let blocks = page.split("\n```sh\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    let is_of = |block: &str, program: &str| block.lines().any(|line| line.trim_start().starts_with(program));
    let blocks = blocks.filter(|block| !is_of(block, "make ") && !is_of(block, "cargo "));
    let lines = blocks.flat_map(str::lines).map(|line| match line.strip_prefix("! ") {
        Some(command) => format!("if {command}; then false; else [ $? = 22 ]; fi\n"),
        None => format!("{line}\n"),
    });
    lines.collect()
}

/// Deletes what an earlier page created.
async fn clean(pool: &Client) {
    // An earlier page can end all sessions.
    wait_until_valid(pool).await;
    let users = items(|cursor| cursor.into_iter().fold(pool.list_users(), ListUsers::cursor::<String>).send());
    for user in users.try_collect::<Vec<_>>().await.unwrap() {
        if user.username != FIRST_ADMIN {
            pool.delete_user().username(user.username).send().await.unwrap();
        }
    }
    let groups = items(|cursor| cursor.into_iter().fold(pool.list_groups(), ListGroups::cursor::<String>).send());
    for group in groups.try_collect::<Vec<_>>().await.unwrap() {
        if group.name != "admins" {
            pool.delete_group().group(group.name).send().await.unwrap();
        }
    }
}

async fn run(deployment: &Deployment, page: &str, script: &str, password: &str) {
    let body = serde_json::json!({"username": FIRST_ADMIN, "password": password});
    let tokens = deployment.api.auth("sign-in", &body).await.unwrap().expect(200).unwrap();
    let home = tempfile::tempdir().unwrap();
    // The test is target/TRIPLE/debug/deps/end_to_end-HASH, and the program is target/TRIPLE/debug/poolkeeper.
    let programs = env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    let mut shell = Command::new("sh");
    emulator_environment(&mut shell, deployment, home.path(), &programs);
    shell
        .current_dir(home.path())
        .args(["-ec", script])
        .env("API", deployment.api.url())
        .env("TOKEN", tokens["tokens"]["access_token"].as_str().unwrap())
        .env("STACK", deployment.pool());
    let ran = output_of(shell, "sh", None).await.unwrap();
    assert!(ran.succeeded, "{page}\n{script}\n{}", ran.last_lines());
}
