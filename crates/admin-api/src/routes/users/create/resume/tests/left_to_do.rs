//! Tests the completion of an account whose creation failed halfway: the calls and the rejections.

use domain::secret::Secret;
use domain::user_pool::directory::Directory;
use domain::user_pool::error::Reason;
use serde_json::json;

use super::{asking_for_everything, creator, repeat, with_key, writes};
use crate::testing::{Api, token};

#[tokio::test]
async fn a_repeat_does_what_is_left_after_setting_the_password_again() {
    let table: [(&str, usize, &str, &[&str]); 4] = [
        ("set_password", 1, "set-password", &["create", "set_password", "sign_out", "add_to_group", "add_to_group"]),
        (
            "add_to_group",
            1,
            "add-to-group:admins",
            &["create", "set_password", "sign_out", "add_to_group", "add_to_group"],
        ),
        ("add_to_group", 2, "add-to-group:readers", &["create", "set_password", "sign_out", "add_to_group"]),
        ("get", 1, "read-user", &["create"]),
    ];
    for (operation, nth, failed, left_to_do) in table {
        let api = Api::new();
        api.pool.fail(operation, nth, Reason::Unavailable);
        let first = repeat(&api, &asking_for_everything()).await;
        assert_eq!((first.status, &first.body["failed"]), (502, &json!(failed)));
        let made = writes(&api).len();

        let second = repeat(&api, &asking_for_everything()).await;
        assert_eq!((second.status, &second.body["status"]), (200, &json!("CONFIRMED")), "{failed}");
        assert!(api.pool.has_password("new", "Permanent-1"), "{failed}");
        assert_eq!(api.pool.groups_of("new"), ["admins", "readers"], "{failed}");
        assert_eq!(writes(&api)[made..], *left_to_do, "{failed}");
    }
}

#[tokio::test]
async fn a_repeat_adds_no_group_before_the_requested_password_is_set() {
    let api = Api::new();
    api.pool.fail("add_to_group", 1, Reason::Unavailable);
    assert_eq!(repeat(&api, &asking_for_everything()).await.status, 502);
    // Another administrator changes the password between the requests.
    let name = "new".parse().unwrap();
    let other = Secret::new("Password-of-somebody-1");
    api.pool.directory().set_password(&name, &other, true).await.unwrap();
    api.pool.fail("set_password", 1, Reason::Unavailable);
    assert_eq!(repeat(&api, &asking_for_everything()).await.status, 502);
    assert_eq!(api.pool.groups_of("new"), Vec::<String>::new());

    assert_eq!(repeat(&api, &asking_for_everything()).await.status, 200);
    assert!(api.pool.has_password("new", "Permanent-1"));
    assert_eq!(api.pool.groups_of("new"), ["admins", "readers"]);
}

#[tokio::test]
async fn a_repeat_ends_all_sessions_before_it_adds_groups() {
    for body in [asking_for_everything(), json!({"username": "new", "groups": ["readers"]})] {
        let api = Api::new();
        api.pool.fail("add_to_group", 1, Reason::Unavailable);
        assert_eq!(repeat(&api, &body).await.status, 502, "{body}");
        // Another administrator has set a password in the meantime, and signed in with it.
        api.pool.give_tokens("new", "access-of-another", "refresh-of-another");
        api.pool.fail("sign_out", 1, Reason::Unavailable);
        assert_eq!(repeat(&api, &body).await.status, 502, "{body}");
        assert_eq!(api.pool.groups_of("new"), Vec::<String>::new(), "{body}");

        assert_eq!(repeat(&api, &body).await.status, 200, "{body}");
        let tokens = api.pool.snapshot().tokens;
        assert!(tokens.iter().all(|token| !token.ends_with("-of-another")), "{body}: {tokens:?}");
        assert_eq!(json!(api.pool.groups_of("new")), body["groups"], "{body}");
    }
}

#[tokio::test]
async fn a_repeat_that_sets_a_password_alone_ends_no_session() {
    let api = Api::new();
    let body = json!({"username": "new", "password": "Permanent-1", "permanent": true});
    api.pool.fail("set_password", 1, Reason::Unavailable);
    assert_eq!(repeat(&api, &body).await.status, 502);
    let made = writes(&api).len();
    assert_eq!(repeat(&api, &body).await.status, 200);
    assert_eq!(writes(&api)[made..], ["create", "set_password"]);
}

#[tokio::test]
async fn a_repeat_sets_a_temporary_password_again_before_groups() {
    let api = Api::new();
    let body = json!({"username": "new", "password": "Temporary-1", "groups": ["readers"]});
    api.pool.fail("add_to_group", 1, Reason::Unavailable);
    assert_eq!(repeat(&api, &body).await.status, 502);
    let (name, other) = ("new".parse().unwrap(), Secret::new("Password-of-somebody-1"));
    api.pool.directory().set_password(&name, &other, false).await.unwrap();
    api.pool.fail("set_password", 1, Reason::Unavailable);
    assert_eq!(repeat(&api, &body).await.status, 502);
    assert_eq!(api.pool.groups_of("new"), Vec::<String>::new());

    let by = creator(&api, &["creators"]);
    assert_eq!(api.call(with_key(&body).by(by)).await.status, 403);
    let answer = repeat(&api, &body).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("FORCE_CHANGE_PASSWORD")));
    assert!(api.pool.has_password("new", "Temporary-1"));
    assert_eq!(api.pool.groups_of("new"), ["readers"]);
}

#[tokio::test]
async fn a_repeat_that_fails_says_what_is_done() {
    let table: [(&str, usize, &str, &[&str]); 7] = [
        ("set_password", 1, "set-password", &["create-user", "add-to-group:admins"]),
        (
            "add_to_group",
            1,
            "add-to-group:readers",
            &["create-user", "add-to-group:admins", "set-password", "sign-out"],
        ),
        ("sign_out", 1, "sign-out", &["create-user", "add-to-group:admins", "set-password"]),
        ("get", 1, "", &[]),
        // This call checks whether the `sub` identifies the same user.
        ("get", 2, "", &[]),
        // The first call reads the groups of the caller.
        ("groups", 2, "read-groups", &["create-user"]),
        (
            "get",
            3,
            "read-user",
            &["create-user", "add-to-group:admins", "set-password", "sign-out", "add-to-group:readers"],
        ),
    ];
    for (operation, nth, failed, completed) in table {
        let api = Api::new();
        api.pool.fail("add_to_group", 2, Reason::Unavailable);
        assert_eq!(repeat(&api, &asking_for_everything()).await.status, 502);
        api.pool.fail(operation, nth, Reason::Unavailable);
        let answer = repeat(&api, &asking_for_everything()).await;
        assert_eq!((answer.status, answer.code()), (502, "upstream-unavailable"), "{operation} {nth}");
        if failed.is_empty() {
            assert_eq!(answer.body.get("completed"), None, "{operation} {nth}");
        } else {
            assert_eq!(answer.body["failed"], failed);
            assert_eq!(answer.body["completed"], json!(completed), "{failed}");
        }
    }
}

#[tokio::test]
async fn a_repeat_with_another_password_sets_it_only_if_none_is_set_yet() {
    let api = Api::new();
    let body = |password: &str| json!({"username": "new", "password": password, "permanent": true});
    api.pool.fail("set_password", 1, Reason::Unavailable);
    assert_eq!(repeat(&api, &body("Permanent-1")).await.status, 502);
    assert_eq!(repeat(&api, &body("Another-1")).await.status, 200);
    assert!(api.pool.has_password("new", "Another-1"));
    // No call is left to make, so no password is set.
    assert_eq!(repeat(&api, &body("Permanent-1")).await.status, 200);
    assert!(api.pool.has_password("new", "Another-1"));
}

#[tokio::test]
async fn a_repeat_sets_a_password_only_with_the_permission_for_it() {
    let api = Api::new();
    let body = json!({"username": "new", "password": "Permanent-1", "permanent": true});
    let by = || token("cleo", "[creators]");
    api.pool.fail("set_password", 1, Reason::Unavailable);
    assert_eq!(api.call(with_key(&body).by(by())).await.status, 502);
    let answer = api.call(with_key(&body).by(by())).await;
    assert_eq!((answer.status, answer.code()), (403, "forbidden"));
    assert!(!api.pool.has_password("new", "Permanent-1"));
}

#[tokio::test]
async fn a_repeat_changes_no_user_whose_grants_exceed_the_callers() {
    let bodies = [
        (
            "add_to_group",
            json!({"username": "new", "password": "Permanent-1", "permanent": true, "groups": ["readers"]}),
        ),
        ("add_to_group", json!({"username": "new", "groups": ["readers"]})),
        ("set_password", json!({"username": "new", "password": "Permanent-1", "permanent": true})),
    ];
    for (operation, body) in bodies {
        let api = Api::new();
        api.pool.add_user("dee", "Password-of-dee-1", &["deputies"], &[]);
        let request = || with_key(&body).by(token("dee", "[deputies]"));
        api.pool.fail(operation, 1, Reason::Unavailable);
        assert_eq!(api.call(request()).await.status, 502);
        // An administrator promotes the user between the requests.
        let name = "new".parse().unwrap();
        api.pool.directory().add_to_group(&name, "admins").await.unwrap();
        let answer = api.call(request()).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{body}");
        assert_eq!(api.pool.groups_of("new"), ["admins"], "{body}");

        // The request succeeds if no call is left to make.
        api.pool.directory().add_to_group(&name, "readers").await.unwrap();
        if body.get("password").is_some() {
            api.pool.directory().set_password(&name, &Secret::new("Permanent-1"), true).await.unwrap();
        }
        assert_eq!(api.call(request()).await.status, 200, "{body}");
    }
}
