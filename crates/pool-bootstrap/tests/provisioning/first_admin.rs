//! The first administrator: invited once, and never a stranger.

use super::*;

/// A pool with users, before the operator names the first administrator.
async fn pool_with(users: impl FnOnce(&InMemoryPool)) -> (World, InMemoryPool) {
    let world = World::new();
    let applied =
        world.apply(with(&json!({"verify": false, "first_admin": null, "sign_in": "username"}))).await.unwrap();
    let pool = world.platform.state().users[&applied.user_pool_id.unwrap()].clone();
    users(&pool);
    (world, pool)
}

#[tokio::test]
async fn nobody_becomes_administrator_by_signing_up_under_the_first_ones_name() {
    let strangers: [fn(&InMemoryPool); 7] = [
        // Signed up with that address before it was named, and verified it.
        |pool| pool.add_user("admin", "Correct-1", &[], &[("email", "ops@example.com"), ("email_verified", "true")]),
        // Claims a proof.
        |pool| {
            pool.add_user(
                "admin",
                "Correct-1",
                &[],
                &[("email", "ops@example.com"), ("custom:poolkeeper_created", "1")],
            );
        },
        |pool| pool.add_user("admin", "Correct-1", &[], &[("email", "eve@example.com"), ("email_verified", "true")]),
        |pool| pool.add_user("admin", "Correct-1", &[], &[("email", "ops@example.com")]),
        |pool| pool.add_user("eve", "Correct-1", &[], &[("preferred_username", "admin")]),
        |pool| {
            pool.add_user("admin", "Correct-1", &[], &[]);
            pool.set_status("admin", UserStatus::Unconfirmed);
        },
        // Somebody set a temporary password for a person who had signed up.
        |pool| {
            pool.add_user("admin", "Correct-1", &[], &[("email", "ops@example.com")]);
            pool.set_status("admin", UserStatus::ForceChangePassword);
        },
    ];
    for stranger in strangers {
        let (world, pool) = pool_with(stranger).await;
        let failure = world.apply(with(&json!({"verify": false, "sign_in": "username"}))).await.unwrap_err();
        assert!(matches!(failure.error, ProvisionError::NotTheFirstAdmin), "{failure}");
        assert!(pool.groups_of("admin").is_empty() && pool.groups_of("eve").is_empty());
    }
}

async fn invited() -> (World, InMemoryPool) {
    let world = World::new();
    let applied = world.apply(with(&json!({"verify": false}))).await.unwrap();
    let pool = world.platform.state().users[&applied.user_pool_id.unwrap()].clone();
    (world, pool)
}

#[tokio::test]
async fn a_removed_administrator_is_not_put_back() {
    let (world, pool) = invited().await;
    pool.remove_from_group("ops@example.com", "admins");
    let receipt = world.apply(with(&json!({"verify": false}))).await.unwrap();
    assert_eq!(report(&receipt, Step::FirstAdmin).outcome, Outcome::Unchanged);
    assert!(pool.groups_of("ops@example.com").is_empty());

    pool.remove_user("ops@example.com");
    pool.add_user("ops@example.com", "Correct-1", &[], &[("email", "ops@example.com"), ("email_verified", "true")]);
    world.apply(with(&json!({"verify": false}))).await.unwrap();
    assert!(pool.groups_of("ops@example.com").is_empty(), "nor is an account of the same name");
}

#[tokio::test]
async fn another_address_is_invited_once() {
    let (world, pool) = invited().await;
    let other = || with(&json!({"verify": false, "first_admin": "new@example.com"}));
    let receipt = world.apply(other()).await.unwrap();
    assert_eq!(report(&receipt, Step::FirstAdmin).outcome, Outcome::Created);
    assert_eq!(pool.groups_of("new@example.com"), ["admins"]);
    pool.remove_from_group("new@example.com", "admins");
    world.apply(other()).await.unwrap();
    assert!(pool.groups_of("new@example.com").is_empty());
}

/// An update to another address, and its rollback.
#[tokio::test]
async fn a_change_of_the_address_and_back_invites_nobody_again() {
    let first = || with(&json!({"verify": false}));
    let second = || with(&json!({"verify": false, "first_admin": "new@example.com"}));
    for is_deleted in [false, true] {
        let (world, pool) = invited().await;
        if is_deleted {
            pool.remove_user("ops@example.com");
        } else {
            pool.remove_from_group("ops@example.com", "admins");
        }
        world.apply(second()).await.unwrap();
        let receipt = world.apply(first()).await.unwrap();
        assert_eq!(report(&receipt, Step::FirstAdmin).outcome, Outcome::Unchanged);
        assert_eq!(pool.user("ops@example.com").is_some(), !is_deleted);
        assert_eq!(pool.groups_of("ops@example.com"), Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_interrupted_invitation_is_completed_for_the_account_that_it_created() {
    let world = World::new();
    world.platform.fail("users.add_to_group", 1, Fault::NotDone(ErrorClass::Forbidden));
    world.apply(with(&json!({"verify": false}))).await.unwrap_err();
    let receipt = world.apply(with(&json!({"verify": false}))).await.unwrap();
    let step = report(&receipt, Step::FirstAdmin);
    assert_eq!((step.outcome, step.detail.as_deref()), (Outcome::Updated, Some("put into admins")));

    // The same, but the account was replaced in between.
    let world = World::new();
    world.platform.fail("users.add_to_group", 1, Fault::NotDone(ErrorClass::Forbidden));
    let failure = world.apply(with(&json!({"verify": false}))).await.unwrap_err();
    let pool = world.platform.state().users[&failure.receipt.user_pool_id.unwrap()].clone();
    pool.remove_user("ops@example.com");
    pool.add_user("ops@example.com", "Correct-1", &[], &[("email", "ops@example.com"), ("email_verified", "true")]);
    let failure = world.apply(with(&json!({"verify": false}))).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::NotTheFirstAdmin), "{failure}");
}

#[tokio::test]
async fn an_account_that_takes_the_name_before_the_promotion_gets_nothing() {
    let world = World::new();
    world.platform.fail("users.add_to_group", 1, Fault::NotDone(ErrorClass::Forbidden));
    let failure = world.apply(with(&json!({"verify": false}))).await.unwrap_err();
    let pool = world.platform.state().users[&failure.receipt.user_pool_id.unwrap()].clone();
    let other = pool.clone();
    // After the reads of the account and its groups, when only the promotion is left.
    pool.before_call(3, move || {
        other.remove_user("ops@example.com");
        other.add_user(
            "ops@example.com",
            "Correct-1",
            &[],
            &[("email", "ops@example.com"), ("email_verified", "true")],
        );
        None
    });
    world.apply(with(&json!({"verify": false}))).await.unwrap_err();
    assert!(pool.groups_of("ops@example.com").is_empty());
    assert_eq!(pool.calls().last(), Some(&"add_to_group"));
}

#[tokio::test]
async fn a_proof_of_another_creation_promotes_nobody() {
    let world = World::new();
    world.platform.fail("users.add_to_group", 1, Fault::NotDone(ErrorClass::Forbidden));
    let failure = world.apply(with(&json!({"verify": false}))).await.unwrap_err();
    let pool = world.platform.state().users[&failure.receipt.user_pool_id.unwrap()].clone();
    pool.remove_user("ops@example.com");
    let attributes =
        [("email", "ops@example.com"), ("email_verified", "true"), ("custom:poolkeeper_created", "another-proof")];
    pool.add_user("ops@example.com", "Correct-1", &[], &attributes);
    let failure = world.apply(with(&json!({"verify": false}))).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::NotTheFirstAdmin), "{failure}");
    assert!(pool.groups_of("ops@example.com").is_empty());
}

#[tokio::test]
async fn an_administrator_with_the_name_as_an_alias_is_not_the_first_one() {
    let eve = |pool: &InMemoryPool| pool.add_user("eve", "Correct-1", &["admins"], &[("preferred_username", "admin")]);
    let (world, _) = pool_with(eve).await;
    let failure = world.apply(with(&json!({"verify": false, "sign_in": "username"}))).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::NotTheFirstAdmin), "{failure}");
}

#[tokio::test]
async fn a_first_admin_who_is_one_already_stays_one_whatever_became_of_the_address() {
    let administrator =
        |pool: &InMemoryPool| pool.add_user("admin", "Correct-1", &["admins"], &[("email", "new@example.com")]);
    let (world, _) = pool_with(administrator).await;
    let receipt = world.apply(with(&json!({"verify": false, "sign_in": "username"}))).await.unwrap();
    assert_eq!(report(&receipt, Step::FirstAdmin).outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn an_invitation_that_nobody_got_is_sent_again_and_not_forever() {
    let world = World::new();
    let spec = with(&json!({"verify": false, "first_admin": null}));
    let applied = world.apply(spec).await.unwrap();
    let pool = world.platform.state().users[&applied.user_pool_id.unwrap()].clone();
    // Nothing was created, and nobody is there: it is sent once more.
    pool.fail("create", 1, Reason::Unavailable);
    pool.fail("create", 2, Reason::Unavailable);
    let failure = world.apply(with(&json!({"verify": false}))).await.unwrap_err();
    let ProvisionError::Users(gave_up) = &failure.error else { unreachable!("{failure}") };
    assert_eq!((gave_up.last.reason, gave_up.last.operation), (Reason::Unavailable, "create"));
    assert_eq!(pool.calls().iter().filter(|call| **call == "create").count(), 2);

    world.apply(with(&json!({"verify": false}))).await.unwrap();
    assert!(pool.was_invited("ops@example.com"));
}
