//! The commands that `make dev` prints, run as printed.

use std::fs;
use std::process::Command;

use local::deployment::Scene;
use local::dev::{Names, commands, instructions};
use local::flows::first_admin::Admin;

/// Runs them in a shell in which curl fails if the API refuses a request.
pub(crate) fn that_are_printed_work(scene: &Scene, names: &Names, admin: &Admin) {
    let commands = commands(scene, names, admin);
    assert!(instructions(scene, names, admin).unwrap().contains(&commands));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".curlrc"), "fail\n").unwrap();
    let mut shell = Command::new("sh");
    shell
        .args(["-ec", &format!("{commands}\nprintf '\\n%s' \"$TOKEN\"")])
        .env("CURL_HOME", folder.path())
        .env("NO_PROXY", "127.0.0.1")
        .env("API", scene.api.url())
        .env("TOKEN", admin.token.expose());
    let ran = shell.output().unwrap();
    let printed = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{commands}\n{printed}");
    let token = printed.lines().last().unwrap();
    assert_eq!(token.split('.').count(), 3, "the new token: {printed}");
    assert_ne!(token, admin.token.expose());
}
