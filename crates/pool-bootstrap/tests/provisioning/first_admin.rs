//! The first administrator: one invitation, and no promotion of other accounts.

use super::*;

/// A pool with users, before the spec names the first administrator.
async fn pool_with(users: impl FnOnce(&InMemoryPool)) -> (Harness, InMemoryPool) {
    let harness = Harness::new();
    harness.apply(with(&json!({"verify": false, "first_admin": null, "sign_in": "username"}))).await.unwrap();
    let pool = harness.users();
    users(&pool);
    (harness, pool)
}

#[tokio::test]
async fn a_sign_up_with_the_first_admins_name_is_not_promoted() {
    let accounts: [fn(&InMemoryPool); 7] = [
        // The user signed up with the address and verified it.
        |pool| pool.add_user("admin", "Correct-1", &[], &[("email", "ops@example.com"), ("email_verified", "true")]),
        // The user has a wrong proof.
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
        // The user signed up and then received a temporary password.
        |pool| {
            pool.add_user("admin", "Correct-1", &[], &[("email", "ops@example.com")]);
            pool.set_status("admin", UserStatus::ForceChangePassword);
        },
    ];
    for account in accounts {
        let (harness, pool) = pool_with(account).await;
        let failure = harness.apply(with(&json!({"verify": false, "sign_in": "username"}))).await.unwrap_err();
        assert!(matches!(failure.error, ProvisionError::NotTheFirstAdmin), "{failure}");
        assert!(pool.groups_of("admin").is_empty() && pool.groups_of("eve").is_empty());
    }
}

async fn invited() -> (Harness, InMemoryPool) {
    let harness = Harness::provisioned().await;
    let pool = harness.users();
    (harness, pool)
}

#[tokio::test]
async fn does_not_promote_a_removed_administrator_again() {
    let (harness, pool) = invited().await;
    pool.remove_from_group("ops@example.com", "admins");
    let receipt = harness.apply(unverified()).await.unwrap();
    assert_eq!(report(&receipt, Step::FirstAdmin).outcome, Outcome::Unchanged);
    assert!(pool.groups_of("ops@example.com").is_empty());

    pool.remove_user("ops@example.com");
    pool.add_user("ops@example.com", "Correct-1", &[], &[("email", "ops@example.com"), ("email_verified", "true")]);
    harness.apply(unverified()).await.unwrap();
    assert!(pool.groups_of("ops@example.com").is_empty(), "nor a new account with the name");
}

#[tokio::test]
async fn another_address_is_invited_once() {
    let (harness, pool) = invited().await;
    let other = || with(&json!({"verify": false, "first_admin": "new@example.com"}));
    let receipt = harness.apply(other()).await.unwrap();
    assert_eq!(report(&receipt, Step::FirstAdmin).outcome, Outcome::Created);
    assert_eq!(pool.groups_of("new@example.com"), ["admins"]);
    pool.remove_from_group("new@example.com", "admins");
    harness.apply(other()).await.unwrap();
    assert!(pool.groups_of("new@example.com").is_empty());
}

/// An update to another address, and its rollback.
#[tokio::test]
async fn a_change_of_the_address_and_back_sends_no_invitation() {
    let second = || with(&json!({"verify": false, "first_admin": "new@example.com"}));
    for is_deleted in [false, true] {
        let (harness, pool) = invited().await;
        if is_deleted {
            pool.remove_user("ops@example.com");
        } else {
            pool.remove_from_group("ops@example.com", "admins");
        }
        harness.apply(second()).await.unwrap();
        let receipt = harness.apply(unverified()).await.unwrap();
        assert_eq!(report(&receipt, Step::FirstAdmin).outcome, Outcome::Unchanged);
        assert_eq!(pool.user("ops@example.com").is_some(), !is_deleted);
        assert_eq!(pool.groups_of("ops@example.com"), Vec::<String>::new());
    }
}

/// The run ended after it created the first administrator.
async fn interrupted() -> (Harness, InMemoryPool) {
    let harness = Harness::new();
    harness.platform.fail("users.add_to_group", 1, Fault::NotDone(ErrorClass::Forbidden));
    harness.apply(unverified()).await.unwrap_err();
    let pool = harness.users();
    (harness, pool)
}

#[tokio::test]
async fn completes_an_interrupted_invitation_for_its_own_account() {
    let (harness, _) = interrupted().await;
    let receipt = harness.apply(unverified()).await.unwrap();
    let step = report(&receipt, Step::FirstAdmin);
    assert_eq!((step.outcome, step.detail.as_deref()), (Outcome::Updated, Some("added to admins")));

    // The account was replaced before the second run.
    let (harness, pool) = interrupted().await;
    pool.remove_user("ops@example.com");
    pool.add_user("ops@example.com", "Correct-1", &[], &[("email", "ops@example.com"), ("email_verified", "true")]);
    let failure = harness.apply(unverified()).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::NotTheFirstAdmin), "{failure}");
}

#[tokio::test]
async fn does_not_promote_an_account_that_takes_over_the_name() {
    let (harness, pool) = interrupted().await;
    let other = pool.clone();
    // The third call is the promotion, after the reads of the account and its groups.
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
    harness.apply(unverified()).await.unwrap_err();
    assert!(pool.groups_of("ops@example.com").is_empty());
    assert_eq!(pool.calls().last(), Some(&"add_to_group"));
}

#[tokio::test]
async fn rejects_the_proof_of_another_creation() {
    let (harness, pool) = interrupted().await;
    pool.remove_user("ops@example.com");
    let attributes =
        [("email", "ops@example.com"), ("email_verified", "true"), ("custom:poolkeeper_created", "another-proof")];
    pool.add_user("ops@example.com", "Correct-1", &[], &attributes);
    let failure = harness.apply(unverified()).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::NotTheFirstAdmin), "{failure}");
    assert!(pool.groups_of("ops@example.com").is_empty());
}

#[tokio::test]
async fn rejects_an_administrator_with_the_name_as_an_alias() {
    let eve = |pool: &InMemoryPool| pool.add_user("eve", "Correct-1", &["admins"], &[("preferred_username", "admin")]);
    let (harness, _) = pool_with(eve).await;
    let failure = harness.apply(with(&json!({"verify": false, "sign_in": "username"}))).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::NotTheFirstAdmin), "{failure}");
}

#[tokio::test]
async fn accepts_an_administrator_with_another_address() {
    let administrator =
        |pool: &InMemoryPool| pool.add_user("admin", "Correct-1", &["admins"], &[("email", "new@example.com")]);
    let (harness, _) = pool_with(administrator).await;
    let receipt = harness.apply(with(&json!({"verify": false, "sign_in": "username"}))).await.unwrap();
    assert_eq!(report(&receipt, Step::FirstAdmin).outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn retries_an_undelivered_invitation_once() {
    let harness = Harness::new();
    let spec = with(&json!({"verify": false, "first_admin": null}));
    harness.apply(spec).await.unwrap();
    let pool = harness.users();
    // No account exists, so the create call is sent once more.
    pool.fail("create", 1, Reason::Unavailable);
    pool.fail("create", 2, Reason::Unavailable);
    let failure = harness.apply(unverified()).await.unwrap_err();
    let ProvisionError::Users(gave_up) = &failure.error else { unreachable!("{failure}") };
    assert_eq!((gave_up.last.reason, gave_up.last.operation), (Reason::Unavailable, "create"));
    assert_eq!(pool.calls().iter().filter(|call| **call == "create").count(), 2);

    harness.apply(unverified()).await.unwrap();
    assert!(pool.was_invited("ops@example.com"));
}
