//! `destroy`: what is taken away, and what is left.

use super::*;

#[tokio::test]
async fn a_role_that_iam_still_takes_for_attached_is_deleted_a_little_later() {
    let world = World::new();
    world.apply(shop()).await.unwrap();
    world.platform.fail("delete_role", 1, Fault::NotDone(ErrorClass::Conflict));
    world.platform.fail("delete_policy", 1, Fault::NotDone(ErrorClass::Conflict));
    let receipt = world.run(Action::Destroy, shop()).await.unwrap();
    for step in [Step::Role, Step::Policy] {
        assert_eq!((report(&receipt, step).outcome, report(&receipt, step).attempts), (Outcome::Deleted, 2));
    }
}

#[tokio::test]
async fn destroy_takes_away_everything_of_ours_and_nothing_else() {
    let world = World::new();
    world.apply(shop()).await.unwrap();
    world.apply(with(&json!({"name": "other"}))).await.unwrap();
    let receipt = world.run(Action::Destroy, shop()).await.unwrap();
    let steps = [Step::IdentityPool, Step::Role, Step::Policy, Step::UserPool];
    assert_eq!(outcomes(&receipt), steps.map(|step| (step, Outcome::Deleted)));

    let state = world.platform.state();
    let left = |names: Vec<&str>| assert_eq!(names.len(), 1, "{names:?}");
    left(state.user_pools.iter().map(|pool| pool.name.as_str()).collect());
    left(state.identity_pools.iter().map(|pool| pool.name.as_str()).collect());
    left(state.policies.keys().map(String::as_str).collect());
    left(state.roles.keys().map(String::as_str).collect());
    assert_eq!(state.user_pools[0].name, "other");
}

#[tokio::test]
async fn a_policy_of_others_on_our_role_is_not_taken_from_it() {
    let world = World::new();
    world.apply(shop()).await.unwrap();
    let foreign = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    let role = "poolkeeper.shop.eu-west-1";
    world.platform.state().roles.get_mut(role).unwrap().policies.insert(foreign.to_owned());
    let receipt = world.run(Action::Destroy, shop()).await.unwrap();
    let left = report(&receipt, Step::Role);
    assert!(left.outcome == Outcome::Retained && left.detail.as_ref().unwrap().contains(foreign), "{left:?}");
    assert_eq!(report(&receipt, Step::Policy).outcome, Outcome::Retained);
    assert_eq!(world.platform.state().roles[role].policies.len(), 2, "as it was");

    world.platform.state().roles.get_mut(role).unwrap().policies.remove(foreign);
    let receipt = world.run(Action::Destroy, shop()).await.unwrap();
    assert_eq!(report(&receipt, Step::Role).outcome, Outcome::Deleted);
    world.assert_empty("after the foreign policy has gone");
}

#[tokio::test]
async fn a_conflict_that_there_is_no_time_to_wait_out_is_a_failure_and_no_reason_to_leave_things() {
    let clock = VirtualClock::with_time(Duration::from_secs(20));
    let world = World { platform: InMemoryPlatform::new(&clock, Duration::ZERO), clock };
    world.apply(with(&json!({"verify": false}))).await.unwrap();
    (1..100).for_each(|nth| world.platform.fail("delete_role", nth, Fault::NotDone(ErrorClass::Conflict)));
    let failure = world.run(Action::Destroy, shop()).await.unwrap_err();
    assert_eq!(report(&failure.receipt, Step::Role).outcome, Outcome::Failed);
    assert_eq!(world.platform.state().user_pools.len(), 1, "the users stay until the rest has gone");
}

#[tokio::test]
async fn destroy_of_what_is_gone_succeeds() {
    let world = World::new();
    let receipt = world.run(Action::Destroy, shop()).await.unwrap();
    assert!(receipt.steps.iter().all(|report| report.outcome == Outcome::Absent), "{receipt:?}");
    assert_eq!(world.platform.writes(), Vec::<&str>::new());
}

#[tokio::test]
async fn destroy_leaves_what_is_to_be_retained_or_protected_and_says_why() {
    let table =
        [(json!({"on_delete": "retain"}), "`retain`"), (json!({"deletion_protection": true}), "deletion protection")];
    for (changes, reason) in table {
        let world = World::new();
        world.apply(with(&changes)).await.unwrap();
        let writes = world.platform.writes();
        let receipt = world.run(Action::Destroy, with(&changes)).await.unwrap();
        assert_eq!(world.platform.writes(), writes, "{changes}");
        for report in &receipt.steps {
            assert_eq!(report.outcome, Outcome::Retained, "{changes}");
            assert!(report.detail.as_ref().unwrap().contains(reason), "{report:?}");
        }
    }
}
