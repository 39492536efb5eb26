//! Tests of starting and stopping cognito-local, and of its errors.

use std::net::{TcpListener, TcpStream};

use super::*;

const POOL: Pool<'_> = Pool { id: "us-east-1_AbCdEfGhI", client_id: "4h57kcpfsmlqevmm8b7gk0abcd" };

/// A URL without a server.
const NOWHERE: &str = "http://127.0.0.1:9";
/// The ARN of a function that does not exist.
const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:nothing";

async fn started() -> CognitoLocal {
    on_a_free_port(async |port| CognitoLocal::start_on(port, NOWHERE, &[("PreSignUp", FUNCTION)], &[POOL]).await)
        .await
        .unwrap()
}

async fn kind_of_error(cognito: &CognitoLocal, operation: &str, body: &Value) -> String {
    let answer = cognito.call(operation, body).await.unwrap();
    assert_eq!(answer.status, 400, "{}", answer.body);
    answer.error().to_owned()
}

#[tokio::test]
async fn starts_with_given_pools_and_leaves_neither_listener_nor_files() {
    let cognito = started().await;
    let user_in = |pool: &str| json!({"UserPoolId": pool, "Username": "mia"});
    assert_eq!(kind_of_error(&cognito, "AdminGetUser", &user_in(POOL.id)).await, "UserNotFoundException");
    assert_eq!(kind_of_error(&cognito, "AdminGetUser", &user_in("us-east-1_x")).await, "ResourceNotFoundException");
    let address = cognito.url.strip_prefix("http://").unwrap().to_owned();
    let folder = cognito.process.folder().to_owned();
    assert!(TcpStream::connect(&address).is_ok() && folder.is_dir());

    drop(cognito);

    assert!(TcpStream::connect(&address).is_err(), "{address} is closed");
    assert!(!folder.exists(), "{} is gone", folder.display());
}

#[tokio::test]
async fn sign_up_needs_a_known_client_and_a_working_trigger() {
    let cognito = started().await;
    let sign_up = |client: &str| json!({"ClientId": client, "Username": "mia", "Password": "Correct-Horse-1"});
    let kind = kind_of_error(&cognito, "SignUp", &sign_up(POOL.client_id)).await;
    assert_eq!(kind, "UnexpectedLambdaExceptionException");
    assert_eq!(kind_of_error(&cognito, "SignUp", &sign_up("unknown")).await, "ResourceNotFoundException");
}

#[tokio::test]
async fn reports_why_it_does_not_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused =
        CognitoLocal::start_on(port, NOWHERE, &[("PreSignUp", FUNCTION)], &[POOL]).await.err().unwrap().to_string();
    assert!(refused.contains("cognito-local did not start") && refused.contains("EADDRINUSE"), "{refused}");
}
