//! Tests which users of an old user pool are returned: sign-ins, second factors and failures.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::migration::{Denial, LookupError, OldDirectory as _, OldUser};
use domain::secret::Secret;
use domain::user_pool::user::UserStatus;
use serde_json::{Value, json};

use super::fake_aws::{FakeAws, offline_aws, success};
use super::{json_error, mia, response};
use crate::OldUserPool;

async fn old_pool(fake: &FakeAws) -> OldUserPool {
    offline_aws().await.with_http_client(fake.clone()).old_user_pool("eu-west-1_old", "client-1")
}

/// A pool with these responses or error codes. Its app client has no secret.
fn answering<const N: usize>(answers: [(&'static str, Result<Value, &'static str>); N]) -> FakeAws {
    FakeAws::new(move |operation| {
        Ok(match answers.iter().find(|(name, _)| *name == operation) {
            Some((_, Ok(json))) => response(200, json.to_string()),
            Some((_, Err(code))) => json_error(400, code),
            None => success(operation),
        })
    })
}

/// The response to a sign-in of this user.
fn tokens_of(username: &str) -> Value {
    let payload = URL_SAFE_NO_PAD.encode(json!({"username": username}).to_string());
    let tokens = json!({"AccessToken": format!("e30.{payload}.signature"), "IdToken": "id", "RefreshToken": "refresh"});
    json!({"AuthenticationResult": tokens})
}

fn stored(changes: &Value) -> Value {
    let mut user = json!({
        "Username": "real-mia", "Enabled": true, "UserStatus": "CONFIRMED",
        "UserAttributes": [{"Name": "sub", "Value": "1"}, {"Name": "email", "Value": "mia@example.com"}],
    });
    user.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    user
}

/// Signs in with a password that the pool answers like this.
async fn sign_in(fake: &FakeAws) -> Result<OldUser, LookupError> {
    old_pool(fake).await.sign_in(&mia(), &Secret::new("Correct-Horse-1")).await
}

/// The reason why the user does not move, or `None` if the pool failed.
fn denial(result: Result<OldUser, LookupError>) -> Option<Denial> {
    match result.err().unwrap() {
        LookupError::Denied(denial) => Some(denial),
        LookupError::Unavailable(_) => None,
    }
}

#[tokio::test]
async fn returns_the_user_whose_tokens_the_pool_issued() {
    let client = json!({"UserPoolClient": {"ClientId": "client-1", "ClientSecret": "secret-1"}});
    let fake = answering([
        ("DescribeUserPoolClient", Ok(client)),
        ("AdminInitiateAuth", Ok(tokens_of("real-mia"))),
        ("AdminGetUser", Ok(stored(&json!({})))),
    ]);
    let user = sign_in(&fake).await.ok().unwrap();
    assert_eq!((user.username.as_str(), &user.status, user.enabled), ("real-mia", &UserStatus::Confirmed, true));
    assert!(!user.has_second_factor && user.attributes["email"] == "mia@example.com");
    let sent = fake.sent("AdminInitiateAuth");
    assert_eq!((&sent["AuthFlow"], &sent["UserPoolId"]), (&json!("ADMIN_USER_PASSWORD_AUTH"), &json!("eu-west-1_old")));
    assert!(sent["AuthParameters"]["SECRET_HASH"].is_string(), "{sent}");
    assert_eq!(fake.sent("AdminGetUser")["Username"], "real-mia", "not the entered alias");

    let other = answering([("AdminInitiateAuth", Ok(tokens_of("eve"))), ("AdminGetUser", Ok(stored(&json!({}))))]);
    assert_eq!(denial(sign_in(&other).await), None);
}

#[tokio::test]
async fn denies_users_whom_the_pool_does_not_sign_in() {
    for challenge in ["SOFTWARE_TOKEN_MFA", "NEW_PASSWORD_REQUIRED", "MFA_SETUP", "CUSTOM_CHALLENGE", "NEW_CHALLENGE"] {
        let fake = answering([("AdminInitiateAuth", Ok(json!({"ChallengeName": challenge, "Session": "s"})))]);
        assert_eq!(denial(sign_in(&fake).await), Some(Denial::Challenge), "{challenge}");
        assert_eq!(fake.calls("AdminGetUser"), 0);
    }
    for (code, expected) in [
        ("NotAuthorizedException", Some(Denial::Credentials)),
        ("UserNotFoundException", Some(Denial::Credentials)),
        ("UserNotConfirmedException", Some(Denial::Status)),
        ("PasswordResetRequiredException", Some(Denial::Status)),
        ("InvalidParameterException", None),
        ("ResourceNotFoundException", None),
        ("TooManyRequestsException", None),
        ("InternalErrorException", None),
        ("AccessDeniedException", None),
    ] {
        let fake = answering([("AdminInitiateAuth", Err(code))]);
        assert_eq!(denial(sign_in(&fake).await), expected, "{code}");
    }
}

/// Otherwise, users would receive the response to a wrong password.
#[tokio::test]
async fn faults_of_the_pool_are_no_wrong_passwords() {
    for (code, message, expected) in [
        ("NotAuthorizedException", "Incorrect username or password.", Some(Denial::Credentials)),
        ("NotAuthorizedException", "User is disabled.", Some(Denial::Credentials)),
        ("NotAuthorizedException", "Password attempts exceeded", Some(Denial::Credentials)),
        ("NotAuthorizedException", "Unable to verify secret hash for client client-1", None),
        ("NotAuthorizedException", "Client client-1 is configured with secret but SECRET_HASH was not received", None),
        ("NotAuthorizedException", "Client client-1 is configured for secret but secret was not received", None),
        ("UserLambdaValidationException", "PreAuthentication failed with error no.", None),
        ("UserLambdaValidationException", "UserMigration failed with error no.", None),
    ] {
        let fake = rejecting(code, message);
        assert_eq!(denial(sign_in(&fake).await), expected, "{message}");
    }
}

/// A pool that rejects sign-ins like this.
fn rejecting(code: &'static str, message: &'static str) -> FakeAws {
    FakeAws::new(move |operation| match operation {
        "AdminInitiateAuth" => Ok(response(400, json!({"__type": code, "message": message}).to_string())),
        _ => Ok(success(operation)),
    })
}

#[tokio::test]
async fn error_does_not_contain_the_text_of_a_trigger() {
    let fake = rejecting("UserLambdaValidationException", "PreAuthentication failed with error canary.");
    let Err(error @ LookupError::Unavailable(_)) = sign_in(&fake).await else { unreachable!() };
    let texts = [domain::error_chain::causes(&error), format!("{error:?}")];
    assert!(texts[0].ends_with("a trigger of the old user pool rejected the sign-in"), "{texts:?}");
    assert!(!texts.concat().contains("canary"), "{texts:?}");
}

/// Never responds to one operation.
#[derive(Debug, Clone)]
struct Stalling {
    operation: &'static str,
    fake: FakeAws,
}

impl HttpClient for Stalling {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Stalling {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let is_stalled = request.headers().get("x-amz-target").unwrap().ends_with(self.operation);
        let answer = self.fake.call(request);
        if is_stalled { HttpConnectorFuture::new(std::future::pending()) } else { answer }
    }
}

/// The start of a trigger of the old pool takes seconds.
#[tokio::test(start_paused = true)]
async fn password_check_has_a_longer_timeout_than_a_read() {
    for (operation, attempts, milliseconds) in
        [("AdminInitiateAuth", 1, 3500..3600), ("DescribeUserPoolClient", 2, 3500..3600)]
    {
        let fake = answering([]);
        let stalling = Stalling { operation, fake: fake.clone() };
        let aws = offline_aws().await.with_http_client(stalling);
        let aws = aws.with_timeouts(Duration::from_millis(1800), Duration::from_millis(3500));
        let pool = aws.old_user_pool("eu-west-1_old", "client-1").with_password_timeout(Duration::from_millis(3500));
        let began = tokio::time::Instant::now();
        assert_eq!(denial(pool.sign_in(&mia(), &Secret::new("Correct-Horse-1")).await), None);
        assert_eq!(fake.calls(operation), attempts, "{operation}");
        assert!(milliseconds.contains(&began.elapsed().as_millis()), "{operation}: {:?}", began.elapsed());
    }
}

/// A repeated sign-in could lock the user out of the old pool.
#[tokio::test]
async fn sends_the_password_once_if_the_pool_fails() {
    let fake = answering([("AdminInitiateAuth", Err("InternalErrorException"))]);
    assert_eq!(denial(sign_in(&fake).await), None);
    assert_eq!(fake.calls("AdminInitiateAuth"), 1);
}

#[tokio::test]
async fn finds_users_with_their_second_factors() {
    for (user, mode, expected) in [
        (json!({}), "OFF", false),
        (json!({}), "OPTIONAL", false),
        (json!({}), "ON", true),
        (json!({}), "NEW_MODE", true),
        (json!({"UserMFASettingList": ["SOFTWARE_TOKEN_MFA"]}), "OPTIONAL", true),
        (json!({"UserMFASettingList": ["NEW_FACTOR"]}), "OFF", true),
        (json!({"MFAOptions": [{"DeliveryMedium": "SMS", "AttributeName": "phone_number"}]}), "OPTIONAL", true),
    ] {
        let config = json!({"MfaConfiguration": mode});
        let fake = answering([("AdminGetUser", Ok(stored(&user))), ("GetUserPoolMfaConfig", Ok(config))]);
        let found = old_pool(&fake).await.find(&mia()).await.ok().unwrap();
        assert_eq!(found.has_second_factor, expected, "{mode} {user}");
        assert_eq!(fake.calls("AdminInitiateAuth"), 0);
    }
}

#[tokio::test]
async fn finds_no_user_without_a_complete_answer() {
    let found = ("AdminGetUser", Ok(stored(&json!({}))));
    let optional = ("GetUserPoolMfaConfig", Ok(json!({"MfaConfiguration": "OPTIONAL"})));
    for (answers, expected) in [
        ([("AdminGetUser", Err("UserNotFoundException")), optional.clone()], Some(Denial::Credentials)),
        ([("AdminGetUser", Err("TooManyRequestsException")), optional], None),
        ([found.clone(), ("GetUserPoolMfaConfig", Err("AccessDeniedException"))], None),
        ([found, ("GetUserPoolMfaConfig", Ok(json!({})))], None),
    ] {
        let fake = answering(answers);
        assert_eq!(denial(old_pool(&fake).await.find(&mia()).await), expected);
    }
}
