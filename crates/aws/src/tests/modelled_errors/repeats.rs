//! Every call of the admin API while AWS fails: how often the SDK sends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_config::Region;

use super::super::fake_aws::{Answer, FakeAws, offline_aws, success};
use super::Fault;
use super::calls::{CALLS, Call, Port, Ports};
use crate::Aws;

/// What is made, deleted, used up or sent by the first request is refused, or made or sent again, by a second one.
const SENT_ONCE: [&str; 23] = [
    "AdminCreateUser",
    "AdminDeleteUser",
    "AdminDisableProviderForUser",
    "AdminForgetDevice",
    // Codes of a second factor go out.
    "AdminInitiateAuth",
    "AdminLinkProviderForUser",
    "AdminResetUserPassword",
    "AdminRespondToAuthChallenge",
    // Where old passwords are remembered, the same one again is refused.
    "AdminSetUserPassword",
    // A code for a new address goes out.
    "AdminUpdateUserAttributes",
    "AssociateSoftwareToken",
    "ConfirmForgotPassword",
    "ConfirmSignUp",
    "CreateGroup",
    "DeleteGroup",
    "ForgotPassword",
    "GetTokensFromRefreshToken",
    "GetUserAttributeVerificationCode",
    "GlobalSignOut",
    "ResendConfirmationCode",
    "SignUp",
    "VerifySoftwareToken",
    "VerifyUserAttribute",
];

fn throttling() -> Fault {
    Fault::Code { code: "TooManyRequestsException".to_owned(), message: "Rate exceeded" }
}

fn calls_of_users() -> impl Iterator<Item = Call> {
    CALLS.into_iter().filter(|call| call.port == Port::Users)
}

/// Makes the call while its operation answers this. Gives how often the operation was sent.
async fn times_sent(aws: &Aws, call: Call, answer: impl Fn() -> Answer + Send + Sync + 'static) -> usize {
    let fake =
        FakeAws::new(move |operation| if operation == call.operation { answer() } else { Ok(success(operation)) });
    // What the SDK may repeat in all is limited per region.
    let config = aws.config.to_builder().region(Region::new(call.operation)).build();
    let ports = Ports::of(&Aws { config }.with_http_client(fake.clone()));
    assert!(ports.make(&call).await.is_err(), "{call:?}");
    fake.calls(call.operation)
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_done_is_repeated_only_where_that_does_no_harm() {
    let aws = offline_aws().await;
    for call in calls_of_users() {
        let expected = if SENT_ONCE.contains(&call.operation) { 1 } else { 3 };
        for fault in [Fault::Status(500), Fault::Status(503), Fault::BrokenConnection, Fault::Timeout] {
            let failing = fault.clone();
            let sent = times_sent(&aws, call, move || failing.answer(&call)).await;
            assert_eq!(sent, expected, "{}: {fault:?}", call.operation);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_throttled_is_always_repeated() {
    let aws = offline_aws().await;
    for call in calls_of_users() {
        let sent = times_sent(&aws, call, move || throttling().answer(&call)).await;
        assert_eq!(sent, 3, "{}", call.operation);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_after_throttling_ends_the_repeats() {
    let aws = offline_aws().await;
    for call in calls_of_users().filter(|call| SENT_ONCE.contains(&call.operation)) {
        let before = Arc::new(AtomicUsize::new(0));
        let answer = move || match before.fetch_add(1, Ordering::Relaxed) {
            0 => throttling().answer(&call),
            _ => Fault::BrokenConnection.answer(&call),
        };
        assert_eq!(times_sent(&aws, call, answer).await, 2, "{}", call.operation);
    }
}

#[test]
fn the_table_holds_nothing_that_is_not_called() {
    for operation in SENT_ONCE {
        assert!(calls_of_users().any(|call| call.operation == operation), "{operation}");
    }
}
