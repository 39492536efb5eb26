//! Tests every cell of the table in docs/account-status.md on the in-memory pool and on the emulator.

use serde_json::{Value, json};

use crate::harness::{Api, Harness};

const STATUSES: [&str; 4] = ["UNCONFIRMED", "CONFIRMED", "FORCE_CHANGE_PASSWORD", "RESET_REQUIRED"];

const PASSWORD: &str = "Password-of-user-1";

/// Known differences between the emulator and Cognito: operation, status, outcome. If the emulator is fixed, the test
/// fails and the line must be deleted.
const LOCAL_AWS_DEVIATES: &[(&str, &str, &str)] = &[
    // The emulator confirms and resets users in every status.
    ("`POST /v1/users/{username}/confirm`", "FORCE_CHANGE_PASSWORD", "CONFIRMED"),
    ("`POST /v1/users/{username}/confirm`", "RESET_REQUIRED", "CONFIRMED"),
    ("`POST /v1/users/{username}/reset-password`", "UNCONFIRMED", "RESET_REQUIRED"),
    ("`POST /v1/users/{username}/reset-password`", "FORCE_CHANGE_PASSWORD", "RESET_REQUIRED"),
    // The emulator sends an invitation or a code in every status.
    ("`POST /v1/users/{username}/resend-invitation`", "UNCONFIRMED", "UNCONFIRMED"),
    ("`POST /v1/users/{username}/resend-invitation`", "CONFIRMED", "CONFIRMED"),
    ("`POST /v1/users/{username}/resend-invitation`", "RESET_REQUIRED", "RESET_REQUIRED"),
    ("`POST /v1/auth/resend-code`", "CONFIRMED", "CONFIRMED"),
    ("`POST /v1/auth/resend-code`", "FORCE_CHANGE_PASSWORD", "FORCE_CHANGE_PASSWORD"),
    ("`POST /v1/auth/resend-code`", "RESET_REQUIRED", "RESET_REQUIRED"),
    ("`POST /v1/auth/forgot-password`", "UNCONFIRMED", "UNCONFIRMED"),
    ("`POST /v1/auth/forgot-password`", "FORCE_CHANGE_PASSWORD", "FORCE_CHANGE_PASSWORD"),
    (FORGOT_AND_RESET, "UNCONFIRMED", "CONFIRMED"),
    (FORGOT_AND_RESET, "FORCE_CHANGE_PASSWORD", "CONFIRMED"),
    // The emulator checks the status before the password.
    ("`POST /v1/auth/sign-in` with a wrong password", "UNCONFIRMED", "user-not-confirmed"),
];

const FORGOT_AND_RESET: &str = "`POST /v1/auth/forgot-password`, then `reset-password` with the code";

/// A row: an operation, and its outcome for a user in each status.
struct Row {
    operation: String,
    outcomes: Vec<String>,
}

fn table() -> Vec<Row> {
    let document = include_str!("../../../../docs/account-status.md");
    let (_, section) = document.split_once("## Operation × status → status").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut lines = section.lines().filter(|line| line.starts_with('|')).map(cells);
    let heads = lines.next().unwrap();
    assert_eq!(heads[1..], STATUSES.map(|status| format!("`{status}`")));
    lines.skip(1).map(|cells| Row { operation: cells[0].clone(), outcomes: cells[1..].to_vec() }).collect()
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// Creates a user in this status with a verified address and, if the status needs one, the password [`PASSWORD`].
async fn make_user(api: &Api, username: &str, status: &str) {
    let email = format!("{username}@example.com");
    let path = |rest: &str| format!("/v1/users/{username}{rest}");
    if status == "UNCONFIRMED" {
        let body = json!({"username": username, "password": PASSWORD, "attributes": {"email": email}});
        assert_eq!(api.call("POST", "/v1/auth/sign-up", Some(&body)).await.status, 201);
    } else {
        let body = json!({
            "username": username, "attributes": {"email": email, "email_verified": "true"},
            "password": PASSWORD, "permanent": status != "FORCE_CHANGE_PASSWORD"
        });
        let answer = api.call("POST", "/v1/users", Some(&body)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    if status == "RESET_REQUIRED" {
        let answer = api.call("POST", &path("/reset-password"), None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(status_of(api, username).await, status);
}

async fn status_of(api: &Api, username: &str) -> String {
    let answer = api.call("GET", &format!("/v1/users/{username}"), None).await;
    answer.body["status"].as_str().unwrap_or_else(|| unreachable!("{answer:?}")).to_owned()
}

/// Performs the operation. Returns the problem's code, or an empty string.
async fn perform(api: &Api, operation: &str, username: &str) -> String {
    let call = async |method: &str, path: &str, body: Option<Value>| api.call(method, path, body.as_ref()).await;
    let auth = async |route: &str, body: Value| api.call("POST", &format!("/v1/auth/{route}"), Some(&body)).await;
    let sign_in = async |password: &str| auth("sign-in", json!({"username": username, "password": password})).await;
    let answer = match operation {
        "`POST /v1/auth/sign-in` with the right password" => sign_in(PASSWORD).await,
        "`POST /v1/auth/sign-in` with a wrong password" => sign_in("Wrong-Password-1").await,
        "`POST /v1/auth/challenge` with a new password" => {
            let signed_in = sign_in(PASSWORD).await;
            let challenge = &signed_in.body["challenge"];
            if challenge.is_null() {
                signed_in
            } else {
                let body = json!({
                    "challenge": challenge["name"], "username": challenge["username"], "session": challenge["session"],
                    "new_password": "Own-Password-1"
                });
                auth("challenge", body).await
            }
        }
        "`POST /v1/auth/confirm-sign-up` with the code" => {
            auth("confirm-sign-up", json!({"username": username, "code": "123456"})).await
        }
        "`POST /v1/auth/resend-code`" => auth("resend-code", json!({"username": username})).await,
        "`POST /v1/auth/forgot-password`" => auth("forgot-password", json!({"username": username})).await,
        FORGOT_AND_RESET => {
            let requested = auth("forgot-password", json!({"username": username})).await;
            if requested.status >= 400 {
                requested
            } else {
                let body = json!({"username": username, "code": "654321", "new_password": "Own-Password-1"});
                auth("reset-password", body).await
            }
        }
        _ => {
            let (call_text, rest) = operation.strip_prefix('`').unwrap().split_once('`').unwrap();
            let (method, path) = call_text.split_once(' ').unwrap();
            let body = match (method, rest) {
                ("PUT", ", permanent") => Some(json!({"password": "New-Password-1", "permanent": true})),
                ("PUT", ", temporary") => Some(json!({"password": "New-Password-1", "permanent": false})),
                ("PATCH", "") => Some(json!({"attributes": {"name": "Somebody"}})),
                ("POST", "") => None,
                _ => unreachable!("add a request for {operation}"),
            };
            call(method, &path.replace("{username}", username), body).await
        }
    };
    assert!(answer.status < 500, "{operation}: {answer:?}");
    answer.code().to_owned()
}

/// The outcome of the operation for a new user in this status, in the format of the table.
async fn outcome(api: &Api, operation: &str, status: &str, username: &str) -> String {
    make_user(api, username, status).await;
    let code = perform(api, operation, username).await;
    let after = status_of(api, username).await;
    if code.is_empty() {
        return after;
    }
    assert_eq!(after, status, "{operation} is refused in {status}, and changes it");
    code
}

#[tokio::test]
async fn in_memory_pool_matches_the_table() {
    for row in table() {
        for (status, expected) in STATUSES.into_iter().zip(&row.outcomes) {
            let (api, _) = Harness::api_in_memory();
            assert_eq!(&outcome(&api, &row.operation, status, "user").await, expected, "{} in {status}", row.operation);
        }
    }
}

#[tokio::test]
async fn emulator_matches_the_table() {
    let harness = Harness::start().await;
    let api = harness.api().await;
    let mut wrong = Vec::new();
    for (number, row) in table().into_iter().enumerate() {
        for (status, expected) in STATUSES.into_iter().zip(&row.outcomes) {
            let username = format!("user-{number}-{}", status.to_lowercase().replace('_', "-"));
            let found = outcome(&api, &row.operation, status, &username).await;
            let known =
                LOCAL_AWS_DEVIATES.iter().find(|(operation, of, _)| *operation == row.operation && *of == status);
            let expected = known.map_or(expected.as_str(), |(.., found)| found);
            if found != expected {
                wrong.push(format!("{} in {status}: {found} and not {expected}", row.operation));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
