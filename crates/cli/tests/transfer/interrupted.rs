//! Imports that fail or stop between two calls, and the run that continues them.

use domain::transfer::{ImportOptions, Outcome, RowCode, Stop};
use domain::user_pool::error::Reason;
use domain::user_pool::user::UserStatus;
use testkit::in_memory::InMemoryPool;

use crate::{ID, NEW_ONLY, PATIENCE, Run, UPDATE, pool, proof, run};

const ROWS: &str = r#"{"username": "mia", "password": {"permanent": "Correct-1"}, "groups": ["editors", "writers"], "enabled": false}
                      {"username": "ann", "invite": true, "groups": ["editors"], "attributes": {"email": "ann@example.com"}}
                      {"username": "joe", "attributes": {"email": "joe@example.com"}}"#;

fn pool_with_groups() -> InMemoryPool {
    let pool = pool();
    pool.add_group("writers");
    pool
}

/// The users without times and generated values, which depend on the number of calls.
fn users(pool: &InMemoryPool) -> Vec<String> {
    let user = |name: &str| {
        let user = pool.user(name).unwrap();
        let messages = pool.welcome_messages_of(name);
        format!("{name} {:?} {} {:?} {messages}", user.status, user.enabled, pool.groups_of(name))
    };
    ["mia", "ann", "joe"].map(user).to_vec()
}

#[tokio::test]
async fn next_run_completes_an_import_that_stopped_at_any_call() {
    let undisturbed = pool_with_groups();
    let Run { results: expected, .. } = run(&undisturbed, ID, NEW_ONLY, ROWS).await;
    let calls = undisturbed.calls().len();
    assert!(calls > 10, "{calls}");
    for nth in 1..=calls {
        let pool = pool_with_groups();
        pool.before_call(nth, || Some(Reason::PermissionMissing));
        let Run { results, stop, .. } = run(&pool, ID, NEW_ONLY, ROWS).await;
        assert!(matches!(stop, Some(Stop::Call(_))), "{nth}");
        assert!(results.iter().all(|result| expected.contains(result)), "{nth}");
        let Run { results, stop, .. } = run(&pool, ID, NEW_ONLY, ROWS).await;
        assert!(stop.is_none() && results == expected, "{nth}: {results:?}");
        assert_eq!(users(&pool), users(&undisturbed), "{nth}");
        assert!(pool.has_password("mia", "Correct-1"), "{nth}");
    }
}

#[tokio::test]
async fn a_failed_row_lists_what_was_done() {
    let pool = pool_with_groups();
    pool.fail("add_to_group", 2, Reason::GroupNotFound);
    let Run { results, .. } = run(&pool, ID, NEW_ONLY, ROWS.lines().next().unwrap()).await;
    assert_eq!((results[0].outcome, results[0].code), (Outcome::Failed, Some(RowCode::GroupNotFound)));
    assert_eq!(results[0].completed, ["created", "disabled", "password", "groups.editors"]);
}

/// The second creation after a lost response finds the user of the first.
#[tokio::test]
async fn a_lost_response_leads_to_one_user_and_one_invitation() {
    let row = r#"{"username": "ann", "invite": true, "attributes": {"email": "ann@example.com"}}"#;
    for (proof, expected) in [
        (proof(ID, 1), (Outcome::Created, None)),
        (proof(ID, 2), (Outcome::Failed, Some(RowCode::DuplicateRow))),
        (proof(&ID.replace('0', "f"), 1), (Outcome::Unchanged, None)),
        (proof(ID, 1) + "x", (Outcome::Unchanged, None)),
        ("1.0.AAAA".to_owned(), (Outcome::Unchanged, None)),
    ] {
        let pool = pool();
        let same = pool.clone();
        let attributes = [("email", "ann@example.com"), ("custom:poolkeeper_created", proof.as_str())]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        pool.before_call(3, move || {
            let attributes = attributes.each_ref().map(|(name, value)| (name.as_str(), value.as_str()));
            same.add_user("ann", "Correct-1", &[], &attributes);
            same.set_status("ann", UserStatus::ForceChangePassword);
            Some(Reason::DeadlineExceeded)
        });
        let Run { results, .. } = run(&pool, ID, NEW_ONLY, row).await;
        assert_eq!((results[0].outcome, results[0].code), expected, "{proof}");
        assert_eq!(pool.welcome_messages_of("ann"), 0, "{proof}");
    }
}

/// A user of another import without a password cannot sign in.
#[tokio::test]
async fn an_incomplete_user_of_an_earlier_import_is_completed_on_request() {
    let row = ROWS.lines().next().unwrap();
    let pool = pool_with_groups();
    pool.fail("set_password", 1, Reason::PermissionMissing);
    assert!(run(&pool, &ID.replace('0', "f"), NEW_ONLY, row).await.stop.is_some());
    let before = pool.contents();
    for dry_run in [true, false] {
        let Run { results, .. } = run(&pool, ID, ImportOptions { dry_run, ..NEW_ONLY }, row).await;
        assert_eq!((results[0].outcome, results[0].code), (Outcome::Failed, Some(RowCode::IncompleteUser)));
        assert_eq!(pool.contents(), before);
    }
    let Run { results, .. } = run(&pool, ID, UPDATE, row).await;
    assert_eq!(results[0].outcome, Outcome::Updated);
    assert_eq!(results[0].differences, ["password", "groups.editors", "groups.writers"]);
    assert!(pool.has_password("mia", "Correct-1") && !pool.user("mia").unwrap().enabled);
}

/// The response of the creation was incomplete.
#[tokio::test]
async fn a_user_of_an_unreadable_response_is_completed() {
    for is_created in [true, false] {
        let pool = pool();
        let same = pool.clone();
        pool.before_call(3, move || {
            if is_created {
                same.add_user("mia", "Correct-9", &[], &[("custom:poolkeeper_created", &proof(ID, 1))]);
                same.set_status("mia", UserStatus::ForceChangePassword);
            }
            Some(Reason::Internal)
        });
        let Run { results, .. } = run(&pool, ID, NEW_ONLY, r#"{"username": "mia", "groups": ["editors"]}"#).await;
        let expected = if is_created { (Outcome::Created, None) } else { (Outcome::Failed, Some(RowCode::Internal)) };
        assert_eq!((results[0].outcome, results[0].code), expected);
        assert_eq!(pool.groups_of("mia").len(), usize::from(is_created));
    }
}

/// A stranger who signs up with a proof is not taken for a user of the import.
#[tokio::test]
async fn a_proof_of_a_user_who_signed_up_is_not_valid() {
    let pool = pool_with_groups();
    pool.add_user("mia", "Stranger-1", &[], &[("custom:poolkeeper_created", &proof(ID, 1))]);
    pool.set_status("mia", UserStatus::Unconfirmed);
    let Run { results, .. } = run(&pool, ID, UPDATE, ROWS.lines().next().unwrap()).await;
    assert_eq!((results[0].outcome, results[0].code), (Outcome::Failed, Some(RowCode::WrongState)));
    assert!(pool.groups_of("mia").is_empty());
}

/// In a pool without the attribute, a user of an interrupted attempt looks like a user of somebody else.
#[tokio::test]
async fn without_creation_attribute_a_new_user_is_not_adopted() {
    let pool = InMemoryPool::new();
    let row = r#"{"username": "mia", "password": {"permanent": "Correct-1"}}"#;
    // The password was not set.
    pool.before_call(4, || Some(Reason::PermissionMissing));
    assert!(run(&pool, ID, NEW_ONLY, row).await.stop.is_some());
    assert_eq!(pool.user("mia").unwrap().status, UserStatus::ForceChangePassword);
    let before = pool.contents();
    let Run { results, .. } = run(&pool, ID, UPDATE, row).await;
    assert_eq!((results[0].outcome, results[0].code), (Outcome::Failed, Some(RowCode::CreationUnproven)));
    assert_eq!(pool.contents(), before);
    pool.set_status("mia", UserStatus::Confirmed);
    assert_eq!(run(&pool, ID, NEW_ONLY, row).await.results[0].outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn throttled_rows_wait_and_do_not_fail() {
    let pool = pool_with_groups();
    for nth in 1..=40 {
        pool.fail("create", nth, Reason::Throttled);
    }
    pool.fail("add_to_group", 1, Reason::Throttled);
    let Run { results, stop, throttled, elapsed } = run(&pool, ID, NEW_ONLY, ROWS).await;
    assert!(stop.is_none() && results.iter().all(|result| result.outcome == Outcome::Created), "{results:?}");
    assert_eq!(throttled, 41);
    assert!(elapsed > std::time::Duration::from_secs(3), "{elapsed:?}");
}

#[tokio::test]
async fn an_unavailable_pool_stops_the_import_after_a_while() {
    let pool = pool_with_groups();
    for nth in 1..=500 {
        pool.fail("set_password", nth, Reason::Unavailable);
    }
    let Run { results, stop, elapsed, .. } = run(&pool, ID, NEW_ONLY, ROWS).await;
    assert!(matches!(stop, Some(Stop::Call(_))) && elapsed >= PATIENCE, "{elapsed:?}");
    assert!(results.iter().all(|result| result.line == 2), "{results:?}");
}
