//! What a repeat does, and to whom.

use domain::directory::{AttributeChanges, Directory};
use domain::user::{Attributes, CREATION_ATTRIBUTE, UserStatus};
use domain::user_pool_error::Reason;
use serde_json::{Value, json};

use crate::testing::{Answer, Api, By, Call, token};

const WRITES: [&str; 3] = ["create", "set_password", "add_to_group"];

fn with_key(body: &Value) -> Call {
    Call::post("/v1/users", Some(body)).header("idempotency-key", "8e03978e-40d5-43e8-bc93-6894a57f9324")
}

async fn repeat(api: &Api, body: &Value) -> Answer {
    api.call(with_key(body)).await
}

/// The writes to the pool.
fn writes(api: &Api) -> Vec<&'static str> {
    api.pool.calls().into_iter().filter(|call| WRITES.contains(call)).collect()
}

fn asking_for_everything() -> Value {
    json!({
        "username": "new", "attributes": {"email": "new@example.com", "email_verified": "True", "nickname": ""},
        "password": {"value": "Permanent-1", "permanent": true}, "groups": ["admins", "readers"]
    })
}

/// A caller in these groups.
fn creator(api: &Api, groups: &[&str]) -> By {
    api.pool.add_user("kim", "Password-of-kim-1", groups, &[]);
    token("kim", &format!("[{}]", groups.join(" ")))
}

#[tokio::test]
async fn a_first_request_creates_with_a_key_as_without_one() {
    let api = Api::new();
    let answer = repeat(&api, &asking_for_everything()).await;
    assert_eq!((answer.status, answer.header("location")), (201, Some("/v1/users/new")));
}

#[tokio::test]
async fn a_repeat_of_what_is_done_changes_nothing() {
    let temporary = json!({"value": "Temporary-1", "permanent": false});
    for body in [
        json!({"username": "new"}),
        json!({"username": "new", "attributes": {"email": "new@example.com", "email_verified": "true"}}),
        json!({"username": "new", "password": temporary, "invitation": "send"}),
        json!({"username": "new", "groups": ["readers"]}),
        asking_for_everything(),
    ] {
        let api = Api::new();
        let first = repeat(&api, &body).await;
        assert_eq!(first.status, 201, "{body}");
        let (made, invitations) = (writes(&api), api.pool.invitations_of("new"));
        for time in ["once", "twice"] {
            let answer = repeat(&api, &body).await;
            assert_eq!((answer.status, answer.header("location")), (200, None), "{time}: {body}");
            for field in ["username", "sub", "status", "enabled", "attributes", "created_at"] {
                assert_eq!(answer.body[field], first.body[field], "{time}: {body}");
            }
        }
        assert_eq!(writes(&api)[made.len()..], ["create", "create"], "{body}");
        assert_eq!(api.pool.invitations_of("new"), invitations, "{body}");
    }
}

/// The attack: whoever has the name first must not get what was meant for the one whom the request creates.
#[tokio::test]
async fn a_stranger_with_the_name_gets_nothing_from_a_repeat() {
    type Before = fn(&Api);
    let states: [(&str, Before); 4] = [
        ("signed up and confirmed", |_| ()),
        ("signed up", |api| api.pool.set_status("nina", UserStatus::Unconfirmed)),
        ("has a temporary password by now", |api| api.pool.set_status("nina", UserStatus::ForceChangePassword)),
        ("must reset the password", |api| api.pool.set_status("nina", UserStatus::ResetRequired)),
    ];
    let permanent = json!({"value": "Permanent-1", "permanent": true});
    let bodies = [
        json!({"username": "nina", "password": permanent, "groups": ["readers"]}),
        json!({"username": "nina", "password": permanent}),
        json!({"username": "nina", "groups": ["readers"]}),
        json!({"username": "nina"}),
    ];
    for (case, before) in states {
        for body in &bodies {
            let api = Api::new();
            api.pool.add_user("nina", "Password-of-nina-1", &[], &[]);
            before(&api);
            let nina = api.pool.user("nina");
            for _ in 0..2 {
                let answer = repeat(&api, body).await;
                assert_eq!((answer.status, answer.code()), (409, "user-exists"), "{case}: {body}");
                let differing = answer.body["differing"].as_array().unwrap();
                assert!(differing.contains(&json!("creation")), "{case}: {body} {differing:?}");
            }
            assert_eq!((api.pool.user("nina"), api.pool.groups_of("nina")), (nina, vec![]), "{case}: {body}");
            assert!(api.pool.has_password("nina", "Password-of-nina-1"), "{case}: {body}");
        }
    }
}

#[tokio::test]
async fn another_request_is_no_repeat() {
    let body = json!({"username": "new", "groups": ["readers"]});
    let others = [
        (with_key(&body).header("x-nothing", "x"), 200),
        (Call::post("/v1/users", Some(&body)).header("idempotency-key", "another"), 409),
        (with_key(&json!({"username": "new", "groups": ["readers", "visitors"]})), 409),
        (with_key(&json!({"username": "new"})), 409),
        (
            with_key(&json!({
                "username": "new", "groups": ["readers"], "password": {"value": "Permanent-1", "permanent": true}
            })),
            409,
        ),
    ];
    for (number, (call, status)) in others.into_iter().enumerate() {
        let api = Api::new();
        assert_eq!(repeat(&api, &body).await.status, 201);
        let (before, made) = (api.pool.user("new"), writes(&api).len());
        assert_eq!(api.call(call).await.status, status, "{number}");
        assert_eq!((api.pool.user("new"), api.pool.groups_of("new")), (before, vec!["readers".to_owned()]), "{number}");
        assert_eq!(writes(&api)[made..], ["create"], "{number}");
    }
}

#[tokio::test]
async fn another_caller_with_the_same_key_is_refused() {
    let api = Api::new();
    assert_eq!(repeat(&api, &json!({"username": "new"})).await.status, 201);
    let by = creator(&api, &["admins"]);
    let answer = api.call(with_key(&json!({"username": "new"})).by(by)).await;
    assert_eq!((answer.status, answer.code()), (409, "user-exists"));
}

#[tokio::test]
async fn a_repeat_ends_after_a_day() {
    let api = Api::new();
    let body = json!({"username": "new", "groups": ["readers"]});
    assert_eq!(repeat(&api, &body).await.status, 201);
    api.days_pass(1).await;
    assert_eq!(repeat(&api, &body).await.status, 200);
    api.time_passes(std::time::Duration::from_secs(2)).await;
    let answer = repeat(&api, &body).await;
    assert_eq!((answer.status, &answer.body["differing"]), (409, &json!(["creation"])));
}

#[tokio::test]
async fn a_proof_does_not_carry_over_to_a_later_account() {
    let api = Api::new();
    let body =
        json!({"username": "new", "password": {"value": "Permanent-1", "permanent": true}, "groups": ["readers"]});
    assert_eq!(repeat(&api, &body).await.status, 201);
    let proof = api.pool.attributes_of("new")[CREATION_ATTRIBUTE].clone();
    api.pool.remove_user("new");
    api.time_passes(std::time::Duration::from_mins(2)).await;
    api.pool.add_user("new", "Password-of-new-1", &[], &[(CREATION_ATTRIBUTE, &proof)]);
    let answer = repeat(&api, &body).await;
    assert_eq!((answer.status, &answer.body["differing"]), (409, &json!(["creation"])));
    assert!(api.pool.groups_of("new").is_empty() && api.pool.has_password("new", "Password-of-new-1"));
}

#[tokio::test]
async fn a_client_without_a_secret_cannot_repeat() {
    let api = Api::new();
    api.pool.without_client_secret();
    let body = json!({"username": "new", "groups": ["readers"]});
    assert_eq!(repeat(&api, &body).await.status, 201);
    assert!(!api.pool.attributes_of("new").contains_key(CREATION_ATTRIBUTE));
    assert_eq!(repeat(&api, &body).await.status, 409);
}

#[tokio::test]
async fn without_a_key_an_existing_user_is_a_conflict() {
    let api = Api::new();
    let body = json!({"username": "new"});
    assert_eq!(repeat(&api, &body).await.status, 201);
    let answer = api.call(Call::post("/v1/users", Some(&body))).await;
    assert_eq!((answer.status, answer.code(), answer.body.get("differing")), (409, "user-exists", None));
    let without = api.call(Call::post("/v1/users", Some(&json!({"username": "plain"})))).await;
    assert_eq!(without.status, 201);
    assert!(!api.pool.attributes_of("plain").contains_key(CREATION_ATTRIBUTE));
}

#[tokio::test]
async fn a_malformed_key_is_refused_before_anything_is_created() {
    let too_long = "x".repeat(256);
    for key in ["", "two words", &too_long] {
        let api = Api::new();
        let call = Call::post("/v1/users", Some(&json!({"username": "new"}))).header("idempotency-key", key);
        let answer = api.call(call).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!("Idempotency-Key")), "{key:?}");
        assert_eq!(api.pool.user("new"), None, "{key:?}");
    }
}

#[tokio::test]
async fn a_conflict_names_what_differs_and_changes_nothing() {
    type Before = fn(&Api);
    let with = |attributes: Value| json!({"username": "mia", "attributes": attributes, "groups": ["admins"]});
    let permanent = json!({"value": "Permanent-1", "permanent": true});
    let invited: Before = |api| api.pool.set_status("mia", UserStatus::ForceChangePassword);
    let unconfirmed: Before = |api| api.pool.set_status("mia", UserStatus::Unconfirmed);
    let disabled: Before = |api| {
        api.pool.set_status("mia", UserStatus::ForceChangePassword);
        api.pool.disable("mia");
    };
    let table = [
        (with(json!({})), (|_| ()) as Before, json!(["status", "creation"])),
        (with(json!({"email": "Mia@example.com"})), invited, json!(["attributes.email", "creation"])),
        (with(json!({"email_verified": "false"})), invited, json!(["attributes.email_verified", "creation"])),
        (
            with(json!({"email": "mia@example.com", "name": "Mia", "nickname": "mimi"})),
            invited,
            json!(["attributes.name", "attributes.nickname", "creation"]),
        ),
        (json!({"username": "mia", "password": permanent}), unconfirmed, json!(["status", "creation"])),
        (with(json!({"name": "Mia"})), disabled, json!(["attributes.name", "enabled", "creation"])),
    ];
    for (body, before, differing) in table {
        let api = Api::new();
        before(&api);
        let user = api.pool.user("mia");
        let answer = repeat(&api, &body).await;
        assert_eq!((answer.status, answer.code()), (409, "user-exists"), "{body}");
        assert_eq!(answer.body["differing"], differing, "{body}");
        assert_eq!((api.pool.user("mia"), writes(&api)), (user, vec!["create"]), "{body}");
    }
}

#[tokio::test]
async fn a_conflict_says_nothing_to_a_caller_without_users_read() {
    for attributes in [json!({"email": "mia@example.com"}), json!({"email": "guess@example.com"})] {
        let api = Api::new();
        api.pool.set_status("mia", UserStatus::ForceChangePassword);
        let body = json!({"username": "mia", "attributes": attributes});
        let answer = api.call(with_key(&body).by(token("cleo", "[creators]"))).await;
        assert_eq!((answer.status, answer.code()), (409, "user-exists"));
        assert_eq!(answer.body.get("differing"), None);
        let mut seen = answer.body;
        let plain = api.call(Call::post("/v1/users", Some(&body)).by(token("cleo", "[creators]"))).await;
        seen["request_id"] = plain.body["request_id"].clone();
        assert_eq!(seen, plain.body);
    }
    // The same for the caller's own user who was changed since.
    let api = Api::new();
    let body = json!({"username": "new", "attributes": {"name": "New"}});
    let by = || token("cleo", "[creators]");
    assert_eq!(api.call(with_key(&body).by(by())).await.status, 201);
    let changes =
        AttributeChanges { set: Attributes::from([("name".to_owned(), "Newer".to_owned())]), remove: Vec::new() };
    api.pool.directory().change_attributes(&"new".parse().unwrap(), &changes).await.unwrap();
    let answer = api.call(with_key(&body).by(by())).await;
    assert_eq!((answer.status, answer.body.get("differing")), (409, None));
}

#[tokio::test]
async fn what_cognito_stores_otherwise_is_no_difference() {
    let api = Api::new();
    let body = json!({"username": "new", "attributes": {"email_verified": "True", "nickname": ""}});
    assert_eq!(repeat(&api, &body).await.status, 201);
    let changes = AttributeChanges {
        set: Attributes::from([("email_verified".to_owned(), "true".to_owned())]),
        remove: vec!["nickname".to_owned()],
    };
    api.pool.directory().change_attributes(&"new".parse().unwrap(), &changes).await.unwrap();
    let answer = repeat(&api, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_repeat_does_what_is_left_after_setting_the_password_again() {
    let table: [(&str, usize, &str, &[&str]); 4] = [
        ("set_password", 1, "set-password", &["create", "set_password", "add_to_group", "add_to_group"]),
        ("add_to_group", 1, "add-to-group:admins", &["create", "set_password", "add_to_group", "add_to_group"]),
        ("add_to_group", 2, "add-to-group:readers", &["create", "set_password", "add_to_group"]),
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
    // Somebody changes the password in between.
    let name = "new".parse().unwrap();
    let other = domain::secret::Secret::new("Password-of-somebody-1");
    api.pool.directory().set_password(&name, &other, true).await.unwrap();
    api.pool.fail("set_password", 1, Reason::Unavailable);
    assert_eq!(repeat(&api, &asking_for_everything()).await.status, 502);
    assert_eq!(api.pool.groups_of("new"), Vec::<String>::new());

    assert_eq!(repeat(&api, &asking_for_everything()).await.status, 200);
    assert!(api.pool.has_password("new", "Permanent-1"));
    assert_eq!(api.pool.groups_of("new"), ["admins", "readers"]);
}

#[tokio::test]
async fn a_repeat_sets_a_temporary_password_again_before_groups() {
    let api = Api::new();
    let temporary = json!({"value": "Temporary-1", "permanent": false});
    let body = json!({"username": "new", "password": temporary, "groups": ["readers"]});
    api.pool.fail("add_to_group", 1, Reason::Unavailable);
    assert_eq!(repeat(&api, &body).await.status, 502);
    let (name, other) = ("new".parse().unwrap(), domain::secret::Secret::new("Password-of-somebody-1"));
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
async fn a_repeat_with_other_attributes_confirms_no_guess() {
    let api = Api::new();
    let body = |name: &str| json!({"username": "new", "attributes": {"name": name}});
    let create = |name: &str| with_key(&body(name)).by(token("cleo", "[creators]"));
    assert_eq!(api.call(create("First")).await.status, 201);
    api.pool.set_attributes("new", &[("name", "Secret")]);
    for guess in ["Secret", "Wrong"] {
        let answer = api.call(create(guess)).await;
        assert_eq!((answer.status, answer.code()), (409, "user-exists"), "{guess}");
        assert_eq!(answer.body.get("differing"), None, "{guess}");
    }
}

#[tokio::test]
async fn a_repeat_that_fails_says_what_is_done() {
    let table: [(&str, usize, &str, &[&str]); 6] = [
        ("set_password", 1, "set-password", &["create-user", "add-to-group:admins"]),
        ("add_to_group", 1, "add-to-group:readers", &["create-user", "add-to-group:admins", "set-password"]),
        ("get", 1, "", &[]),
        // Whether the `sub` names the same user.
        ("get", 2, "", &[]),
        // The first look at groups is at the caller's.
        ("groups", 2, "read-groups", &["create-user"]),
        ("get", 3, "read-user", &["create-user", "add-to-group:admins", "set-password", "add-to-group:readers"]),
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
async fn a_weak_password_can_be_replaced_by_a_repeat_with_a_better_one() {
    let api = Api::new();
    let body = |password: &str| json!({"username": "new", "password": {"value": password, "permanent": true}});
    let first = repeat(&api, &body("weak")).await;
    assert_eq!((first.status, &first.body["completed"]), (422, &json!(["create-user"])));
    assert_eq!(repeat(&api, &body("Permanent-1")).await.status, 200);
    assert!(api.pool.has_password("new", "Permanent-1"));
    // Nothing is left to do, so no password is set.
    assert_eq!(repeat(&api, &body("Another-1")).await.status, 200);
    assert!(api.pool.has_password("new", "Permanent-1"));
}

#[tokio::test]
async fn a_repeat_sets_a_password_only_with_the_permission_for_it() {
    let api = Api::new();
    let body = json!({"username": "new", "password": {"value": "Permanent-1", "permanent": true}});
    let by = || token("cleo", "[creators]");
    api.pool.fail("set_password", 1, Reason::Unavailable);
    assert_eq!(api.call(with_key(&body).by(by())).await.status, 502);
    let answer = api.call(with_key(&body).by(by())).await;
    assert_eq!((answer.status, answer.code()), (403, "forbidden"));
    assert!(!api.pool.has_password("new", "Permanent-1"));
}

#[tokio::test]
async fn a_repeat_changes_no_user_whose_grants_exceed_the_callers() {
    let api = Api::new();
    api.pool.add_user("dee", "Password-of-dee-1", &["deputies"], &[]);
    let by = || token("dee", "[deputies]");
    let body =
        json!({"username": "new", "password": {"value": "Permanent-1", "permanent": true}, "groups": ["readers"]});
    api.pool.fail("add_to_group", 1, Reason::Unavailable);
    assert_eq!(api.call(with_key(&body).by(by())).await.status, 502);
    // An administrator promotes the user in between.
    let name = "new".parse().unwrap();
    api.pool.directory().add_to_group(&name, "admins").await.unwrap();
    let answer = api.call(with_key(&body).by(by())).await;
    assert_eq!((answer.status, answer.code()), (403, "forbidden"));
    assert_eq!(api.pool.groups_of("new"), ["admins"]);
}

#[tokio::test]
async fn creating_shows_no_attributes_without_users_read() {
    let api = Api::new();
    let body = json!({"username": "new", "attributes": {"name": "New"}});
    let created = api.call(with_key(&body).by(token("cleo", "[creators]"))).await;
    assert_eq!((created.status, &created.body["attributes"]), (201, &json!({})));
    assert_eq!(created.body["sub"], api.sub_of("new"));
    let repeated = api.call(with_key(&body).by(token("cleo", "[creators]"))).await;
    assert_eq!((repeated.status, &repeated.body["attributes"]), (200, &json!({})));
}

#[tokio::test]
async fn the_proof_is_never_shown() {
    let api = Api::new();
    let created = repeat(&api, &asking_for_everything()).await;
    let proof = api.pool.attributes_of("new")[CREATION_ATTRIBUTE].clone();
    assert!(created.body["attributes"].get("email").is_some());
    let repeated = repeat(&api, &asking_for_everything()).await;
    let mut shown = vec![created.body, repeated.body];
    for path in ["/v1/users", "/v1/users/new", "/v1/groups/readers/users"] {
        shown.push(api.call(Call::get(path)).await.body);
    }
    let bearer = format!("Bearer {}", api.token_of("new"));
    let me = api.call(Call::get("/v1/auth/me").by_nobody().header("authorization", &bearer)).await;
    assert_eq!(me.status, 200);
    shown.push(me.body);
    for body in shown {
        let text = body.to_string();
        assert!(text.contains("new") && !text.contains(&proof) && !text.contains(CREATION_ATTRIBUTE), "{text}");
    }
}

#[tokio::test]
async fn the_reserved_attribute_is_accepted_in_no_request() {
    let api = Api::new();
    let attributes = json!({CREATION_ATTRIBUTE: "1.0.x"});
    let calls = [
        Call::post("/v1/users", Some(&json!({"username": "new", "attributes": attributes}))),
        Call::patch("/v1/users/mia", &json!({"attributes": attributes})),
        Call::patch("/v1/users/mia", &json!({"attributes": {CREATION_ATTRIBUTE: null}})),
        Call::get("/v1/users?custom_attribute=custom%3Apoolkeeper_created%3Dx"),
        Call::get("/v1/users?custom_attribute=poolkeeper_created%3Dx"),
        Call::post(
            "/v1/auth/sign-up",
            Some(&json!({"username": "new", "password": "Correct-1", "attributes": attributes})),
        )
        .by_nobody(),
    ];
    for (number, call) in calls.into_iter().enumerate() {
        let answer = api.call(call).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{number}");
    }
    assert_eq!(api.pool.user("new"), None);
}

#[tokio::test]
async fn callers_cannot_add_themselves_to_a_group_by_a_repeat() {
    let api = Api::new();
    let body = json!({"username": "root", "groups": ["admins", "readers"]});
    let answer = repeat(&api, &body).await;
    assert_eq!((answer.status, answer.code()), (409, "user-exists"));
    assert_eq!(api.pool.groups_of("root"), ["admins"]);
}

#[tokio::test]
async fn an_alias_of_another_user_stays_a_conflict() {
    let api = Api::new();
    let attributes = json!({"email": "mia@example.com", "email_verified": "true"});
    let answer = repeat(&api, &json!({"username": "new", "attributes": attributes})).await;
    assert_eq!((answer.status, answer.code()), (409, "alias-exists"));

    // An alias of another user is not the user's name.
    let answer = repeat(&api, &json!({"username": "mia@example.com", "attributes": attributes})).await;
    assert_eq!((answer.status, answer.code()), (409, "user-exists"));
    assert_eq!(answer.body["differing"], json!(["username"]));
}

#[tokio::test]
async fn a_repeat_refuses_a_name_that_is_the_sub_of_another_user() {
    let api = Api::new();
    let body = json!({"username": api.sub_of("mia"), "groups": ["readers"]});
    api.pool.fail("add_to_group", 1, Reason::Unavailable);
    assert_eq!(repeat(&api, &body).await.status, 502);
    let made = writes(&api).len();

    let answer = repeat(&api, &body).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid-request"));
    assert_eq!(answer.body["field"], "username");
    assert_eq!(writes(&api)[made..], ["create"]);
}

#[tokio::test]
async fn a_user_who_is_deleted_in_between_is_a_conflict() {
    let api = Api::new();
    api.pool.fail("create", 1, Reason::UserExists);
    let answer = repeat(&api, &json!({"username": "new"})).await;
    assert_eq!((answer.status, answer.code(), answer.body.get("differing")), (409, "user-exists", None));
}

#[tokio::test]
async fn a_failure_that_is_no_conflict_is_reported_as_it_is() {
    for (reason, status) in [(Reason::Unavailable, 502), (Reason::Throttled, 429), (Reason::InvalidPassword, 422)] {
        let api = Api::new();
        api.pool.fail("create", 1, reason);
        let answer = repeat(&api, &json!({"username": "mia"})).await;
        assert_eq!((answer.status, answer.body.get("completed")), (status, None));
    }
    let api = Api::new();
    api.pool.fail("creation_key", 1, Reason::Throttled);
    assert_eq!(repeat(&api, &json!({"username": "new"})).await.status, 429);
    assert_eq!(api.pool.user("new"), None);
}
