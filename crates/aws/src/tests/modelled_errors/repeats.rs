//! Tests how often the SDK sends each call of the admin API while AWS fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_config::Region;

use super::super::fake_aws::{Answer, FakeAws, offline_aws, success};
use super::Fault;
use super::calls::{CALLS, Call, Port};
use super::ports::Ports;
use crate::Aws;

/// Operations that are not idempotent. A second request would fail, create another resource or send another message.
const SENT_ONCE: [&str; 27] = [
    "AdminCreateUser",
    "AdminDeleteUser",
    "AdminDisableProviderForUser",
    "AdminForgetDevice",
    // Sends codes of a second factor.
    "AdminInitiateAuth",
    "AdminLinkProviderForUser",
    "AdminResetUserPassword",
    "AdminRespondToAuthChallenge",
    // A pool with a password history rejects the same password.
    "AdminSetUserPassword",
    // Sends a code to a new address.
    "AdminUpdateUserAttributes",
    "AssociateSoftwareToken",
    // A second request has the wrong current password.
    "ChangePassword",
    "ConfirmForgotPassword",
    "ConfirmSignUp",
    "CreateGroup",
    "CreateUserImportJob",
    "DeleteGroup",
    "DeleteUser",
    "ForgotPassword",
    "GetTokensFromRefreshToken",
    "GetUserAttributeVerificationCode",
    "GlobalSignOut",
    "ResendConfirmationCode",
    "SignUp",
    "StartUserImportJob",
    "VerifySoftwareToken",
    "VerifyUserAttribute",
];

fn throttling() -> Fault {
    Fault::Code { code: "TooManyRequestsException".to_owned(), message: "Rate exceeded" }
}

fn user_calls() -> impl Iterator<Item = Call> {
    CALLS.into_iter().filter(|call| call.port == Port::Users)
}

/// Makes the call while its operation returns `answer`. Returns how often the operation was sent.
async fn times_sent(aws: &Aws, call: Call, answer: impl Fn() -> Answer + Send + Sync + 'static) -> usize {
    let fake =
        FakeAws::new(move |operation| if operation == call.operation { answer() } else { Ok(success(operation)) });
    // The SDK limits the total number of retries per region.
    let config = aws.config.to_builder().region(Region::new(call.operation)).build();
    let ports = Ports::of(&Aws::from(config).with_http_client(fake.clone()));
    assert!(ports.call(&call).await.is_err(), "{call:?}");
    fake.calls(call.operation)
}

#[tokio::test(start_paused = true)]
async fn retries_unknown_outcomes_only_if_harmless() {
    let aws = offline_aws().await;
    for call in user_calls() {
        let expected = if SENT_ONCE.contains(&call.operation) { 1 } else { 3 };
        for fault in [Fault::Status(500), Fault::Status(503), Fault::BrokenConnection, Fault::Timeout] {
            let failing = fault.clone();
            let sent = times_sent(&aws, call, move || failing.answer(&call)).await;
            assert_eq!(sent, expected, "{}: {fault:?}", call.operation);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn always_retries_throttled_calls() {
    let aws = offline_aws().await;
    for call in user_calls() {
        let sent = times_sent(&aws, call, move || throttling().answer(&call)).await;
        assert_eq!(sent, 3, "{}", call.operation);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_response_after_throttling_ends_the_retries() {
    let aws = offline_aws().await;
    for call in user_calls().filter(|call| SENT_ONCE.contains(&call.operation)) {
        let before = Arc::new(AtomicUsize::new(0));
        let answer = move || match before.fetch_add(1, Ordering::Relaxed) {
            0 => throttling().answer(&call),
            _ => Fault::BrokenConnection.answer(&call),
        };
        assert_eq!(times_sent(&aws, call, answer).await, 2, "{}", call.operation);
    }
}

#[test]
fn sent_once_contains_only_called_operations() {
    for operation in SENT_ONCE {
        assert!(user_calls().any(|call| call.operation == operation), "{operation}");
    }
}
