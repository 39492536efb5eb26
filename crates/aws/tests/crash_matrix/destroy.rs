//! Injects every fault into every call of `destroy`, and checks that the resources of other pools are unchanged.

use std::sync::Arc;
use std::time::Duration;

use testkit::fault_proxy::Hidden;

use super::harness::{Action, Harness, QuickClock, matrix};

#[tokio::test]
async fn detaches_a_policy_that_iam_does_not_list_yet() {
    let harness = Harness::start().await;
    let case = harness.case().await;
    case.proxy.hide(Hidden::Attachment, Duration::from_mins(10));
    for action in [Action::Apply, Action::Destroy] {
        case.run_behind(Arc::new(QuickClock::new()), action).await.unwrap();
    }
    case.assert_empty("directly after apply").await;
}

#[tokio::test]
async fn a_second_destroy_deletes_only_own_resources_after_any_fault() {
    let harness = Harness::start().await;
    let other = harness.case().await;
    other.run(Action::Apply).await.unwrap();
    let first = harness.case().await;
    first.run(Action::Apply).await.unwrap();
    let calls = first.calls_of(Action::Destroy).await;
    assert!(calls > 12, "only {calls} calls");
    let began = tokio::time::Instant::now();
    let cases = harness
        .for_each(matrix(calls), async |planned| {
            let case = harness.case().await;
            case.run(Action::Apply).await.unwrap();
            case.run_with(Action::Destroy, &[planned]).await;
            let context = format!("{planned:?} of {:?}", case.operations());
            case.run(Action::Destroy).await.unwrap_or_else(|failure| unreachable!("{context}: {failure}"));
            case.assert_empty(&context).await;
        })
        .await;
    other.assert_converged("other pool").await;
    println!("destroy: {cases} cases ({calls} calls) in {:.0} s", began.elapsed().as_secs_f64());
}
