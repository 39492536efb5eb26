//! The metrics of the functions, compared with the alarms and the dashboard of the stack.

use std::collections::BTreeSet;

use axum::Router;
use axum::http::{StatusCode, header};
use domain::secret::Secret;
use futures::future::join_all;
use local::deployment::{DENIED_DOMAIN, Deployment};
use local::flows::first_admin;
use local::invoke;
use local::report::Report;
use serde_json::{Value, json};
use startup::metrics::METRICS;
use testkit::local_aws::Tooling as _;
use tokio::net::TcpListener;

use crate::deploy;

const CHECK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/monitoring/check.py");
const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
const ALARMS_PAGE: &str = include_str!("../../../../docs/operations/alarms.md");

/// One call has three attempts, so that four calls exceed the threshold of the alarm.
const THROTTLED_CALLS: usize = 4;

#[tokio::test]
async fn every_metric_is_watched_and_every_alarm_can_be_raised() {
    let monitoring = [
        ("AlarmEmail", "ops@example.com"),
        ("Dashboard", "true"),
        ("AuditSilenceHours", "1"),
        ("RejectedSignUpsPerHour", "1"),
        ("MailsPerDay", "1"),
        ("AutoVerifyEmail", "nobody"),
        // No test calls this pool.
        ("MigrationUserPoolId", "us-east-1_NoSuchPool"),
        ("MigrationClientId", "1nosuchclient"),
        ("Jobs", "true"),
        ("BackupSchedule", "cron(0 3 * * ? *)"),
    ];
    let deployment = deploy(&monitoring).await;
    let admin = first_admin::sign_in(&deployment, &mut Report::quiet()).await.unwrap();

    sign_up(&deployment).await;
    administer(&deployment, &admin.token).await;
    fail_calls(&deployment).await;
    fail_functions(&deployment).await;

    let function = |output: &str| deployment.stack.output(output).unwrap().rsplit(':').next().unwrap().to_owned();
    let published =
        |name: &str, output: &str, value: u32| json!(["AWS/Lambda", name, {"FunctionName": function(output)}, [value]]);
    let api = |name: &str, value: u32| json!(["AWS/ApiGateway", name, {"ApiId": deployment.stack.output("ApiId").unwrap()}, [value]]);
    let records = json!([
        published("Errors", "AdminApiFunctionArn", 1),
        published("Errors", "AuthApiFunctionArn", 1),
        published("Errors", "PoolBootstrapFunctionArn", 1),
        published("Errors", "AuthorizerFunctionArn", 1),
        published("Errors", "PreSignUpFunctionArn", 3),
        published("Errors", "UserMigrationFunctionArn", 1),
        published("Errors", "JobsApiFunctionArn", 1),
        published("Throttles", "AuthorizerFunctionArn", 1),
        published("Throttles", "PreSignUpFunctionArn", 1),
        published("Throttles", "UserMigrationFunctionArn", 1),
        published("Duration", "PreSignUpFunctionArn", 4001),
        api("Count", 100),
        api("4xx", 20),
        api("5xx", 5),
        api("Latency", 20),
        ["AWS/Scheduler", "TargetErrorCount", {"ScheduleGroup": "BackupScheduleGroup"}, [1]],
        ["AWS/States", "ExecutionsFailed", {"StateMachineArn": deployment.stack.output("JobStateMachineArn").unwrap()}, [1]],
    ]);
    let arguments = ["-B", CHECK, deployment.stack.name(), TEMPLATE];
    let checked = deployment.aws.run("python", &arguments, Some(&records.to_string())).await.unwrap();
    assert!(checked.succeeded, "{}", checked.last_lines());
    let checked: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(texts(&checked["metrics"]), METRICS.iter().map(|metric| metric.name.to_owned()).collect());
    let described: BTreeSet<_> =
        ALARMS_PAGE.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_owned).collect();
    assert_eq!(texts(&checked["alarms"]), described.into_iter().filter(|title| title.ends_with("Alarm")).collect());
}

fn texts(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Sign-ups that are confirmed, rejected and left unconfirmed.
async fn sign_up(deployment: &Deployment) {
    for (name, domain, status) in
        [("ann", "example.com", 201), ("eve", DENIED_DOMAIN, 422), ("mallory", DENIED_DOMAIN, 422)]
    {
        let body = json!({"username": name, "password": "Correct-Horse-1", "attributes": {"email": format!("{name}@{domain}")}});
        let answer = deployment.api.auth("sign-up", &body).await.unwrap();
        assert!(answer.has_status(status), "{}", answer.summary());
    }
    set(deployment, "PreSignUpFunctionArn", "AUTO_CONFIRM", "nobody").await;
    let event = &testkit::events::all("pre-sign-up").into_iter().find(|(name, _)| name == "sign-up").unwrap().1;
    for _ in 0..2 {
        let sent = invoke::send(deployment, "PreSignUpFunctionArn", &[], event).await.unwrap();
        assert!(!sent.is_error, "{}", sent.answer);
    }
}

/// A write, a rejected write, and a sign-out of a user.
async fn administer(deployment: &Deployment, token: &Secret) {
    let user = json!({"username": "kim", "attributes": {"email": "kim@example.com"}});
    deployment.api.post("/v1/users", token, &user).await.unwrap().expect(201).unwrap();
    deployment.api.post("/v1/users", token, &user).await.unwrap().expect_refusal(409, "user-exists").unwrap();
    deployment.api.post("/v1/users/ann/sign-out", token, &json!({})).await.unwrap().expect(200).unwrap();
}

/// Calls that Cognito throttles, a mail over the quota, and a revocation that cannot be written.
async fn fail_calls(deployment: &Deployment) {
    const COGNITO: &str = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER";
    let credentials = json!({"username": "ann", "password": "Correct-Horse-1"});
    let tokens = deployment.api.auth("sign-in", &credentials).await.unwrap().expect(200).unwrap();
    let throttling = failing_service("TooManyRequestsException", "Rate exceeded").await;
    set(deployment, "AuthApiFunctionArn", COGNITO, &throttling).await;
    let ann = json!({"username": "ann"});
    for answer in join_all((0..THROTTLED_CALLS).map(|_| deployment.api.auth("forgot-password", &ann))).await {
        answer.unwrap().expect_refusal(429, "throttled").unwrap();
    }
    let over_quota =
        failing_service("LimitExceededException", "Exceeded daily email limit for the operation or the account.").await;
    set(deployment, "AuthApiFunctionArn", COGNITO, &over_quota).await;
    let answer = deployment.api.auth("forgot-password", &ann).await.unwrap();
    answer.expect_refusal(429, "mail-quota-exceeded").unwrap();
    set(deployment, "AuthApiFunctionArn", COGNITO, deployment.aws.endpoint_url()).await;
    set(deployment, "AuthApiFunctionArn", "AWS_ENDPOINT_URL_DYNAMODB", &throttling).await;
    let sign_out = json!({"access_token": tokens["tokens"]["access_token"]});
    let answer = deployment.api.auth("sign-out", &sign_out).await.unwrap();
    answer.expect_refusal(503, "revocations-unavailable").unwrap();
}

/// A verification of a missing pool, and an event that the trigger cannot read.
async fn fail_functions(deployment: &Deployment) {
    deployment.bootstrap("verify", &json!({"name": "demo.missing"})).await.unwrap_err();
    let sent = invoke::send(deployment, "PreSignUpFunctionArn", &[], "[]").await.unwrap();
    assert!(sent.is_error, "{}", sent.answer);
}

async fn set(deployment: &Deployment, output: &str, setting: &str, value: &str) {
    let function = deployment.stack.output(output).unwrap();
    deployment.stack.set(&deployment.aws, function, &[(setting.to_owned(), value.to_owned())]).await.unwrap();
}

/// A service that answers every request with this error.
async fn failing_service(code: &str, message: &str) -> String {
    let body = json!({"__type": code, "message": message}).to_string();
    let answer = (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/x-amz-json-1.1")], body);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, Router::new().fallback(async || answer)).await });
    url
}
