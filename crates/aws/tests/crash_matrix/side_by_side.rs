//! Two runs of one spec at the same time, through connections of their own.

use std::sync::Arc;

use super::harness::{Action, Harness, QuickClock};

#[tokio::test]
async fn two_applies_of_one_spec_at_the_same_time_end_with_one_of_everything() {
    let world = Harness::start().await;
    let mut met = 0;
    for round in 0..20 {
        let case = world.case().await;
        let (first, second) = tokio::join!(
            case.run_behind(Arc::new(QuickClock::new()), Action::Apply),
            case.run_behind(Arc::new(QuickClock::new()), Action::Apply)
        );
        let told = format!("round {round}, {:?}", case.operations());
        let [first, second] = [first, second].map(|it| it.unwrap_or_else(|error| unreachable!("{told}: {error}")));
        assert_eq!(first.user_pool_id, second.user_pool_id, "{told}");
        assert_eq!(first.identity_pool_id, second.identity_pool_id, "{told}");
        case.assert_converged(&told).await;
        met += usize::from(case.operations().iter().any(|operation| operation == "DeleteUserPool"));
    }
    assert!(met > 0, "the two never met: the test shows nothing");
}
