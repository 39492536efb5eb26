//! Runs the flows with the clients of the pool's users and back ends: `amazon-cognito-identity-js`, Amplify, boto3 and
//! the AWS CLI. The scripts in `tests/real_clients` set no option of a client except the endpoint.

use std::fs;
use std::path::Path;

use local::deployment::{DENIED_DOMAIN, Deployment};
use local::flows::first_admin;
use local::report::Report;
use testkit::cognito_local::{CognitoLocal, Pool};
use testkit::local_aws::output_of;
use tokio::process::Command;

use crate::VENV;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real_clients");

/// The users that exist after the scripts. A rejected sign-up creates no user, and F2 deletes its user.
const USERS: [&str; 9] =
    ["admin", "amplify", "boto3-f1", "boto3-f4", "boto3-f5", "cli-f1", "cli-f4", "cli-f5", "identity-js"];

#[tokio::test]
async fn real_clients_complete_the_flows_with_default_settings() {
    for packages in ["real-clients", "aws-cli"] {
        assert!(Path::new(VENV).join(packages).is_dir(), ".venv/{packages} is missing; run `make test`");
    }
    let deployment = super::deploy(&[]).await;
    let pool = Pool { id: output(&deployment, "UserPoolId"), client_id: output(&deployment, "BackendClientId") };
    let trigger = output(&deployment, "PreSignUpFunctionArn");
    let codes = CognitoLocal::start(&deployment.aws, &[("PreSignUp", trigger)], &[pool]).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let run = async |program: &str, script: &str| {
        let mut command = Command::new(program);
        set_environment(&mut command, &deployment, &codes, home.path());
        let path = format!("{SCRIPTS}/{script}");
        // Node.js finds the packages of a module on standard input in the current directory.
        let input = (program == "node").then(|| fs::read_to_string(&path).unwrap());
        command.arg(if input.is_some() { "--input-type=module" } else { &path });
        let ran = output_of(command, program, input.as_deref()).await.unwrap();
        (!ran.succeeded).then(|| format!("{script} failed:\n{}", ran.last_lines()))
    };

    let (identity_js, amplify, boto3, aws_cli) = tokio::join!(
        run("node", "identity_js.mjs"),
        run("node", "amplify.mjs"),
        run("python", "boto3_flows.py"),
        run("bash", "aws_cli.sh"),
    );

    let failures: Vec<_> = [identity_js, amplify, boto3, aws_cli].into_iter().flatten().collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    let admin = first_admin::sign_in(&deployment, &mut Report::quiet()).await.unwrap();
    let page = deployment.api.get("/v1/users", &admin.token).await.unwrap().expect(200).unwrap();
    let users = page["users"].as_array().unwrap().iter();
    let mut users: Vec<_> = users.map(|user| user["username"].as_str().unwrap()).collect();
    users.sort_unstable();
    assert_eq!(users, USERS);
}

fn output<'a>(deployment: &'a Deployment, name: &str) -> &'a str {
    deployment.stack.output(name).unwrap()
}

fn set_environment(command: &mut Command, deployment: &Deployment, codes: &CognitoLocal, home: &Path) {
    super::emulator_environment(command, deployment, home, home);
    command
        .current_dir(format!("{VENV}/real-clients"))
        .env("DENIED_DOMAIN", DENIED_DOMAIN)
        .env("CODES_ENDPOINT_URL", codes.url())
        .env("CODE", CognitoLocal::CODE);
}
