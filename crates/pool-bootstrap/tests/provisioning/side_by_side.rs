//! Two runs at the same time, their calls shuffled by seeds: they end with one of everything.

use domain::provision::{Deployment, STACK_TAG};

use super::*;

const SEEDS: u64 = 300;

fn shuffled(seed: u64) -> World {
    let world = World::with_clock(&VirtualClock::with_time(ENOUGH).with_jitter(seed));
    world.platform.shuffle(seed);
    world
}

#[tokio::test]
async fn two_applies_of_one_spec_end_with_one_of_everything_and_the_same_ids() {
    let mut withdrawn = 0;
    for seed in 0..SEEDS {
        let world = shuffled(seed);
        let (first, second) = tokio::join!(world.apply(shop()), world.apply(shop()));
        let case = format!("seed {seed}");
        let [first, second] = [first, second].map(|it| it.unwrap_or_else(|error| unreachable!("{case}: {error}")));
        let ids = |receipt: &Receipt| {
            let Receipt { user_pool_id, backend_client_id, web_client_id, identity_pool_id, role_arn, .. } = receipt;
            [user_pool_id, backend_client_id, web_client_id, identity_pool_id, role_arn].map(Clone::clone)
        };
        assert_eq!(ids(&first), ids(&second), "{case}");
        world.assert_converged(&case).await;
        withdrawn += usize::from(world.platform.calls().contains(&"delete_user_pool"));
    }
    assert!(withdrawn > 0, "the two never met: the test shows nothing");
}

/// The one with the older date may be the one that is listed later: then the other has seen itself alone, and stays.
#[tokio::test]
async fn two_applies_end_with_one_of_everything_also_where_lists_lag() {
    let mut adopted = 0;
    for seed in 0..SEEDS {
        let world = shuffled(seed);
        world.platform.lists_lag(Duration::from_secs(3));
        let (first, second) = tokio::join!(world.apply(shop()), world.apply(shop()));
        let case = format!("seed {seed}");
        let [first, second] = [first, second].map(|it| it.unwrap_or_else(|error| unreachable!("{case}: {error}")));
        assert_eq!(first.user_pool_id, second.user_pool_id, "{case}");
        assert_eq!(first.identity_pool_id, second.identity_pool_id, "{case}");
        world.clock.sleep(Duration::from_secs(3)).await;
        world.assert_converged(&case).await;
        adopted += usize::from(report(&first, Step::UserPool).outcome == Outcome::Adopted);
    }
    assert!(adopted > 0, "the first one never had to go: the test shows nothing");
}

#[tokio::test]
async fn a_protected_pool_is_withdrawn_as_well() {
    let spec = with(&json!({"deletion_protection": true, "on_delete": "retain"}));
    for seed in 0..SEEDS {
        let world = shuffled(seed);
        let (first, second) = tokio::join!(world.apply(spec.clone()), world.apply(spec.clone()));
        assert_eq!(first.unwrap().user_pool_id, second.unwrap().user_pool_id, "seed {seed}");
        let state = world.platform.state();
        assert_eq!(state.user_pools.len(), 1, "seed {seed}");
        assert!(state.user_pools[0].thing.state.deletion_protection, "seed {seed}");
    }
}

#[tokio::test]
async fn a_destroy_during_an_apply_leaves_what_another_run_of_either_sets_right() {
    for seed in 0..SEEDS {
        let world = shuffled(seed);
        let (_, destroyed) = tokio::join!(world.apply(shop()), world.run(Action::Destroy, shop()));
        let case = format!("seed {seed}");
        destroyed.unwrap_or_else(|error| unreachable!("{case}: {error}"));
        if seed % 2 == 0 {
            world.apply(shop()).await.unwrap_or_else(|error| unreachable!("{case}: {error}"));
            world.assert_converged(&case).await;
        } else {
            world.run(Action::Destroy, shop()).await.unwrap_or_else(|error| unreachable!("{case}: {error}"));
            world.assert_empty(&case);
        }
    }
}

/// Applies for a stack with this value of `AutoConfirm`.
async fn apply_for(world: &World, stack_id: &str, auto_confirm: &str) -> Result<Receipt, ProvisionFailure> {
    let seen = Seen::default();
    let provisioner = Provisioner {
        deployment: Some(Deployment {
            stack_id: stack_id.to_owned(),
            sign_up_policy: Some(serde_json::from_value(json!({"AutoConfirm": auto_confirm})).unwrap()),
            confirms_wider_sign_up: false,
        }),
        ..Provisioner::new(&world.platform, Arc::new(world.clock.clone()), &seen)
    };
    provisioner.apply(&serde_json::from_value(with(&json!({"verify": false}))).unwrap()).await
}

/// The other stack creates its pool after this one has looked and before this one creates its own.
#[tokio::test]
async fn a_closed_pool_of_another_run_is_not_adopted_with_a_wider_policy() {
    let mut refused_after_its_own_create = 0;
    for seed in 0..SEEDS {
        let world = shuffled(seed);
        let (open, closed) = tokio::join!(apply_for(&world, "open", "everyone"), apply_for(&world, "closed", "nobody"));
        let case = format!("seed {seed}");
        closed.unwrap_or_else(|error| unreachable!("{case}: {error}"));
        let is_of_the_closed_one = world.platform.state().user_pools[0].thing.tags[STACK_TAG] == "closed";
        let is_refused = open.is_err_and(|failure| matches!(failure.error, ProvisionError::WiderSignUp { .. }));
        assert_eq!(is_refused, is_of_the_closed_one, "{case}");
        refused_after_its_own_create += usize::from(is_refused && world.platform.calls().contains(&"delete_user_pool"));
    }
    assert!(refused_after_its_own_create > 0, "the two never met: the test shows nothing");
}
