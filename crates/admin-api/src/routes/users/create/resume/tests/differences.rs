//! Tests which differences a conflict lists, and for which callers.

use domain::user_pool::directory::{AttributeChanges, Directory};
use domain::user_pool::error::Reason;
use domain::user_pool::user::{Attributes, UserStatus};
use serde_json::{Value, json};

use super::{repeat, with_key, writes};
use crate::testing::{Api, Call, token};

#[tokio::test]
async fn a_conflict_names_what_differs_and_changes_nothing() {
    type Before = fn(&Api);
    let with = |attributes: Value| json!({"username": "mia", "attributes": attributes, "groups": ["admins"]});
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
        (
            json!({"username": "mia", "password": "Permanent-1", "permanent": true}),
            unconfirmed,
            json!(["status", "creation"]),
        ),
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
    // Differences are also hidden if another caller has changed the user that this caller created.
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
async fn a_user_who_is_deleted_in_between_is_a_conflict() {
    let api = Api::new();
    api.pool.fail("create", 1, Reason::UserExists);
    let answer = repeat(&api, &json!({"username": "new"})).await;
    assert_eq!((answer.status, answer.code(), answer.body.get("differing")), (409, "user-exists", None));
}
