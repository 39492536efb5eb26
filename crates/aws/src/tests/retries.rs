//! Tests how often the SDK sends a call. Provisioning sends each call once. The admin API sends a call three times
//! after throttling, and once after a quota error. `modelled_errors/repeats.rs` covers server errors and broken
//! connections.

use std::time::Duration;

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use domain::platform::{Platform, TemporaryCredentials};
use domain::secret::Secret;
use domain::user_pool::directory::{Directory, NewUser, WelcomeMessage};
use domain::user_pool::error::Reason;
use domain::user_pool::sessions::{ClientContext, Credentials, Sessions};
use domain::user_pool::user::Attributes;

use super::fake_aws::{FakeAws, SilentAws, offline_aws};
use super::{json_error, response, xml_error};
use crate::CognitoDirectory;
use crate::clients::QuotaIsNotThrottling;
use crate::platform::iam::Iam;

fn credentials() -> Credentials {
    let (username, password) = ("mia".parse().unwrap(), Secret::new("x"));
    Credentials { username, password, context: ClientContext::default() }
}

/// Reads a user while Cognito returns `answer`. Returns the number of attempts and the reason.
async fn read(answer: fn() -> HttpResponse) -> (usize, Reason) {
    let rule = mock!(Client::admin_get_user).sequence().http_response(answer).repeatedly().build();
    let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, [&rule], |config| {
        config.retry_config(RetryConfig::standard()).retry_classifier(QuotaIsNotThrottling)
    });
    let error = CognitoDirectory::new(client, "pool").get(&"mia".parse().unwrap()).await.unwrap_err();
    (rule.num_calls(), error.reason)
}

#[tokio::test(start_paused = true)]
async fn retries_reads_only_if_that_can_help() {
    assert_eq!(read(|| json_error(400, "TooManyRequestsException")).await, (3, Reason::Throttled));
    assert_eq!(read(|| json_error(500, "InternalErrorException")).await, (3, Reason::Unavailable));
    assert_eq!(read(|| json_error(503, "")).await, (3, Reason::Unavailable));
    assert_eq!(read(|| json_error(400, "LimitExceededException")).await, (1, Reason::LimitReached));
    assert_eq!(read(|| json_error(400, "UserNotFoundException")).await, (1, Reason::UserNotFound));
    assert_eq!(read(|| json_error(400, "NotAuthorizedException")).await, (1, Reason::Internal));
    assert_eq!(read(|| json_error(400, "InvalidParameterException")).await, (1, Reason::InvalidRequest));
    assert_eq!(read(|| json_error(400, "AccessDeniedException")).await, (1, Reason::PermissionMissing));
}

#[tokio::test(start_paused = true)]
async fn retries_a_create_only_if_it_was_throttled() {
    for (status, code, times, expected) in [
        (500, "InternalErrorException", 1, Reason::Unavailable),
        (400, "TooManyRequestsException", 3, Reason::Throttled),
        (400, "UsernameExistsException", 1, Reason::UserExists),
    ] {
        let answer = move || json_error(status, code);
        let rule = mock!(Client::admin_create_user).sequence().http_response(answer).repeatedly().build();
        let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, [&rule], |config| {
            config.retry_config(RetryConfig::standard())
        });
        let user = NewUser {
            username: "mia".parse().unwrap(),
            attributes: Attributes::new(),
            temporary_password: None,
            welcome_message: WelcomeMessage::Suppress,
        };
        let error = CognitoDirectory::new(client, "pool").create(&user).await.unwrap_err();
        assert_eq!((rule.num_calls(), error.reason), (times, expected));
    }
}

/// Returns a fake AWS that responds to every request with this status and an empty body.
fn failing(status: u16) -> FakeAws {
    FakeAws::new(move |_| Ok(response(status, "")))
}

#[tokio::test(start_paused = true)]
async fn resend_invitation_is_sent_once() {
    let fake = failing(503);
    let pool = offline_aws().await.with_http_client(fake.clone()).directory("pool");
    assert!(pool.resend_invitation(&"mia".parse().unwrap(), &Attributes::new()).await.is_err());
    assert_eq!(fake.calls("AdminCreateUser"), 1);
}

#[tokio::test(start_paused = true)]
async fn provisioning_sends_every_call_once() {
    let fake = failing(503);
    let aws = offline_aws().await.with_http_client(fake.clone()).platform();
    let shop = "shop".to_owned().try_into().unwrap();
    let mia = "mia".parse().unwrap();
    assert!(aws.create_role("role", &serde_json::json!({}), &shop, None).await.is_err());
    assert!(aws.create_group("pool", "admins").await.is_err());
    assert!(aws.identity_pools(&shop).await.is_err());
    let mias = TemporaryCredentials {
        access_key_id: "key-2".to_owned(),
        secret_access_key: Secret::new("x"),
        session_token: Secret::new("x"),
    };
    assert!(aws.caller_arn(&mias).await.is_err());
    assert!(aws.directory("pool").get(&mia).await.is_err());
    assert!(aws.sessions("pool", "client").sign_in(&credentials()).await.is_err());
    let called = ["CreateRole", "CreateGroup", "ListIdentityPools", "GetCallerIdentity", "AdminGetUser"];
    for operation in called.into_iter().chain(["DescribeUserPoolClient"]) {
        assert_eq!(fake.calls(operation), 1, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_sdk_retries_reads_of_the_admin_api() {
    let fake = failing(503);
    let aws = offline_aws().await.with_http_client(fake.clone());
    let mia = "mia".parse().unwrap();
    assert!(aws.directory("pool").get(&mia).await.is_err());
    assert!(aws.sessions("pool", "client").sign_in(&credentials()).await.is_err());
    assert_eq!((fake.calls("AdminGetUser"), fake.calls("DescribeUserPoolClient")), (3, 3));

    let fake = FakeAws::new(|_| Ok(json_error(400, "LimitExceededException")));
    assert!(offline_aws().await.with_http_client(fake.clone()).directory("pool").get(&mia).await.is_err());
    assert_eq!(fake.calls("AdminGetUser"), 1, "quotas are not retried");
}

#[tokio::test(start_paused = true)]
async fn attempts_and_calls_end_at_their_timeouts() {
    let aws = offline_aws()
        .await
        .with_http_client(SilentAws)
        .with_timeouts(Duration::from_secs(1), Duration::from_millis(2500));
    let mia = "mia".parse().unwrap();
    let began = tokio::time::Instant::now();
    let error = aws.platform().directory("pool").get(&mia).await.unwrap_err();
    assert_eq!((error.reason, began.elapsed().as_secs()), (Reason::DeadlineExceeded, 1));

    let began = tokio::time::Instant::now();
    let error = aws.directory("pool").get(&mia).await.unwrap_err();
    assert_eq!(error.reason, Reason::DeadlineExceeded);
    assert!(began.elapsed() < Duration::from_secs(3), "with its retries: {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_missing_role_is_none() {
    let rule = mock!(aws_sdk_iam::Client::get_role).then_http_response(|| xml_error(404, "NoSuchEntity"));
    let client = mock_client!(aws_sdk_iam, [&rule]);
    assert_eq!(Iam::new(client).role("role").await.unwrap(), None);
}
