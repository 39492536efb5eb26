//! How often a call goes out: a create once, a quota once, throttling and server errors of everything else three times.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use domain::directory::{Directory, Invitation, NewUser};
use domain::retry::ErrorClass;
use domain::user::Attributes;
use domain::user_pool_error::Reason;

use super::{json_error, xml_error};
use crate::CognitoDirectory;
use crate::clients::QuotaIsNotThrottling;
use crate::platform::iam::Iam;

/// Reads a user while every answer is this one. Gives the attempts and the reason.
async fn read(answer: fn() -> HttpResponse) -> (usize, Reason) {
    let rule = mock!(Client::admin_get_user).sequence().http_response(answer).repeatedly().build();
    let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, [&rule], |config| {
        config.retry_config(RetryConfig::standard()).retry_classifier(QuotaIsNotThrottling)
    });
    let error = CognitoDirectory::new(client, "pool").get(&"mia".parse().unwrap()).await.unwrap_err();
    (rule.num_calls(), error.reason)
}

#[tokio::test(start_paused = true)]
async fn reads_are_repeated_where_that_can_help_and_nowhere_else() {
    assert_eq!(read(|| json_error(400, "TooManyRequestsException")).await, (3, Reason::Throttled));
    assert_eq!(read(|| json_error(500, "InternalErrorException")).await, (3, Reason::Unavailable));
    assert_eq!(read(|| json_error(503, "")).await, (3, Reason::Unavailable));
    assert_eq!(read(|| json_error(400, "LimitExceededException")).await, (1, Reason::LimitReached));
    assert_eq!(read(|| json_error(400, "UserNotFoundException")).await, (1, Reason::UserNotFound));
    assert_eq!(read(|| json_error(400, "NotAuthorizedException")).await, (1, Reason::Internal));
    assert_eq!(read(|| json_error(400, "InvalidParameterException")).await, (1, Reason::InvalidRequest));
    assert_eq!(read(|| json_error(400, "AccessDeniedException")).await, (1, Reason::Internal));
}

#[tokio::test(start_paused = true)]
async fn a_create_is_sent_once_whatever_comes_back() {
    let cases: [(fn() -> HttpResponse, Reason); 3] = [
        (|| json_error(500, "InternalErrorException"), Reason::Unavailable),
        (|| json_error(400, "TooManyRequestsException"), Reason::Throttled),
        (|| json_error(400, "UsernameExistsException"), Reason::UserExists),
    ];
    for (answer, expected) in cases {
        let rule = mock!(Client::admin_create_user).sequence().http_response(answer).repeatedly().build();
        let client = mock_client!(aws_sdk_cognitoidentityprovider, RuleMode::MatchAny, [&rule], |config| {
            config.retry_config(RetryConfig::standard())
        });
        let user = NewUser {
            username: "mia".parse().unwrap(),
            attributes: Attributes::new(),
            temporary_password: None,
            invitation: Invitation::Suppress,
        };
        let error = CognitoDirectory::new(client, "pool").create(&user).await.unwrap_err();
        assert_eq!((rule.num_calls(), error.reason), (1, expected));
    }
}

#[tokio::test(start_paused = true)]
async fn iam_creates_are_sent_once_and_its_codes_have_their_classes() {
    let cases: [(fn() -> HttpResponse, ErrorClass); 4] = [
        (|| xml_error(500, "ServiceFailure"), ErrorClass::OutcomeUnknown),
        (|| xml_error(409, "LimitExceeded"), ErrorClass::QuotaExceeded),
        (|| xml_error(409, "EntityAlreadyExists"), ErrorClass::AlreadyExists),
        (|| xml_error(409, "ConcurrentModification"), ErrorClass::ConcurrentModification),
    ];
    for (answer, expected) in cases {
        let rule = mock!(aws_sdk_iam::Client::create_role).sequence().http_response(answer).repeatedly().build();
        let client = mock_client!(aws_sdk_iam, RuleMode::MatchAny, [&rule], |config| {
            config.retry_config(aws_sdk_iam::config::retry::RetryConfig::standard())
        });
        let name = "shop".to_owned().try_into().unwrap();
        let error = Iam::new(client).create_role("role", &serde_json::json!({}), &name).await.unwrap_err();
        assert_eq!((rule.num_calls(), error.class), (1, expected));
    }
}

#[tokio::test(start_paused = true)]
async fn what_iam_does_not_find_is_an_answer_and_no_error() {
    let rule = mock!(aws_sdk_iam::Client::get_role).then_http_response(|| xml_error(404, "NoSuchEntity"));
    let client = mock_client!(aws_sdk_iam, [&rule]);
    assert_eq!(Iam::new(client).role("role").await.unwrap(), None);
}
