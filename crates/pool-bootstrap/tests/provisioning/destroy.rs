//! `destroy`: deletions and retained resources.

use super::*;

#[tokio::test]
async fn retries_deletes_that_conflict_after_a_detachment() {
    let harness = Harness::new();
    harness.apply(shop()).await.unwrap();
    harness.platform.fail("delete_role", 1, Fault::NotDone(ErrorClass::Conflict));
    harness.platform.fail("delete_policy", 1, Fault::NotDone(ErrorClass::Conflict));
    let receipt = harness.run(Action::Destroy, shop()).await.unwrap();
    for step in [Step::Role, Step::Policy] {
        assert_eq!((report(&receipt, step).outcome, report(&receipt, step).attempts), (Outcome::Deleted, 2));
    }
}

#[tokio::test]
async fn destroy_deletes_only_the_resources_of_its_pool() {
    let harness = Harness::new();
    harness.apply(shop()).await.unwrap();
    harness.apply(with(&json!({"name": "other"}))).await.unwrap();
    let receipt = harness.run(Action::Destroy, shop()).await.unwrap();
    let steps = [Step::IdentityPool, Step::Role, Step::Policy, Step::UserPool];
    assert_eq!(outcomes(&receipt), steps.map(|step| (step, Outcome::Deleted)));

    let state = harness.platform.state();
    let assert_one = |names: Vec<&str>| assert_eq!(names.len(), 1, "{names:?}");
    assert_one(state.user_pools.iter().map(|pool| pool.name.as_str()).collect());
    assert_one(state.identity_pools.iter().map(|pool| pool.name.as_str()).collect());
    assert_one(state.policies.keys().map(String::as_str).collect());
    assert_one(state.roles.keys().map(String::as_str).collect());
    assert_eq!(state.user_pools[0].name, "other");
}

#[tokio::test]
async fn retains_a_role_with_a_foreign_policy() {
    let harness = Harness::new();
    harness.apply(shop()).await.unwrap();
    let foreign = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    let role = "poolkeeper.shop.eu-west-1";
    harness.platform.state().roles.get_mut(role).unwrap().policies.insert(foreign.to_owned());
    let receipt = harness.run(Action::Destroy, shop()).await.unwrap();
    let retained = report(&receipt, Step::Role);
    assert!(
        retained.outcome == Outcome::Retained && retained.detail.as_ref().unwrap().contains(foreign),
        "{retained:?}"
    );
    assert_eq!(report(&receipt, Step::Policy).outcome, Outcome::Retained);
    assert_eq!(harness.platform.state().roles[role].policies.len(), 2, "unchanged");

    harness.platform.state().roles.get_mut(role).unwrap().policies.remove(foreign);
    let receipt = harness.run(Action::Destroy, shop()).await.unwrap();
    assert_eq!(report(&receipt, Step::Role).outcome, Outcome::Deleted);
    harness.assert_empty("after the foreign policy was detached");
}

#[tokio::test]
async fn a_conflict_without_time_for_retries_is_a_failure() {
    let clock = VirtualClock::with_time(Duration::from_secs(20));
    let harness = Harness { platform: InMemoryPlatform::new(&clock, Duration::ZERO), clock };
    harness.apply(unverified()).await.unwrap();
    (1..100).for_each(|nth| harness.platform.fail("delete_role", nth, Fault::NotDone(ErrorClass::Conflict)));
    let failure = harness.run(Action::Destroy, shop()).await.unwrap_err();
    assert_eq!(report(&failure.receipt, Step::Role).outcome, Outcome::Failed);
    assert_eq!(harness.platform.state().user_pools.len(), 1, "the user pool is deleted last");
}

#[tokio::test]
async fn destroy_of_missing_resources_succeeds() {
    let harness = Harness::new();
    let receipt = harness.run(Action::Destroy, shop()).await.unwrap();
    assert!(receipt.steps.iter().all(|report| report.outcome == Outcome::Absent), "{receipt:?}");
    assert_eq!(harness.platform.writes(), Vec::<&str>::new());
}

#[tokio::test]
async fn destroy_retains_protected_pools_with_a_reason() {
    let table =
        [(json!({"on_delete": "retain"}), "`retain`"), (json!({"deletion_protection": true}), "deletion protection")];
    for (changes, reason) in table {
        let harness = Harness::new();
        harness.apply(with(&changes)).await.unwrap();
        let writes = harness.platform.writes();
        let receipt = harness.run(Action::Destroy, with(&changes)).await.unwrap();
        assert_eq!(harness.platform.writes(), writes, "{changes}");
        for report in &receipt.steps {
            assert_eq!(report.outcome, Outcome::Retained, "{changes}");
            assert!(report.detail.as_ref().unwrap().contains(reason), "{report:?}");
        }
    }
}
