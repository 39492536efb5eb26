//! `make deploy REHEARSE=1` in a terminal, from the questions to the printed commands, and two updates of the stack.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use testkit::local_aws::{Output, Tools, host_architecture, output_of};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The last line that the rehearsal prints before it waits for Ctrl-C.
const RUNNING: &str = "\nmake deploy STACK=shop\n";

/// The functions are built before the tests, so that `make` builds nothing.
const MAKE: &str = "#!/bin/sh\nexit 0\n";

/// A directory with a fake `make`.
fn programs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("make"), MAKE).unwrap();
    fs::set_permissions(folder.path().join("make"), Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A command in a pseudo-terminal that answers these prompts.
fn terminal(programs: &Path, answers: &[(&str, &str)]) -> Command {
    let mut command = Tools::find().unwrap().command("python").unwrap();
    let path = format!("{}:{ROOT}/.venv/bin:/usr/local/bin:/usr/bin:/bin", programs.display());
    command.arg(format!("{ROOT}/crates/local/tests/terminal.py")).arg(json!(answers).to_string());
    command.env("PATH", path).env("NO_PROXY", "127.0.0.1").current_dir(programs);
    command
}

fn deploy(programs: &Path, options: &[&str], answers: &[(&str, &str)]) -> Command {
    let mut command = terminal(programs, answers);
    let template = Tools::find().unwrap().built_template().unwrap();
    command.args(["python", &format!("{ROOT}/crates/local/src/deploy.py"), "run", "--build", "build-local"]);
    command.args(["--architecture", host_architecture(), "--config", &format!("{ROOT}/samconfig.toml")]);
    command.arg("--template").arg(template).args(["--stack", "shop"]).args(options);
    command
}

/// Reads the output until this text, and returns it.
async fn read_until(rehearsal: &mut Child, text: &str) -> String {
    let (mut output, mut buffer) = (Vec::new(), [0; 4096]);
    let stdout = rehearsal.stdout.as_mut().unwrap();
    while !String::from_utf8_lossy(&output).contains(text) {
        let count = stdout.read(&mut buffer).await.unwrap();
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&output));
        output.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8(output).unwrap()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| unreachable!("{start}: {text}"));
    rest.split_once(end).unwrap().0
}

/// Runs the three printed commands, and returns their output.
async fn run_printed(programs: &Path, printed: &str) -> String {
    let message = Command::new("sh").args(["-c", between(printed, "  password       ", "\n")]).output().await.unwrap();
    let message = String::from_utf8(message.stdout).unwrap();
    let temporary = between(&message, "temporary password is ", ".\n");
    let commands = format!("SESSION={}", between(printed, "\nSESSION=", "\ndocs/"));
    let commands = commands.lines().filter(|line| !line.starts_with(|first: char| first.is_ascii_digit()));
    let commands = commands.collect::<Vec<_>>().join("\n");
    let passwords = [("Temporary password: ", temporary), ("New password: ", "Correct-Horse-1")];
    let mut shell = terminal(programs, &passwords);
    shell.args(["sh", "-ec", &commands]);
    let ran = output_of(shell, "sh", None).await.unwrap();
    assert!(ran.succeeded, "{commands}\n{}", ran.last_lines());
    ran.stdout
}

async fn update(programs: &Path, variables: &str, parameters: &str, answers: &[(&str, &str)]) -> Output {
    let mut command = deploy(programs, &[], answers);
    command.env("POOLKEEPER_PARAMETERS", parameters);
    command.envs(variables.split(' ').filter_map(|variable| variable.split_once('=')));
    output_of(command, "deploy.py", None).await.unwrap()
}

#[tokio::test]
async fn rehearsed_deployment_ends_with_commands_that_work() {
    let programs = programs();
    let answers = [
        ("PoolName [shop]: ", ""),
        ("SelfSignUp [true]: ", ""),
        ("AutoConfirm: ", "nobody"),
        ("AllowedEmailDomains [empty]: ", "example.com"),
        ("FirstAdminEmail [empty]: ", "ops@example.com"),
        ("AlarmEmail [empty]: ", ""),
        ("Deploy? [y/N] ", "y"),
    ];
    let mut rehearsal = deploy(programs.path(), &["--rehearse"], &answers)
        // A rehearsal ignores the user's settings.
        .env("AWS_PROFILE", "production")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let printed = read_until(&mut rehearsal, RUNNING).await;
    for line in ["New IAM permissions: ", "\n  created   UserPool\n", "\nThe stack shop is deployed.\n"] {
        assert!(printed.contains(line), "{line}: {printed}");
    }
    let me = run_printed(programs.path(), &printed).await;
    let me: Value = serde_json::from_str(me.lines().last().unwrap()).unwrap();
    assert_eq!(me["groups"], json!(["admins"]));

    let variables = between(&printed, "\nexport ", "\n");
    let refused = update(programs.path(), variables, "PoolName=other", &[]).await;
    assert!(!refused.succeeded);
    let expected = "make: PoolName cannot be changed: the stack has `shop`, found `other`";
    assert!(refused.stdout.contains(expected), "{}", refused.stdout);

    // AutoConfirm has no default, and keeps the value of the stack.
    let updated = update(programs.path(), variables, "AccessTokenMinutes=30", &[("Deploy? [y/N] ", "y")]).await;
    assert!(updated.succeeded, "{}", updated.last_lines());
    for line in ["\n  AccessTokenMinutes: 60 -> 30\n", "\n  changes     UserPool (", "\n  updated   UserPool\n"] {
        assert!(updated.stdout.contains(line), "{line}: {}", updated.stdout);
    }

    rehearsal.stdin.as_mut().unwrap().write_all(b"interrupt\n").await.unwrap();
    let end = read_until(&mut rehearsal, "The emulator is stopped.").await;
    assert!(rehearsal.wait().await.unwrap().success(), "{end}");
}
