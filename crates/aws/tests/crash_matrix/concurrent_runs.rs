//! Applies one spec twice at the same time, over separate connections.

use std::sync::Arc;

use super::harness::{Action, Harness, QuickClock};

#[tokio::test]
async fn concurrent_applies_end_with_each_resource_once() {
    let harness = Harness::start().await;
    let mut overlaps = 0;
    for round in 0..20 {
        let case = harness.case().await;
        let (first, second) = tokio::join!(
            case.run_behind(Arc::new(QuickClock::new()), Action::Apply),
            case.run_behind(Arc::new(QuickClock::new()), Action::Apply)
        );
        let context = format!("round {round}, {:?}", case.operations());
        let [first, second] = [first, second].map(|it| it.unwrap_or_else(|error| unreachable!("{context}: {error}")));
        assert_eq!(first.user_pool_id, second.user_pool_id, "{context}");
        assert_eq!(first.identity_pool_id, second.identity_pool_id, "{context}");
        case.assert_converged(&context).await;
        overlaps += usize::from(case.operations().iter().any(|operation| operation == "DeleteUserPool"));
    }
    assert!(overlaps > 0, "the runs never overlapped, so the test proves nothing");
}
