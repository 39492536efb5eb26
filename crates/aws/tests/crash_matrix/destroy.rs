//! `destroy`: every call, every fault; and nothing of anybody else is touched.

use std::sync::Arc;
use std::time::Duration;

use testkit::fault_proxy::Hidden;

use super::harness::{Action, Harness, QuickClock, matrix};

#[tokio::test]
async fn an_attachment_that_iam_does_not_show_yet_is_detached_all_the_same() {
    let world = Harness::start().await;
    let case = world.case().await;
    case.proxy.hide(Hidden::Attachment, Duration::from_mins(10));
    for action in [Action::Apply, Action::Destroy] {
        case.run_behind(Arc::new(QuickClock::new()), action).await.unwrap();
    }
    case.assert_empty("at once after the apply").await;
}

#[tokio::test]
async fn after_any_fault_in_any_call_of_destroy_a_second_one_leaves_nothing_and_touches_nothing_else() {
    let world = Harness::start().await;
    let neighbor = world.case().await;
    neighbor.run(Action::Apply).await.unwrap();
    let first = world.case().await;
    first.run(Action::Apply).await.unwrap();
    let calls = first.calls_of(Action::Destroy).await;
    assert!(calls > 12, "only {calls} calls");
    let began = tokio::time::Instant::now();
    let cases = world
        .for_each(matrix(calls), async |planned| {
            let case = world.case().await;
            case.run(Action::Apply).await.unwrap();
            case.run_with(Action::Destroy, &[planned]).await;
            let told = format!("{planned:?} of {:?}", case.operations());
            case.run(Action::Destroy).await.unwrap_or_else(|failure| unreachable!("{told}: {failure}"));
            case.assert_empty(&told).await;
        })
        .await;
    neighbor.assert_converged("the neighbor").await;
    println!("destroy: {cases} cases ({calls} calls) in {:.0} s", began.elapsed().as_secs_f64());
}
