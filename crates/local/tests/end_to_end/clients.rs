//! Runs the generated clients against every operation of a deployed API.

mod recorder;
mod rust;

use std::path::Path;

use local::deployment::FIRST_ADMIN;
use local::flows::first_admin;
use local::report::Report;
use poolkeeper_client::types::ErrorCode;
use poolkeeper_client::{ApiError as _, Client, Retries, Session, TokenSource};
use tokio::process::Command;

use self::recorder::Recorder;
use crate::deploy;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[tokio::test]
async fn each_generated_client_calls_every_operation() {
    let deployment = deploy(&[]).await;
    let admin = first_admin::sign_in(&deployment, &mut Report::quiet()).await.unwrap();
    let password = admin.password.expose();

    // One after the other, because each one ends by revoking all sessions.
    let recorder = Recorder::start(deployment.api.url()).await;
    rust::call_every_operation(recorder.url(), password).await;
    recorder.assert_complete("Rust");

    let scripts = [
        ("node", "clients/typescript/test/every-route.ts"),
        ("clients-python/bin/python", "clients/python/tests/every_route.py"),
    ];
    for (program, script) in scripts {
        let recorder = Recorder::start(deployment.api.url()).await;
        run(program, script, recorder.url(), password).await;
        recorder.assert_complete(script);
    }
}

/// A client that does not use the proxy of the environment, which cannot reach this machine.
pub(crate) fn connect(url: &str, tokens: impl TokenSource + 'static) -> Client {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    Client::new_with_client(url, http, Session::new(tokens, Retries::default()))
}

/// The maximum number of sign-ins after a revocation. It denies sign-ins for less than two seconds.
const MAX_ATTEMPTS: usize = 200;

/// Requests the caller until the session gate no longer denies new tokens, after a revocation of all sessions.
pub(crate) async fn wait_until_valid(pool: &Client) {
    for _ in 0..MAX_ATTEMPTS {
        match pool.get_caller().send().await {
            Ok(_) => return,
            Err(error) => assert_eq!(error.code(), Some(ErrorCode::Unauthenticated), "{error:?}"),
        }
    }
    unreachable!("the session gate denies the token after {MAX_ATTEMPTS} sign-ins");
}

async fn run(program: &str, script: &str, url: &str, password: &str) {
    let venv = Path::new(ROOT).join(".venv");
    let program = if program.contains('/') { venv.join(program) } else { venv.join("bin").join(program) };
    let mut command = Command::new(program);
    command
        .arg(Path::new(ROOT).join(script))
        .env("POOLKEEPER_URL", url)
        .env("POOLKEEPER_ADMIN", FIRST_ADMIN)
        .env("POOLKEEPER_PASSWORD", password)
        .env("PYTHONPATH", Path::new(ROOT).join("clients/python/src"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "127.0.0.1");
    let ran = command.output().await.unwrap();
    let [printed, failed] = [&ran.stdout, &ran.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(ran.status.success(), "{script}\n{printed}\n{failed}");
}
