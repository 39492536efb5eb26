//! Tests of the built functions, deployed from `template.yaml` to the emulator. `make test` builds the functions first.
//!
//! Each test is one deployment with many assertions, because starting the emulator and deploying takes seconds.

#![expect(clippy::unwrap_used, reason = "tests")]

mod clients;
mod commands;
mod doctor;
mod documented;
mod examples;
mod first_deployment;
mod invitation_key;
mod jobs;
mod monitoring;
mod operations;
mod real_clients;
mod refusals;
mod roles;
mod session_gate;
mod sign_up_policy;
mod soak;
mod stack_lifecycle;
mod user_migration;

use std::path::Path;
use std::{env, fs};

use local::arguments::Options;
use local::demo;
use local::deployment::{Deployment, POOL};
use local::dev::Names;
use local::failure::Failure;
use local::flows::{self, auto_confirm, first_admin};
use local::report::{Outcome, Report};
use serde_json::json;
use tempfile::NamedTempFile;
use testkit::local_aws::{LocalAws, LocalAwsError, Recording, Stack, Tools};
use tokio::process::Command;

const VENV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.venv");

/// Replaces the environment of a command by that of the stack, because a script must not change a real account.
/// `programs` is a further directory with programs.
#[expect(clippy::disallowed_methods, reason = "the search path contains the shell")]
fn emulator_environment(command: &mut Command, deployment: &Deployment, home: &Path, programs: &Path) {
    let search_path = env::var("PATH").unwrap();
    let output = |name| deployment.stack.output(name).unwrap();
    command
        .kill_on_drop(true)
        .env_clear()
        .env("PATH", format!("{VENV}/bin:{VENV}/aws-cli/bin:{}:{search_path}", programs.display()))
        .env("HOME", home)
        .env("LANG", "C.UTF-8")
        .env("NO_PROXY", "127.0.0.1")
        .env("AWS_ENDPOINT_URL", deployment.aws.endpoint_url())
        .env("AWS_REGION", LocalAws::REGION)
        .env("AWS_DEFAULT_REGION", LocalAws::REGION)
        .env("AWS_ACCESS_KEY_ID", LocalAws::ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", LocalAws::SECRET_KEY)
        .env("USER_POOL_ID", output("UserPoolId"))
        .env("WEB_CLIENT_ID", output("WebClientId"))
        .env("BACKEND_CLIENT_ID", output("BackendClientId"))
        .env("IDENTITY_POOL_ID", output("IdentityPoolId"))
        .env("CALLER_ARN", output("CallerArn"));
}

async fn deploy(parameters: &[(&str, &str)]) -> Deployment {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let aws = LocalAws::start_recorded(Recording::EndToEnd).await.unwrap();
    Box::pin(Deployment::deploy(aws, &Options { port: None, parameters })).await.unwrap()
}

#[tokio::test]
async fn demo_flows_succeed_and_unauthorized_requests_fail() {
    let deployment = deploy(&[]).await;
    doctor::finds_only_the_settings_of_the_demo(&deployment).await;
    let mut report = Report::quiet();
    flows::run_all(&deployment, &mut report).await.unwrap();
    assert!(report.count() > 80, "only {} steps", report.count());
    let skipped = report.lines().filter(|line| line.outcome == Outcome::Skipped).map(|line| line.step);
    let expected = [
        "POST /v1/auth/challenge with missing required attributes",
        "POST /v1/auth/attributes/email/verify with an expired code",
        "SignUp by the web client with the invitation in ClientMetadata",
    ];
    assert_eq!(skipped.collect::<Vec<_>>(), expected, "only what the emulators lack");
    let verified = report.lines().any(|line| line.flow == "F5" && line.seen == "200, email_verified true");
    assert!(verified, "F5 ends with a verified address");
    let caller = deployment.stack.output("CallerArn").unwrap();
    assert_eq!(caller, "arn:aws:sts::000000000000:assumed-role/poolkeeper.demo.us-east-1/CognitoIdentityCredentials");

    refusals::without_a_valid_token(&deployment).await;
    refusals::with_a_wrong_secret_hash(&deployment).await;
    refusals::where_the_emulator_lacks_the_operation(&deployment).await;
    operations::that_the_demo_omits(&deployment).await;
    operations::own_account(&deployment).await;
    session_gate::introspection(&deployment).await;
    soak::one_round(&deployment).await;
}

#[tokio::test]
async fn auto_confirm_nobody_leaves_users_unconfirmed() {
    let deployment = deploy(&[("AutoConfirm", "nobody"), ("SessionGate", "false")]).await;
    let admin = first_admin::sign_in(&deployment, &mut Report::quiet()).await.unwrap();

    let mut report = Report::quiet();
    let stopped = auto_confirm::run(&deployment, &admin.token, &mut report).await.unwrap_err();
    assert_eq!(report.count(), 0, "the first step, the sign-up, fails");
    let Failure::Unexpected { expected, got } = stopped else { panic!("{stopped:?}") };
    assert_eq!((expected.as_str(), got.as_str()), ("a confirmed user (AutoConfirm=everyone)", "an unconfirmed user"));

    let sign_in = json!({"username": "ann", "password": "Correct-Horse-1"});
    deployment.api.auth("sign-in", &sign_in).await.unwrap().expect_refusal(403, "user-not-confirmed").unwrap();

    let confirmed =
        deployment.api.post("/v1/users/ann/confirm", &admin.token, &json!({})).await.unwrap().expect(200).unwrap();
    assert_eq!(confirmed["changed"], true);
    let tokens = deployment.api.auth("sign-in", &sign_in).await.unwrap().expect(200).unwrap();
    assert!(tokens["tokens"]["access_token"].is_string());

    session_gate::check_without_gate(&deployment, &admin.token, "ann").await;
}

#[tokio::test]
async fn only_invited_users_are_confirmed_and_verified() {
    let denied = sign_up_policy::DENIED_DOMAINS;
    let policy = [("AutoConfirm", "invited"), ("AutoVerifyEmail", "invited"), ("DeniedEmailDomains", denied)];
    let deployment = deploy(&policy).await;
    let admin = first_admin::sign_in(&deployment, &mut Report::quiet()).await.unwrap();
    sign_up_policy::on_ministack(&deployment, &admin.token).await;
    sign_up_policy::on_cognito_local(&deployment, &admin.token).await;
    sign_up_policy::log_contains_no_user_input(&deployment).await;
    commands::run_printed(&deployment, &names_of(&policy), &admin);
    sign_up_policy::with_event_files(&deployment).await;
}

#[tokio::test]
async fn printed_commands_work_with_the_defaults_of_the_template() {
    let defaults = [("SignIn", "email"), ("AutoVerifyEmail", "nobody")];
    let deployment = deploy(&defaults).await;
    let names = names_of(&defaults);
    let administrator = names.administrator(&deployment);
    let admin = first_admin::sign_in_as(&deployment, &administrator, &mut Report::quiet()).await.unwrap();
    commands::run_printed(&deployment, &names, &admin);
}

fn names_of(parameters: &[(&str, &str)]) -> Names {
    Names::of(&Options { port: None, parameters: local::deployment::pairs(parameters).collect() })
}

/// The built template with a text replaced, in the directory of the original, because the paths in it are relative.
fn changed_template(from: &str, to: &str) -> NamedTempFile {
    let template = Tools::find().unwrap().built_template().unwrap();
    let text = fs::read_to_string(&template).unwrap();
    let changed = text.replace(from, to);
    assert_ne!(text, changed);
    let file = tempfile::Builder::new().suffix(".yaml").tempfile_in(template.parent().unwrap()).unwrap();
    fs::write(file.path(), changed).unwrap();
    file
}

#[tokio::test]
async fn failed_deployment_names_missing_permission_of_bootstrap() {
    let aws = LocalAws::start(None).await.unwrap();
    let template = changed_template("- cognito-idp:CreateUserPoolClient\n", "");

    let parameters = local::deployment::parameters(&Options::default());
    let failed = Stack::deploy(&aws, POOL, template.path(), &parameters).await.unwrap_err();

    let LocalAwsError::DeploymentFailed(reasons) = &failed else { panic!("{failed:?}") };
    assert!(reasons.contains("UserPool (Custom::PoolkeeperUserPool)"), "{reasons}");
    assert!(reasons.contains("is not authorized to perform: cognito-idp:CreateUserPoolClient"), "{reasons}");

    let destroyed = stack_lifecycle::destroy(&aws).await;
    assert!(!destroyed.succeeded, "{}", destroyed.stdout);
    assert!(destroyed.stdout.contains("  user pool      us-east-1_"), "{}", destroyed.last_lines());
    assert!(destroyed.stdout.contains("The first deployment failed"), "{}", destroyed.stdout);
}

#[tokio::test]
async fn failed_step_names_missing_permission_of_admin_api() {
    let aws = LocalAws::start(None).await.unwrap();
    let template = changed_template("- cognito-idp:AdminUserGlobalSignOut\n", "- cognito-idp:AdminDisableUser\n");
    let deployment = Box::pin(Deployment::deploy_template(aws, template.path(), &Options::default())).await.unwrap();

    let failed = flows::run_all(&deployment, &mut Report::quiet()).await.unwrap_err();

    let message = demo::diagnose(&deployment, failed).await.to_string();
    assert!(message.contains("expected 204, got 500 internal"), "{message}");
    assert!(message.contains("is not authorized to perform: cognito-idp:AdminUserGlobalSignOut"), "{message}");
    assert!(message.contains("Add the permission to the function's role in template.yaml."), "{message}");
}
