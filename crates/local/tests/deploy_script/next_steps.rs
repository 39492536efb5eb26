//! The end of a deployment: the URL of the API and the commands for the first token.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::{Value, json};

use super::account::{DECIDED, Deployment};
use super::{evaluate, python, root, run};

const COMMANDS: &str = r#"
from deploy.next_steps import commands
print(json.dumps(commands("https://api.example.com", given, "eu-west-1")))
"#;

/// A fake curl that records its configuration and arguments, and returns the response of the route.
const CURL: &str = r#"#!/bin/sh
for url; do :; done
case $url in
  */sign-in) cat >sign-in; echo '{"challenge": {"session": "a session"}}' ;;
  */challenge) cat >challenge; echo '{"tokens": {"access_token": "token-1"}}' ;;
  *) cat >me ;;
esac
printf '%s\n' "$@" >>arguments
"#;

fn values(changed: &Value) -> Value {
    let mut values =
        json!({"FirstAdminEmail": "o'hara@example.com", "SignIn": "email", "AuthAuthorization": "NONE", "Mfa": "off"});
    values.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    values
}

#[test]
fn commands_send_the_typed_passwords_and_keep_the_token() {
    for (changed, username) in [
        (json!({}), "o'hara@example.com"),
        (json!({"SignIn": "username"}), "admin"),
        (json!({"AuthAuthorization": "AWS_IAM"}), "o'hara@example.com"),
    ] {
        let commands: Vec<String> = serde_json::from_value(evaluate(COMMANDS, &values(&changed))).unwrap();
        assert_eq!(commands.len(), 3);
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("curl"), CURL).unwrap();
        fs::set_permissions(path("curl"), Permissions::from_mode(0o755)).unwrap();
        let passwords = [("Temporary password: ", r#"a"b\c'd$e"#), ("New password: ", "Correct Horse 1")];
        let mut shell = Command::new(python());
        shell.arg(root().join("crates/local/tests/terminal.py")).arg(json!(passwords).to_string());
        shell.args(["sh", "-ec", &commands.join("\n")]).current_dir(folder.path());
        let credentials = [
            ("AWS_ACCESS_KEY_ID", "AKIA1"),
            ("AWS_SECRET_ACCESS_KEY", "secret\"1"),
            ("AWS_SESSION_TOKEN", "session-1"),
        ];
        shell.envs(credentials);
        shell.env("PATH", format!("{}:{}:/usr/bin:/bin", folder.path().display(), root().join(".venv/bin").display()));
        run(&mut shell).unwrap();
        let configured = |name: &str, option: &str| -> String {
            let configuration = fs::read_to_string(path(name)).unwrap();
            let value = configuration.lines().find_map(|line| line.strip_prefix(&format!("{option} = ")));
            serde_json::from_str(value.unwrap_or("null")).unwrap_or_default()
        };
        let sent = |name: &str| serde_json::from_str::<Value>(&configured(name, "data")).unwrap();
        assert_eq!(sent("sign-in"), json!({"username": username, "password": r#"a"b\c'd$e"#}));
        let challenge = json!({"challenge": "NEW_PASSWORD_REQUIRED", "username": username, "session": "a session",
            "new_password": "Correct Horse 1"});
        assert_eq!(sent("challenge"), challenge);
        assert_eq!(configured("me", "header"), "Authorization: Bearer token-1");
        if changed["AuthAuthorization"] == "AWS_IAM" {
            for route in ["sign-in", "challenge"] {
                assert_eq!(configured(route, "user"), "AKIA1:secret\"1");
                assert_eq!(configured(route, "header"), "X-Amz-Security-Token: session-1");
            }
        }
        let arguments = fs::read_to_string(path("arguments")).unwrap();
        assert!(arguments.ends_with("https://api.example.com/v1/me\n"), "{arguments}");
        for secret in ["Horse", "secret", "session-1", "token-1"] {
            assert!(!arguments.contains(secret), "other users of the machine can read arguments: {arguments}");
        }
    }
}

#[test]
fn commands_are_signed_if_the_api_requires_that() {
    let commands = evaluate(COMMANDS, &values(&json!({"AuthAuthorization": "AWS_IAM"})));
    let is_signed =
        |index: usize| commands[index].as_str().unwrap().contains("--aws-sigv4 aws:amz:eu-west-1:execute-api ");
    assert_eq!([0, 1, 2].map(is_signed), [true, true, false]);
}

#[test]
fn first_deployment_ends_with_url_and_commands() {
    let ran = Deployment::of_new_stack("AutoConfirm=nobody FirstAdminEmail=ops@example.com").run().succeeded();
    let (_, end) = ran.stdout.split_once("\nThe stack shop is deployed.\n").unwrap();
    let facts = "\n  API            https://api.example.com\n  administrator  ops@example.com\n  \
                 password       in a message to ops@example.com, valid for 7 days\n";
    assert!(end.starts_with(facts), "{end}");
    assert_eq!(end.matches("\n1. ").count() + end.matches("\n2. ").count() + end.matches("\n3. ").count(), 3, "{end}");
    assert!(!end.contains("MFA_SETUP"), "{end}");

    let required = Deployment::of_new_stack("AutoConfirm=nobody FirstAdminEmail=ops@example.com Mfa=required").run();
    assert!(required.succeeded().stdout.contains("its response is the challenge MFA_SETUP (docs/second-factors.md)"));
}

#[test]
fn deployment_without_administrator_explains_how_to_create_one() {
    let ran = Deployment::of_new_stack(DECIDED).run().succeeded();
    assert!(
        ran.stdout.contains("\nmake deploy STACK=shop PARAMETERS='FirstAdminEmail=ops@example.com'\n"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("Temporary password"), "{}", ran.stdout);
}

#[test]
fn update_repeats_the_commands_only_for_a_new_administrator() {
    let current = [("PoolName", "shop"), ("AutoConfirm", "nobody"), ("FirstAdminEmail", "ops@example.com")];
    let ran = Deployment::of_stack(&current, "").run().succeeded();
    assert!(
        ran.stdout.ends_with("To get a token, sign in as an administrator (docs/operations/first-administrator.md).\n")
    );
    let ran = Deployment::of_stack(&current, "FirstAdminEmail=mia@example.com").run().succeeded();
    assert!(ran.stdout.contains("in a message to mia@example.com"), "{}", ran.stdout);
    let with_names = [&current[..], &[("SignIn", "username")]].concat();
    let ran = Deployment::of_stack(&with_names, "FirstAdminEmail=mia@example.com").run().succeeded();
    assert!(!ran.stdout.contains("in a message"), "the first administrator is still `admin`: {}", ran.stdout);
}
