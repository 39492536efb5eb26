//! Concurrent runs with shuffled calls converge to one of each resource.

use domain::provision::{Deployment, STACK_TAG};

use super::*;

const SEEDS: u64 = 300;

fn shuffled(seed: u64) -> Harness {
    let harness = Harness::with_clock(&VirtualClock::with_time(TIME).with_jitter(seed));
    harness.platform.shuffle(seed);
    harness
}

#[tokio::test]
async fn concurrent_applies_converge_to_the_same_ids() {
    let mut deleted = 0;
    for seed in 0..SEEDS {
        let harness = shuffled(seed);
        let (first, second) = tokio::join!(harness.apply(shop()), harness.apply(shop()));
        let case = format!("seed {seed}");
        let [first, second] = [first, second].map(|it| it.unwrap_or_else(|error| unreachable!("{case}: {error}")));
        let ids = |receipt: &Receipt| {
            let Receipt { user_pool_id, backend_client_id, web_client_id, identity_pool_id, role_arn, .. } = receipt;
            [user_pool_id, backend_client_id, web_client_id, identity_pool_id, role_arn].map(Clone::clone)
        };
        assert_eq!(ids(&first), ids(&second), "{case}");
        harness.assert_converged(&case).await;
        deleted += usize::from(harness.platform.calls().contains(&"delete_user_pool"));
    }
    assert!(deleted > 0, "the runs never collided");
}

/// The older pool may be listed later. Then the other run finds its pool alone and keeps it.
#[tokio::test]
async fn concurrent_applies_converge_if_lists_lag() {
    let mut adopted = 0;
    for seed in 0..SEEDS {
        let harness = shuffled(seed);
        harness.platform.lists_lag(Duration::from_secs(3));
        let (first, second) = tokio::join!(harness.apply(shop()), harness.apply(shop()));
        let case = format!("seed {seed}");
        let [first, second] = [first, second].map(|it| it.unwrap_or_else(|error| unreachable!("{case}: {error}")));
        assert_eq!(first.user_pool_id, second.user_pool_id, "{case}");
        assert_eq!(first.identity_pool_id, second.identity_pool_id, "{case}");
        harness.clock.sleep(Duration::from_secs(3)).await;
        harness.assert_converged(&case).await;
        adopted += usize::from(report(&first, Step::UserPool).outcome == Outcome::Adopted);
    }
    assert!(adopted > 0, "the first run never deleted its pool");
}

#[tokio::test]
async fn deletes_its_duplicate_of_a_protected_pool() {
    let spec = with(&json!({"deletion_protection": true, "on_delete": "retain"}));
    for seed in 0..SEEDS {
        let harness = shuffled(seed);
        let (first, second) = tokio::join!(harness.apply(spec.clone()), harness.apply(spec.clone()));
        assert_eq!(first.unwrap().user_pool_id, second.unwrap().user_pool_id, "seed {seed}");
        let state = harness.platform.state();
        assert_eq!(state.user_pools.len(), 1, "seed {seed}");
        assert!(state.user_pools[0].thing.state.deletion_protection, "seed {seed}");
    }
}

#[tokio::test]
async fn another_run_converges_after_a_destroy_during_an_apply() {
    for seed in 0..SEEDS {
        let harness = shuffled(seed);
        let (_, destroyed) = tokio::join!(harness.apply(shop()), harness.run(Action::Destroy, shop()));
        let case = format!("seed {seed}");
        destroyed.unwrap_or_else(|error| unreachable!("{case}: {error}"));
        if seed % 2 == 0 {
            harness.apply(shop()).await.unwrap_or_else(|error| unreachable!("{case}: {error}"));
            harness.assert_converged(&case).await;
        } else {
            harness.run(Action::Destroy, shop()).await.unwrap_or_else(|error| unreachable!("{case}: {error}"));
            harness.assert_empty(&case);
        }
    }
}

/// Applies for a stack with this value of `AutoConfirm`.
async fn apply_for(harness: &Harness, stack_id: &str, auto_confirm: &str) -> Result<Receipt, ProvisionFailure> {
    let recorded = RecordedSteps::default();
    let provisioner = Provisioner {
        deployment: Some(Deployment {
            stack_id: stack_id.to_owned(),
            sign_up_policy: Some(serde_json::from_value(json!({"AutoConfirm": auto_confirm})).unwrap()),
            confirms_wider_sign_up: false,
        }),
        ..Provisioner::new(&harness.platform, Arc::new(harness.clock.clone()), &recorded)
    };
    provisioner.apply(&serde_json::from_value(unverified()).unwrap()).await
}

/// The other stack creates its pool between this stack's discovery and creation.
#[tokio::test]
async fn does_not_adopt_a_concurrent_pool_with_a_wider_policy() {
    let mut rejected_after_create = 0;
    for seed in 0..SEEDS {
        let harness = shuffled(seed);
        let (open, closed) =
            tokio::join!(apply_for(&harness, "open", "everyone"), apply_for(&harness, "closed", "nobody"));
        let case = format!("seed {seed}");
        closed.unwrap_or_else(|error| unreachable!("{case}: {error}"));
        let is_closed_pool = harness.platform.state().user_pools[0].thing.tags[STACK_TAG] == "closed";
        let is_rejected = open.is_err_and(|failure| matches!(failure.error, ProvisionError::WiderSignUp { .. }));
        assert_eq!(is_rejected, is_closed_pool, "{case}");
        rejected_after_create += usize::from(is_rejected && harness.platform.calls().contains(&"delete_user_pool"));
    }
    assert!(rejected_after_create > 0, "the runs never collided");
}
