//! Exports, and comparisons of a pool with a file.

use std::sync::Arc;
use std::time::Duration;

use domain::retry::Clock;
use domain::transfer::{Comparison, Export, NotMoved, Pace, Rates, Stop, UserRow};
use domain::user_pool::directory::Directory as _;
use domain::user_pool::error::Reason;
use domain::user_pool::user::UserStatus;
use futures::TryStreamExt as _;
use testkit::in_memory::InMemoryPool;
use testkit::virtual_clock::VirtualClock;

use crate::{NEW_ONLY, import, lines, paced, pool};

/// All rows, and what cannot be moved.
async fn export(pool: &InMemoryPool, with_mfa: bool) -> Result<(Vec<UserRow>, Vec<NotMoved>), Stop> {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::with_time(Duration::from_hours(1)));
    let pace = Pace::new(Arc::clone(&clock), &Rates::default());
    let directory = pool.directory();
    let export = Export::start(paced(&directory, &pace, clock.as_ref()), with_mfa).await?;
    let rows = export.pages().try_concat().await?;
    let mut not_moved: Vec<_> = rows.iter().flat_map(|row| export.not_moved(row)).collect();
    not_moved.sort();
    not_moved.dedup();
    Ok((rows, not_moved))
}

/// The rows as text, without what an import cannot set.
fn movable(rows: &[UserRow]) -> String {
    let row = |row: &UserRow| serde_json::to_string(&UserRow { origin: None, ..row.clone() }).unwrap();
    rows.iter().map(row).collect::<Vec<_>>().join("\n")
}

fn text(rows: &[UserRow]) -> String {
    rows.iter().map(|row| serde_json::to_string(row).unwrap() + "\n").collect()
}

fn source() -> InMemoryPool {
    let source = pool();
    source.add_group("writers");
    let verified = [("email", "mia@example.com"), ("email_verified", "true"), ("custom:poolkeeper_created", "1.0.x")];
    source.add_user("mia", "Correct-1", &["editors", "writers"], &verified);
    source.add_user("ray", "Correct-1", &["editors"], &[("name", "Ray"), ("custom:team", "a")]);
    source.disable("ray");
    for number in 0..70 {
        source.add_user(&format!("user-{number}"), "Correct-1", &[], &[]);
    }
    source
}

#[tokio::test]
async fn exported_users_can_be_imported_and_exported_again() {
    let (rows, not_moved) = export(&source(), false).await.unwrap();
    assert_eq!(rows.len(), 72);
    assert!(!text(&rows).contains("poolkeeper_created") && !text(&rows).contains("\"identities\""));
    assert_eq!(not_moved, [NotMoved::Sub, NotMoved::Password, NotMoved::AuthenticatorApp, NotMoved::Devices]);

    let target = pool();
    target.add_group("writers");
    let results = import(&target, NEW_ONLY, &text(&rows)).await;
    let lost = |result: &str| ["\"sub\",\"password\"", "\"devices\""].iter().all(|part| result.contains(part));
    assert!(results.iter().all(|result| result.contains("\"created\"") && lost(result)), "{results:?}");
    let (copied, _) = export(&target, false).await.unwrap();
    assert_eq!(movable(&copied), movable(&rows));
}

fn email_pool() -> InMemoryPool {
    let pool = pool();
    pool.sign_in_by_email();
    pool
}

/// Cognito generates the user names, so that only the addresses move.
#[tokio::test]
async fn users_who_sign_in_with_an_email_address_can_be_copied() {
    let source = email_pool();
    source.add_user("mia@example.com", "Correct-1", &["editors"], &[("email_verified", "true"), ("name", "Mia")]);
    source.add_user("ray@example.com", "Correct-1", &[], &[]);
    let (mut rows, not_moved) = export(&source, false).await.unwrap();
    rows.sort_by(|one, other| one.username.as_str().cmp(other.username.as_str()));
    let names: Vec<_> = rows.iter().map(|row| row.username.as_str()).collect();
    assert_eq!(names, ["mia@example.com", "ray@example.com"]);
    assert!(not_moved.contains(&NotMoved::GeneratedUsername));

    let target = email_pool();
    // So that generated names differ.
    target.add_user("other@example.com", "Correct-1", &[], &[]);
    let results = import(&target, NEW_ONLY, &text(&rows)).await;
    assert!(results.iter().all(|result| result.contains("created") && result.contains("\"generated-username\"")));
    let (mut copied, _) = export(&target, false).await.unwrap();
    copied.retain(|row| row.username.as_str() != "other@example.com");
    copied.sort_by(|one, other| one.username.as_str().cmp(other.username.as_str()));
    assert_eq!(movable(&copied), movable(&rows));

    assert_eq!(import(&target, NEW_ONLY, &text(&rows)).await, results, "a repeated row changes nothing");
    let bad = r#"{"username": "mia"}
        {"username": "mia@example.com", "attributes": {"email": "ray@example.com"}}"#;
    let results = import(&target, crate::UPDATE, bad).await;
    assert!(results[0].contains(r#""field":"username""#), "{results:?}");
    assert!(results[1].contains(r#""field":"attributes.email""#), "{results:?}");
    assert_eq!(export(&target, false).await.unwrap().0.len(), 3);
}

#[tokio::test]
async fn second_factors_are_exported_on_request() {
    let source = pool();
    source.add_user("mia", "Correct-1", &[], &[("phone_number", "+15550100"), ("phone_number_verified", "true")]);
    let row = r#"{"username": "mia", "mfa": {"enabled": ["SMS_MFA"], "preferred": "SMS_MFA"}, "attributes": {"phone_number": "+15550100", "phone_number_verified": "true"}}"#;
    assert!(import(&source, crate::UPDATE, row).await[0].contains("updated"));
    let (rows, not_moved) = export(&source, true).await.unwrap();
    assert!(movable(&rows).contains(r#""mfa":{"enabled":["SMS_MFA"],"preferred":"SMS_MFA"}"#), "{}", movable(&rows));
    assert!(!not_moved.contains(&NotMoved::AuthenticatorApp));
    assert!(!movable(&export(&source, false).await.unwrap().0).contains("mfa"));
}

#[tokio::test]
async fn a_failed_page_ends_the_export() {
    for (operation, nth) in [("describe", 1), ("list_groups", 1), ("members", 2), ("list", 2)] {
        let source = source();
        source.fail(operation, nth, Reason::PermissionMissing);
        assert!(matches!(export(&source, false).await, Err(Stop::Call(_))), "{operation}");
    }
}

#[tokio::test]
async fn comparison_names_missing_and_differing_users() {
    let source = source();
    source.set_status("user-3", UserStatus::Unconfirmed);
    let (rows, _) = export(&source, false).await.unwrap();
    let target = self::source();
    target.remove_user("user-1");
    target.remove_user("user-3");
    target.add_user("other", "Correct-1", &[], &[]);
    target.remove_from_group("mia", "writers");
    target.set_attributes("ray", &[("name", "Roy"), ("preferred_username", "roy")]);

    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::with_time(Duration::from_hours(1)));
    let pace = Pace::new(Arc::clone(&clock), &Rates::default());
    let directory = target.directory();
    let export = Export::start(paced(&directory, &pace, clock.as_ref()), false).await.unwrap();
    let mut comparison = Comparison::new(export.facts());
    let expected: Vec<_> = lines(&text(&rows)).into_iter().map(|line| (line.number, line.row.unwrap())).collect();
    let counted = expected.into_iter().filter(|(line, row)| comparison.expect(*line, row.clone())).count();
    assert_eq!(counted, 71);
    let users: Vec<UserRow> = export.pages().try_concat().await.unwrap();
    let mut mismatches: Vec<_> = users.iter().filter_map(|user| comparison.found(user)).collect();
    assert_eq!(comparison.others, 1);
    mismatches.extend(comparison.missing());
    let mismatches: Vec<_> =
        mismatches.iter().map(|each| (each.username.as_str(), each.differences.join(" "))).collect();
    assert_eq!(
        mismatches,
        [("mia", "groups.writers".to_owned()), ("ray", "attributes.name".to_owned()), ("user-1", String::new()),]
    );
}

/// In an exact comparison, an additional group, attribute or user is a difference.
#[tokio::test]
async fn exact_comparison_names_what_the_rows_do_not_contain() {
    let source = source();
    source.set_status("user-3", UserStatus::Unconfirmed);
    let (rows, _) = export(&source, false).await.unwrap();
    let compare = async |target: &InMemoryPool| {
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock::with_time(Duration::from_hours(1)));
        let pace = Pace::new(Arc::clone(&clock), &Rates::default());
        let directory = target.directory();
        let export = Export::start(paced(&directory, &pace, clock.as_ref()), false).await.unwrap();
        let mut comparison = Comparison::exact(export.facts());
        assert!(rows.iter().enumerate().all(|(line, row)| comparison.expect(line as u64, row.clone())));
        assert!(!comparison.expect(100, rows[0].clone()), "a second row of a user");
        let users: Vec<UserRow> = export.pages().try_concat().await.unwrap();
        let mut mismatches: Vec<_> = users.iter().filter_map(|user| comparison.found(user)).collect();
        let others = comparison.others;
        mismatches.extend(comparison.missing());
        let names = mismatches.into_iter().map(|each| (each.username.to_string(), each.differences.join(" ")));
        (others, names.collect::<Vec<_>>())
    };
    assert_eq!(compare(&source).await, (0, Vec::new()));
    source.directory().add_to_group(&"ray".parse().unwrap(), "writers").await.unwrap();
    source.set_attributes("ray", &[("preferred_username", "roy")]);
    source.remove_user("user-3");
    source.add_user("other", "Correct-1", &[], &[]);
    let expected = [("ray", "attributes.preferred_username groups.writers"), ("user-3", "")];
    assert_eq!(
        compare(&source).await,
        (1, expected.map(|(name, fields)| (name.to_owned(), fields.to_owned())).to_vec())
    );
}
