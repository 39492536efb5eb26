//! The race with IAM in real time, through the proxy.

use std::sync::Arc;
use std::time::Duration;

use aws::SystemClock;
use domain::provision::Step;
use testkit::fault_proxy::Hidden;

use super::harness::{Action, Harness};

#[tokio::test]
async fn a_role_that_iam_hides_for_four_seconds_is_waited_for_with_little_waste() {
    let world = Harness::start().await;
    let case = world.case().await.verified();
    case.proxy.hide(Hidden::Role, Duration::from_secs(4));
    let clock = Arc::new(SystemClock::starting_now(Duration::from_mins(2)));
    let receipt = case.run_behind(clock, Action::Apply).await.unwrap();
    let credentials = receipt.steps.iter().find(|report| report.step == Step::Credentials).unwrap();
    let overshoot = case.proxy.visible_since(Hidden::Role).unwrap();
    println!("hidden for 4 s: {} attempts, at most {:.1} s too late", credentials.attempts, overshoot.as_secs_f64());
    // That it is never more than 2.7 s is asserted on a clock that cannot be late; a busy machine only makes attempts
    // fewer.
    assert!((2..=9).contains(&credentials.attempts), "{credentials:?}");
    assert!(receipt.caller_arn.unwrap().ends_with("/CognitoIdentityCredentials"));
}

#[tokio::test]
async fn an_attachment_that_iam_does_not_show_yet_is_waited_for_after_an_apply_and_not_taken_for_wrong() {
    let world = Harness::start().await;
    let case = world.case().await.verified();
    case.proxy.hide(Hidden::Attachment, Duration::from_secs(2));
    case.proxy.hide(Hidden::RoleFromIam, Duration::from_secs(1));
    let clock = Arc::new(SystemClock::starting_now(Duration::from_mins(2)));
    let receipt = case.run_behind(clock, Action::Apply).await.unwrap();
    assert!(receipt.caller_arn.unwrap().ends_with("/CognitoIdentityCredentials"));
}
