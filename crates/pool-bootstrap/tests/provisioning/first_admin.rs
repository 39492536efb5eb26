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
    let strangers: [fn(&InMemoryPool); 5] = [
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

    let proved = |pool: &InMemoryPool| {
        pool.add_user("admin", "Correct-1", &[], &[("email", "ops@example.com"), ("email_verified", "true")]);
    };
    let (world, pool) = pool_with(proved).await;
    let receipt = world.apply(with(&json!({"verify": false, "sign_in": "username"}))).await.unwrap();
    assert_eq!(report(&receipt, Step::FirstAdmin).outcome, Outcome::Updated);
    assert_eq!(pool.groups_of("admin"), ["admins"]);
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
