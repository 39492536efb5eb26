//! Tests the user migration trigger: users of an old user pool on the emulator, and users of the endpoint in
//! `examples/migration`.
//!
//! cognito-local invokes the trigger. It also creates a user after an empty response, for which AWS behaves as for an unknown
//! user, so that users who do not move are tested with events.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use local::arguments::Options;
use local::deployment::{Deployment, POOL, pairs, parameters};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use testkit::cognito_local::{CognitoLocal, Pool};
use testkit::local_aws::{LocalAws, Recording, Stack, Tooling as _, Tools};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const SCRIPT: &str = include_str!("user_migration.py");
const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/migration/server.py");

const PASSWORD: &str = "Correct-Horse-1";

/// The parameter that `crates/testkit/oracle/template.py` names.
const SECRET_PARAMETER: &str = "/old/migration-secret";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr";

const DENIED: Option<&str> = None;

async fn script(aws: &LocalAws, arguments: &[&str]) -> Value {
    let arguments = [&["-c", SCRIPT], arguments].concat();
    let output = aws.run("python", &arguments, None).await.unwrap();
    assert!(output.succeeded, "{}", output.last_lines());
    serde_json::from_str(&output.stdout).unwrap()
}

async fn deploy(aws: LocalAws, parameters: &[(&str, &str)]) -> Deployment {
    let options = Options { port: None, parameters: pairs(parameters).collect() };
    Box::pin(Deployment::deploy(aws, &options)).await.unwrap()
}

/// An event of Cognito for a user of the deployed pool.
fn event(deployment: &Deployment, name: &str, password: Option<&str>) -> String {
    let source = if password.is_some() { "UserMigration_Authentication" } else { "UserMigration_ForgotPassword" };
    let pool = deployment.stack.output("UserPoolId").unwrap();
    let request = json!({"password": password, "validationData": null});
    json!({"version": "1", "triggerSource": source, "userPoolId": pool, "userName": name, "request": request, "response": {}})
        .to_string()
}

/// The response of the trigger, or the text of its error.
async fn response(deployment: &Deployment, name: &str, password: Option<&str>) -> Result<Value, String> {
    let function = deployment.stack.output("UserMigrationFunctionArn").unwrap();
    let event = event(deployment, name, password);
    let sent = deployment.stack.send(&deployment.aws, function, &event).await.unwrap();
    let answer: Value = serde_json::from_str(&sent.answer).unwrap();
    if sent.is_error { Err(answer["errorMessage"].to_string()) } else { Ok(answer["response"].clone()) }
}

/// Expects the status with which the user moves, or a user who does not move.
async fn expect(deployment: &Deployment, table: &[(&str, Option<&str>, Option<&str>)]) {
    for (name, password, status) in table {
        let response = response(deployment, name, *password).await.unwrap();
        match status {
            Some(status) => assert_eq!(response["finalUserStatus"], *status, "{name}: {response}"),
            None => assert_eq!(response, json!({}), "{name}"),
        }
    }
}

async fn assert_log_contains_no_input(deployment: &Deployment) {
    let log = deployment.stack.log(&deployment.aws, "user-migration").await.unwrap();
    for logged in ["Migrate", "Deny", "Credentials"] {
        assert!(log.contains(logged), "{logged} is missing in\n{log}");
    }
    for input in ["Horse", "mia", "example.com", "whsec_", "eyJ"] {
        assert!(!log.contains(input), "{input} is in\n{log}");
    }
}

#[tokio::test]
async fn users_of_an_old_user_pool_move_at_their_first_sign_in() {
    let aws = LocalAws::start_recorded(Recording::EndToEnd).await.unwrap();
    let old = script(&aws, &["old-pool"]).await;
    let source = [
        ("MigrationUserPoolId", old["pool"].as_str().unwrap()),
        ("MigrationClientId", old["client"].as_str().unwrap()),
        ("WebClientPasswordAuth", "true"),
    ];
    let deployment = deploy(aws, &source).await;
    let output = |name: &str| deployment.stack.output(name).unwrap();
    let state = async || script(&deployment.aws, &["pool", output("UserPoolId"), output("WebClientId")]).await;
    let triggers =
        json!({"PreSignUp": output("PreSignUpFunctionArn"), "UserMigration": output("UserMigrationFunctionArn")});
    let deployed = state().await;
    assert_eq!(deployed["triggers"], triggers);
    let default = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_AUTH", "ALLOW_USER_SRP_AUTH"];
    let flows = [&default[..1], &["ALLOW_USER_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"]].concat();
    assert_eq!(deployed["flows"], json!(flows));

    move_through_cognito_local(&deployment).await;
    let table = [
        ("mia", Some(PASSWORD), Some("CONFIRMED")),
        ("mia@example.com", Some(PASSWORD), DENIED),
        ("mia", Some("Wrong-Horse-1"), DENIED),
        ("eve", Some(PASSWORD), DENIED),
        ("dan", Some(PASSWORD), DENIED),
        ("ned", Some(PASSWORD), DENIED),
        ("mia", None, Some("RESET_REQUIRED")),
        ("eve", None, DENIED),
        ("dan", None, DENIED),
        ("ned", None, DENIED),
    ];
    expect(&deployment, &table).await;
    assert_log_contains_no_input(&deployment).await;

    // Without the parameters, the trigger is removed and the other triggers are kept.
    let template = Tools::find().unwrap().built_template().unwrap();
    let empty = [("MigrationUserPoolId", ""), ("MigrationClientId", ""), ("WebClientPasswordAuth", "false")];
    let without = parameters(&Options { port: None, parameters: pairs(&empty).collect() });
    let stack = Stack::deploy(&deployment.aws, POOL, &template, &without).await.unwrap();
    assert!(stack.output("UserMigrationFunctionArn").is_err());
    let removed = json!({"triggers": {"PreSignUp": triggers["PreSignUp"]}, "flows": default});
    assert_eq!(state().await, removed);
}

/// A first sign-in through the web client creates the user, with the listed attributes and the same password.
async fn move_through_cognito_local(deployment: &Deployment) {
    let output = |name: &str| deployment.stack.output(name).unwrap();
    let pool = Pool { id: output("UserPoolId"), client_id: output("WebClientId") };
    let triggers = [("UserMigration", output("UserMigrationFunctionArn"))];
    let cognito = CognitoLocal::start(&deployment.aws, &triggers, &[pool]).await.unwrap();
    let parameters = json!({"USERNAME": "mia", "PASSWORD": PASSWORD});
    let sign_in = json!({"ClientId": pool.client_id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters});
    let signed_in = cognito.call("InitiateAuth", &sign_in).await.unwrap();
    assert!(signed_in.body["AuthenticationResult"]["AccessToken"].is_string(), "{}", signed_in.body);
    let users = cognito.call("ListUsers", &json!({"UserPoolId": pool.id})).await.unwrap().body;
    let [user] = users["Users"].as_array().unwrap().as_slice() else { unreachable!("{users}") };
    assert_eq!(user["UserStatus"], "CONFIRMED");
    let attributes = user["Attributes"].as_array().unwrap().iter();
    let attributes: BTreeSet<_> =
        attributes.map(|one| (one["Name"].as_str().unwrap(), one["Value"].as_str().unwrap())).collect();
    assert_eq!(attributes, [("email", "mia@example.com"), ("email_verified", "true"), ("name", "Mia")].into());
}

/// A certificate authority, and a certificate for 127.0.0.1, as PEM files.
fn write_certificates(folder: &Path) {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "Authority of the test");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    fs::write(folder.join("root.pem"), root.pem()).unwrap();
    fs::write(folder.join("server.pem"), leaf.pem()).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}

/// The endpoint of the example with this secret, and its URL.
async fn endpoint(folder: &Path, secret: &str) -> (Child, String) {
    let mut command: Command = Tools::find().unwrap().command("python").unwrap();
    command.arg(SERVER).env("MIGRATION_SECRET", secret).env("PORT", "0");
    command.env("CERTIFICATE", folder.join("server.pem")).env("KEY", folder.join("server.key"));
    let mut server = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let url = lines.next_line().await.unwrap().unwrap();
    (server, url)
}

#[tokio::test]
async fn users_of_the_example_endpoint_move_after_a_signed_request() {
    let folder = tempfile::tempdir().unwrap();
    write_certificates(folder.path());
    let (_server, url) = endpoint(folder.path(), SECRET).await;
    let aws = LocalAws::start_recorded(Recording::EndToEnd).await.unwrap();
    script(&aws, &["secret", SECRET_PARAMETER, SECRET]).await;
    let deployment = deploy(aws, &[("MigrationEndpoint", &url), ("MigrationSecretParameter", SECRET_PARAMETER)]).await;

    let refused = Err("\"The request could not be processed. Try again later\"".to_owned());
    assert_eq!(response(&deployment, "mia", Some(PASSWORD)).await, refused, "an unknown certificate authority");
    let root = folder.path().join("root.pem").display().to_string();
    set(&deployment, "SSL_CERT_FILE", &root).await;
    let table = [
        ("mia", Some(PASSWORD), Some("CONFIRMED")),
        ("mia", Some("Wrong-Horse-1"), DENIED),
        ("eve", Some(PASSWORD), DENIED),
        ("max", Some(PASSWORD), DENIED),
        ("mia", None, Some("RESET_REQUIRED")),
        ("eve", None, DENIED),
        ("max", None, DENIED),
    ];
    expect(&deployment, &table).await;
    let moved = response(&deployment, "mia", Some(PASSWORD)).await.unwrap();
    let attributes = json!({"email": "mia@example.com", "email_verified": "true", "name": "Mia"});
    assert_eq!(moved["userAttributes"], attributes);

    let (_other, url) = endpoint(folder.path(), &SECRET.replace("Mf", "fM")).await;
    set(&deployment, "MIGRATION_ENDPOINT", &url).await;
    assert_eq!(response(&deployment, "mia", Some(PASSWORD)).await, refused, "another secret");
    assert_log_contains_no_input(&deployment).await;
}

async fn set(deployment: &Deployment, name: &str, value: &str) {
    let function = deployment.stack.output("UserMigrationFunctionArn").unwrap();
    deployment.stack.set(&deployment.aws, function, &[(name.to_owned(), value.to_owned())]).await.unwrap();
}
