//! The built functions, deployed from `template.yaml` to a local AWS: what the demo shows, and what is refused.
//!
//! `make test` builds the functions first. Starting a local AWS and deploying to it takes seconds, and nextest gives every test a
//! process of its own, so a test here is one deployment with everything that can be asserted on it, not one assertion.

#![expect(clippy::unwrap_used, reason = "tests")]

mod commands;
mod invitation_key;
mod life;
mod operations;
mod refusals;
mod roles;
mod sign_up_policy;

use std::fs;

use local::arguments::Options;
use local::demo;
use local::deployment::{POOL, Scene};
use local::dev::Names;
use local::failure::Failure;
use local::flows::{self, auto_confirm, first_admin};
use local::report::{Outcome, Report};
use serde_json::json;
use tempfile::NamedTempFile;
use testkit::local_aws::{LocalAws, LocalAwsError, Recording, Stack, Tools};

async fn deploy(parameters: &[(&str, &str)]) -> Scene {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let aws = LocalAws::start_recorded(Recording::EndToEnd).await.unwrap();
    Box::pin(Scene::deploy(aws, &Options { port: None, parameters })).await.unwrap()
}

#[tokio::test]
async fn everything_works_that_the_demo_shows_and_everything_else_is_refused() {
    let scene = deploy(&[]).await;
    let mut report = Report::quiet();
    flows::walk(&scene, &mut report).await.unwrap();
    assert!(report.count() > 80, "only {} steps", report.count());
    let skipped = report.lines().filter(|line| line.outcome == Outcome::Skipped).map(|line| line.step);
    let expected = [
        "POST /v1/auth/challenge with required attributes that are missing",
        "POST /v1/auth/attributes/email/verify with an expired code",
        "SignUp by the web client with the invitation in its ClientMetadata",
    ];
    assert_eq!(skipped.collect::<Vec<_>>(), expected, "what the emulators do not play, and nothing else");
    let verified = report.lines().any(|line| line.flow == "F5" && line.seen == "200, email_verified true");
    assert!(verified, "F5 ends with a verified address");
    let caller = scene.stack.output("CallerArn").unwrap();
    assert_eq!(caller, "arn:aws:sts::000000000000:assumed-role/poolkeeper.demo.us-east-1/CognitoIdentityCredentials");

    refusals::without_a_right_token(&scene).await;
    refusals::with_a_wrong_secret_hash(&scene).await;
    refusals::where_the_emulator_lacks_the_operation(&scene).await;
    operations::that_the_demo_leaves_out(&scene).await;
}

#[tokio::test]
async fn with_auto_confirm_nobody_a_user_waits_for_the_administrator() {
    let scene = deploy(&[("AutoConfirm", "nobody")]).await;
    let admin = first_admin::sign_in(&scene, &mut Report::quiet()).await.unwrap();

    let mut report = Report::quiet();
    let stopped = auto_confirm::walk(&scene, &admin.token, &mut report).await.unwrap_err();
    assert_eq!(report.count(), 0, "the first step fails: the sign-up itself");
    let Failure::Unexpected { expected, got } = stopped else { panic!("{stopped:?}") };
    assert_eq!((expected.as_str(), got.as_str()), ("a confirmed user (AutoConfirm=everyone)", "an unconfirmed one"));

    let sign_in = json!({"username": "ann", "password": "Correct-Horse-1"});
    scene.api.auth("sign-in", &sign_in).await.unwrap().expect_refusal(403, "user-not-confirmed").unwrap();

    let confirmed =
        scene.api.post("/v1/users/ann/confirm", &admin.token, &json!({})).await.unwrap().expect(200).unwrap();
    assert_eq!(confirmed["changed"], true);
    let tokens = scene.api.auth("sign-in", &sign_in).await.unwrap().expect(200).unwrap();
    assert!(tokens["tokens"]["access_token"].is_string());
}

#[tokio::test]
async fn invitations_confirm_and_verify_codes_are_for_the_others_and_who_is_refused_is_no_user() {
    let denied = sign_up_policy::DENIED_DOMAINS;
    let policy = [("AutoConfirm", "invited"), ("AutoVerifyEmail", "invited"), ("DeniedEmailDomains", denied)];
    let scene = deploy(&policy).await;
    let admin = first_admin::sign_in(&scene, &mut Report::quiet()).await.unwrap();
    sign_up_policy::on_the_local_aws(&scene, &admin.token).await;
    sign_up_policy::where_cognito_hands_the_invitation_on(&scene, &admin.token).await;
    sign_up_policy::nothing_that_people_wrote_is_in_the_log(&scene).await;
    commands::that_are_printed_work(&scene, &names_of(&policy), &admin);
    sign_up_policy::tried_out_with_event_files(&scene).await;
}

#[tokio::test]
async fn printed_commands_work_with_the_defaults_of_the_template() {
    let defaults = [("SignIn", "email"), ("AutoVerifyEmail", "nobody")];
    let scene = deploy(&defaults).await;
    let names = names_of(&defaults);
    let administrator = names.administrator(&scene);
    let admin = first_admin::sign_in_as(&scene, &administrator, &mut Report::quiet()).await.unwrap();
    commands::that_are_printed_work(&scene, &names, &admin);
}

fn names_of(parameters: &[(&str, &str)]) -> Names {
    Names::of(&Options { port: None, parameters: local::deployment::pairs(parameters).collect() })
}

/// The built template with one text in place of another. Beside the original: the paths of the functions in it are relative.
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
async fn a_right_of_the_bootstrap_that_is_missing_is_named_by_the_deployment() {
    let aws = LocalAws::start(None).await.unwrap();
    let template = changed_template("- cognito-idp:CreateUserPoolClient\n", "");

    let parameters = local::deployment::parameters(&Options::default());
    let failed = Stack::deploy(&aws, POOL, template.path(), &parameters).await.unwrap_err();

    let LocalAwsError::DeploymentFailed(reasons) = &failed else { panic!("{failed:?}") };
    assert!(reasons.contains("UserPool (Custom::PoolkeeperUserPool)"), "{reasons}");
    assert!(reasons.contains("is not authorized to perform: cognito-idp:CreateUserPoolClient"), "{reasons}");

    let destroyed = life::destroy(&aws).await;
    assert!(!destroyed.succeeded, "{}", destroyed.stdout);
    assert!(destroyed.stdout.contains("  user pool      us-east-1_"), "{}", destroyed.last_lines());
    assert!(destroyed.stdout.contains("The first deployment failed"), "{}", destroyed.stdout);
}

#[tokio::test]
async fn a_right_of_the_api_that_is_missing_is_named_by_the_step_that_needs_it() {
    let aws = LocalAws::start(None).await.unwrap();
    let template = changed_template("- cognito-idp:AdminUserGlobalSignOut\n", "- cognito-idp:AdminDisableUser\n");
    let scene = Box::pin(Scene::deploy_template(aws, template.path(), &Options::default())).await.unwrap();

    let failed = flows::walk(&scene, &mut Report::quiet()).await.unwrap_err();

    let told = demo::explained(&scene, failed).await.to_string();
    assert!(told.contains("expected 200, got 500 internal"), "{told}");
    assert!(told.contains("is not authorized to perform: cognito-idp:AdminUserGlobalSignOut"), "{told}");
    assert!(told.contains("Add the permission to the function's role in template.yaml."), "{told}");
}
