//! What an import does with each kind of row.

use domain::transfer::{ImportOptions, Outcome, RowCode, Stop};
use domain::user_pool::error::Reason;
use domain::user_pool::sessions::Factor;
use domain::user_pool::user::UserStatus;
use testkit::in_memory::InMemoryPool;

use crate::{ID, NEW_ONLY, Run, UPDATE, import, pool, proof, run};

fn status(pool: &InMemoryPool, name: &str) -> UserStatus {
    pool.user(name).unwrap().status
}

/// The calls that change the pool.
fn writes(pool: &InMemoryPool) -> usize {
    let reads = ["describe", "list_groups", "get", "groups", "mfa", "list", "members"];
    pool.calls().iter().filter(|call| !reads.contains(call)).count()
}

#[tokio::test]
async fn creates_users_with_each_kind_of_password() {
    let pool = pool();
    let results = import(
        &pool,
        NEW_ONLY,
        r#"{"username": "mia", "password": {"permanent": "Correct-1"}, "groups": ["editors"], "attributes": {"email": "mia@example.com", "email_verified": "true"}}
           {"username": "ray", "password": {"temporary": "Correct-2"}, "enabled": false}
           {"username": "ann", "invite": true, "attributes": {"email": "ann@example.com"}}
           {"username": "joe", "attributes": {"email": "joe@example.com", "email_verified": "true", "name": ""}}
           {"username": "eva", "password": {"bcrypt": "$2b$10$x"}}"#,
    )
    .await;
    assert_eq!(
        results,
        [
            r#"{"line":1,"username":"mia","outcome":"created"}"#,
            r#"{"line":2,"username":"ray","outcome":"created"}"#,
            r#"{"line":3,"username":"ann","outcome":"created"}"#,
            r#"{"line":4,"username":"joe","outcome":"created"}"#,
            r#"{"line":5,"username":"eva","outcome":"skipped","code":"hash-requires-import-job","problem":"only an import job of Cognito can set a password hash; --import-job-role runs one"}"#,
        ]
    );
    assert_eq!(status(&pool, "mia"), UserStatus::Confirmed);
    assert!(pool.has_password("mia", "Correct-1") && pool.groups_of("mia") == ["editors"]);
    assert_eq!(status(&pool, "ray"), UserStatus::ForceChangePassword);
    assert!(pool.has_password("ray", "Correct-2") && !pool.user("ray").unwrap().enabled);
    assert_eq!((pool.welcome_messages_of("ann"), status(&pool, "ann")), (1, UserStatus::ForceChangePassword));
    // Cognito sends a code for a new password only to users with a permanent password.
    assert_eq!((pool.welcome_messages_of("joe"), status(&pool, "joe")), (0, UserStatus::Confirmed));
    assert!(pool.user("eva").is_none() && !pool.attributes_of("joe").contains_key("name"));
}

#[tokio::test]
async fn repeated_import_changes_nothing() {
    let pool = pool();
    let text = r#"{"username": "mia", "password": {"permanent": "Correct-1"}, "groups": ["editors"], "enabled": false}
                  {"username": "ann", "invite": true, "attributes": {"email": "ann@example.com"}}"#;
    import(&pool, NEW_ONLY, text).await;
    let before = pool.contents();
    for (id, options, outcome) in
        [(ID, NEW_ONLY, Outcome::Created), (&ID.replace('0', "f"), UPDATE, Outcome::Unchanged)]
    {
        let Run { results, .. } = run(&pool, id, options, text).await;
        assert!(results.len() == 2 && results.iter().all(|result| result.outcome == outcome), "{results:?}");
        assert_eq!(pool.contents(), before);
    }
    assert_eq!(pool.welcome_messages_of("ann"), 1);
}

const DIFFERS: &str = r#"{"username": "mia", "password": {"permanent": "Other-123"}, "invite": false, "enabled": false, "groups": ["editors"], "attributes": {"email": "mia@example.com", "email_verified": "true", "name": "Mia", "custom:team": ""}}"#;

/// A user who differs from [`DIFFERS`] and has a verified e-mail address.
fn pool_with_mia() -> InMemoryPool {
    let pool = pool();
    let attributes = [("email", "mia@example.com"), ("email_verified", "true"), ("name", "M"), ("custom:team", "a")];
    pool.add_user("mia", "Correct-1", &["readers"], &attributes);
    pool
}

#[tokio::test]
async fn existing_user_who_differs_is_changed_only_on_request() {
    let pool = pool_with_mia();
    let before = pool.contents();
    assert_eq!(
        import(&pool, NEW_ONLY, DIFFERS).await,
        [
            r#"{"line":1,"username":"mia","outcome":"skipped","code":"user-exists","problem":"the user exists and differs from the row","differences":["attributes.custom:team","attributes.name","enabled","groups.editors"]}"#
        ]
    );
    assert_eq!(pool.contents(), before);
    assert_eq!(
        import(&pool, UPDATE, DIFFERS).await,
        [
            r#"{"line":1,"username":"mia","outcome":"updated","differences":["attributes.custom:team","attributes.name","enabled","groups.editors"]}"#
        ]
    );
    assert_eq!(pool.groups_of("mia"), ["editors", "readers"]);
    assert!(pool.has_password("mia", "Correct-1") && !pool.user("mia").unwrap().enabled);
    let attributes = pool.attributes_of("mia");
    assert!(attributes["name"] == "Mia" && !attributes.contains_key("custom:team"));
}

/// A stranger can sign up with the user name of a row before the import.
#[tokio::test]
async fn update_gives_nothing_to_strangers_who_signed_up() {
    for (attributes, expected) in [
        (&[][..], Outcome::Failed),
        (&[("email", "mia@example.com")], Outcome::Failed),
        (&[("email", "mia@example.com"), ("email_verified", "false")], Outcome::Failed),
        (&[("email", "evil@example.com"), ("email_verified", "true")], Outcome::Failed),
        (&[("email", "mia@example.com"), ("email_verified", "true")], Outcome::Updated),
    ] {
        let pool = pool();
        pool.add_user("mia", "Stranger-1", &[], attributes);
        let before = pool.contents();
        let Run { results, .. } = run(&pool, ID, UPDATE, DIFFERS).await;
        assert_eq!(results[0].outcome, expected, "{attributes:?}");
        if expected == Outcome::Failed {
            assert_eq!((results[0].code, pool.contents()), (Some(RowCode::WrongState), before), "{attributes:?}");
        }
        // A stranger may have signed up before sign-ups were rejected.
        pool.refuse_sign_ups();
        let Run { results, .. } = run(&pool, ID, UPDATE, DIFFERS).await;
        assert_ne!(results[0].outcome == Outcome::Failed, expected == Outcome::Updated, "{attributes:?}");
        let trusting = ImportOptions { trust_user_names: true, ..UPDATE };
        pool.set_status("mia", UserStatus::Unconfirmed);
        let Run { results, .. } = run(&pool, ID, trusting, DIFFERS).await;
        assert_ne!(results[0].outcome == Outcome::Failed, expected == Outcome::Updated, "{attributes:?}");
        pool.set_status("mia", UserStatus::Confirmed);
        let Run { results, .. } = run(&pool, ID, trusting, DIFFERS).await;
        assert_ne!(results[0].outcome, Outcome::Failed, "{attributes:?}");
    }
}

#[tokio::test]
async fn an_alias_of_another_user_fails_and_is_no_name_of_the_user() {
    let pool = pool();
    let attributes = [("preferred_username", "mimi"), ("email", "mia@example.com"), ("email_verified", "true")];
    pool.add_user("mia", "Correct-1", &[], &attributes);
    let before = pool.contents();
    let row = r#"{"username": "ray", "attributes": {"preferred_username": "mimi"}}"#;
    let Run { results, .. } = run(&pool, ID, UPDATE, row).await;
    assert_eq!((results[0].outcome, results[0].code), (Outcome::Failed, Some(RowCode::AliasExists)));
    assert_eq!(pool.contents(), before);
    // A dry run finds the user by the alias, and does not take it for the user of the row.
    let dry_run = ImportOptions { dry_run: true, ..UPDATE };
    let row = r#"{"username": "mimi", "attributes": {"email": "mia@example.com", "name": "Mimi"}}"#;
    assert_eq!(run(&pool, ID, dry_run, row).await.results[0].outcome, Outcome::Created);
}

#[tokio::test]
async fn each_bad_row_fails_alone_and_names_its_field() {
    let pool = pool();
    pool.add_user("old", "Correct-1", &[], &[("name", "Old")]);
    let results = import(
        &pool,
        NEW_ONLY,
        r#"{"username": "first"}
           {"username":
           {"username": "b", "nickname": "x"}
           {"username": "c", "attributes": {"email_verified": "yes"}}
           {"username": "d", "attributes": {"custom:unknown": "x"}}
           {"username": "e", "attributes": {"sub": "x"}}
           {"username": "f", "password": {"permanent": "weak"}, "groups": ["editors"]}
           {"username": "old", "attributes": {"name": "New"}}
           {"username": "g", "groups": ["editors", "missing"]}
           {"username": "first"}
           {"username": "h", "invite": true}
           {"username": "h", "invite": true, "enabled": false, "attributes": {"email": "h@example.com"}}
           {"username": "i@example.com"}
           {"username": "j", "origin": {"status": "UNCONFIRMED", "created_at": "2026-01-01T00:00:00Z", "modified_at": "2026-01-01T00:00:00Z"}}
           {"username": "k@example.com", "origin": {"status": "EXTERNAL_PROVIDER", "created_at": "2026-01-01T00:00:00Z", "modified_at": "2026-01-01T00:00:00Z"}}
           {"username": "last"}"#,
    )
    .await;
    insta::assert_snapshot!(results.join("\n"));
    for name in ["b", "c", "d", "e", "f", "g", "h", "i@example.com", "j", "k"] {
        assert!(pool.user(name).is_none(), "{name}");
    }
    assert!(pool.user("first").is_some() && pool.user("last").is_some());
}

#[tokio::test]
async fn missing_groups_are_created_once_on_request() {
    let pool = pool();
    let text =
        "{\"username\": \"a\", \"groups\": [\"new\"]}\n{\"username\": \"b\", \"groups\": [\"new\", \"editors\"]}";
    let Run { results, .. } = run(&pool, ID, ImportOptions { create_groups: true, ..NEW_ONLY }, text).await;
    assert!(results.iter().all(|result| result.outcome == Outcome::Created), "{results:?}");
    assert_eq!(
        (pool.groups_of("a"), pool.groups_of("b")),
        (vec!["new".to_owned()], vec!["editors".to_owned(), "new".to_owned()])
    );
}

#[tokio::test]
async fn dry_run_changes_nothing_and_forecasts_each_outcome() {
    let pool = pool_with_mia();
    let before = pool.contents();
    let text = format!(
        "{DIFFERS}\n{}",
        r#"{"username": "new", "groups": ["editors"]}
           {"username": "weak", "password": {"permanent": "weak"}}
           {"username": "lost", "groups": ["missing"]}"#
    );
    for (options, first) in [(NEW_ONLY, Outcome::Skipped), (UPDATE, Outcome::Updated)] {
        let Run { results, .. } = run(&pool, ID, ImportOptions { dry_run: true, ..options }, &text).await;
        let outcomes: Vec<_> = results.iter().map(|result| (result.outcome, result.code)).collect();
        assert_eq!(outcomes[0].0, first);
        assert_eq!(
            outcomes[1..],
            [
                (Outcome::Created, None),
                (Outcome::Failed, Some(RowCode::InvalidPassword)),
                (Outcome::Failed, Some(RowCode::GroupNotFound)),
            ]
        );
    }
    let options = ImportOptions { dry_run: true, create_groups: true, ..NEW_ONLY };
    let Run { results, .. } = run(&pool, ID, options, &text).await;
    assert_eq!(results[3].outcome, Outcome::Created);
    assert_eq!((pool.contents(), writes(&pool)), (before, 0));
}

/// Cognito resets the verification of a changed address.
#[tokio::test]
async fn a_changed_address_is_sent_with_its_verification() {
    let pool = pool();
    let attributes = [("email", "old@example.com"), ("email_verified", "true"), ("phone_number", "+1"), ("name", "M")];
    pool.add_user("mia", "Correct-1", &[], &attributes);
    let row =
        r#"{"username": "mia", "attributes": {"email": "new@example.com", "email_verified": "true", "name": "M"}}"#;
    let Run { results, .. } = run(&pool, ID, ImportOptions { trust_user_names: true, ..UPDATE }, row).await;
    assert_eq!(results[0].differences, ["attributes.email", "attributes.email_verified"]);
}

#[tokio::test]
async fn update_keeps_the_authenticator_app_of_a_user() {
    let pool = pool();
    let attributes = [("email", "mia@example.com"), ("email_verified", "true"), ("phone_number", "+15550100")];
    pool.add_user("mia", "Correct-1", &[], &[&attributes[..], &[("phone_number_verified", "true")]].concat());
    pool.switch_factor_on("mia", Factor::SoftwareTokenMfa);
    let row = r#"{"username": "mia", "attributes": {"email": "mia@example.com"}, "mfa": {"enabled": ["SMS_MFA"]}}"#;
    let Run { results, .. } = run(&pool, ID, UPDATE, row).await;
    assert_eq!((results[0].outcome, &*results[0].differences), (Outcome::Updated, &["mfa".to_owned()][..]));
    assert_eq!(pool.mfa_of("mia").enabled, [Factor::SmsMfa, Factor::SoftwareTokenMfa]);
    assert_eq!(run(&pool, ID, UPDATE, row).await.results[0].outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn users_who_cannot_set_a_password_are_reported() {
    let pool = pool();
    let results = import(
        &pool,
        NEW_ONLY,
        r#"{"username": "a", "attributes": {"email": "a@example.com", "email_verified": "false"}}
           {"username": "b", "attributes": {"email": "b@example.com", "email_verified": "true"}}
           {"username": "c", "password": {"temporary": "Correct-1"}}"#,
    )
    .await;
    let lacks = results.iter().map(|result| result.contains("password-recovery")).collect::<Vec<_>>();
    assert_eq!(lacks, [true, false, false]);
}

#[tokio::test]
async fn a_used_up_mail_quota_stops_the_import() {
    let text = r#"{"username": "a", "invite": true, "attributes": {"email": "a@example.com"}}
                  {"username": "b", "invite": true, "attributes": {"email": "b@example.com"}}"#;
    // Cognito created no user.
    let pool = pool();
    pool.fail("create", 1, Reason::MailQuotaExceeded);
    let Run { results, stop, .. } = run(&pool, ID, NEW_ONLY, text).await;
    assert!(matches!(stop, Some(Stop::MailQuota)), "{results:?}");
    assert!(results.iter().all(|result| result.line != 1) && pool.user("a").is_none());

    // Cognito created the user.
    let pool = crate::pool();
    let same = pool.clone();
    pool.before_call(3, move || {
        same.add_user("a", "Correct-1", &[], &[("custom:poolkeeper_created", &proof(ID, 1))]);
        Some(Reason::MailQuotaExceeded)
    });
    let text = text.replace("\"invite\"", "\"groups\": [\"editors\"], \"invite\"");
    let Run { results, .. } = run(&pool, ID, NEW_ONLY, &text).await;
    assert_eq!(results[0].code, Some(RowCode::MailQuotaExceeded));
    assert_eq!(results[0].completed, ["created", "groups.editors"]);
}

/// Messages of AWS can be passed to operators, but not to callers of an API.
#[tokio::test]
async fn results_contain_messages_of_aws_only_on_request() {
    for explain in [false, true] {
        let pool = pool();
        pool.fail("create", 1, Reason::InvalidRequest);
        let Run { results, .. } = run(&pool, ID, ImportOptions { explain, ..NEW_ONLY }, r#"{"username": "mia"}"#).await;
        let problem = results[0].problem.clone().unwrap();
        assert_eq!(problem.contains("create"), explain, "{problem}");
        assert!(problem.contains("the user pool rejected a request parameter"), "{problem}");
    }
}

#[tokio::test]
async fn imports_text_message_and_mail_factors_but_no_authenticator_app() {
    let pool = pool();
    let results = import(
        &pool,
        NEW_ONLY,
        r#"{"username": "mia", "mfa": {"enabled": ["SMS_MFA", "SOFTWARE_TOKEN_MFA"], "preferred": "SOFTWARE_TOKEN_MFA"}, "attributes": {"phone_number": "+15550100", "phone_number_verified": "true"}}"#,
    )
    .await;
    assert_eq!(results, [r#"{"line":1,"username":"mia","outcome":"created","not_moved":["authenticator-app"]}"#]);
    assert!(pool.contents().contains("SmsMfa"), "{}", pool.contents());
}
