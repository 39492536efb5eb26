//! Runs the commands that `make dev` prints.

use std::fs;
use std::process::Command;

use local::deployment::Deployment;
use local::dev::{Names, commands, instructions};
use local::flows::first_admin::Admin;

/// Runs the commands in a shell in which curl fails on an error status.
pub(crate) fn run_printed(deployment: &Deployment, names: &Names, admin: &Admin) {
    let commands = commands(deployment, names, admin);
    assert!(instructions(deployment, names, admin).unwrap().contains(&commands));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".curlrc"), "fail\n").unwrap();
    let mut shell = Command::new("sh");
    shell
        .args(["-ec", &format!("{commands}\nprintf '\\n%s' \"$TOKEN\"")])
        .env("CURL_HOME", folder.path())
        .env("NO_PROXY", "127.0.0.1")
        .env("API", deployment.api.url())
        .env("TOKEN", admin.token.expose());
    let ran = shell.output().unwrap();
    let printed = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{commands}\n{printed}");
    let token = printed.lines().last().unwrap();
    assert_eq!(token.split('.').count(), 3, "the new token: {printed}");
    assert_ne!(token, admin.token.expose());
}
