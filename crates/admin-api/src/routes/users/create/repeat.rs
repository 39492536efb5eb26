//! A repeat: the user is there. Is it the one that the request describes, and what is left to be done?

use domain::group::{GroupName, Membership};
use domain::permission::Permission;
use domain::user::{User, UserStatus};
use domain::user_pool_error::{Reason, UserPoolError};

use super::plan::{Plan, Rest};
use super::{CREATE_USER, READ_GROUPS, SET_PASSWORD, add_to_group, complete};
use crate::access::Authorized;
use crate::app::App;
use crate::audit::Audit;
use crate::error::ApiError;
use crate::progress::Progress;
use crate::routes::users::naming::is_named;

/// Goes on where an earlier request came to its end. `taken` is what Cognito said when it was to create the user once more.
pub(super) async fn go_on(
    app: &App,
    authorized: &Authorized,
    audit: &Audit,
    plan: &Plan,
    progress: &Progress,
    taken: UserPoolError,
) -> Result<User, ApiError> {
    let user = match app.pool.get(&plan.new_user.username).await {
        Ok(user) => user,
        // It is not the name that is taken but an alias, by somebody else; or the user is gone again.
        Err(error) if error.reason == Reason::UserNotFound => return Err(taken.into()),
        Err(error) => return Err(error.into()),
    };
    audit.on(&user.username);
    let differing = plan.differing(&user);
    if !differing.is_empty() {
        return Err(ApiError::UserDiffers(differing));
    }

    progress.found(CREATE_USER);
    let permanent_password = plan.permanent_password.as_ref().filter(|_| user.status != UserStatus::Confirmed);
    match permanent_password {
        // Creating users must not be a way to set the passwords of those that others created.
        Some(_) => authorized.require(Permission::UsersPassword)?,
        None if plan.permanent_password.is_some() => progress.found(SET_PASSWORD),
        None => {}
    }
    let has = progress.looking(READ_GROUPS, app.pool.groups(&user.id())).await?;
    let is_in = |group: &&GroupName| Membership::names(&has).any(|name| name == group.as_str());
    let (there, groups): (Vec<_>, Vec<_>) = plan.groups.iter().partition(is_in);
    for group in there {
        progress.found(add_to_group(group));
    }
    if !groups.is_empty() {
        authorized.not_to_oneself(&user)?;
    }
    if permanent_password.is_some() || !groups.is_empty() {
        authorized.not_beyond_own_in(&app.trust.roles, &has)?;
    }

    let user = complete(app, user, Rest { permanent_password, groups }, progress).await?;
    // A repeat is no way to read users: whoever may not is shown no more attributes than they asked for.
    Ok(authorized.sees(user, |name| plan.new_user.attributes.contains_key(name)))
}

impl Plan {
    /// What the user would have to be different in to be the one that is described, by name.
    fn differing(&self, user: &User) -> Vec<String> {
        if !is_named(user, &self.new_user.username) {
            // Somebody else, who is not to be compared.
            return vec!["username".to_owned()];
        }
        let differs = |(name, value): &(&String, &String)| !is_said(name, user.attributes.get(*name), value);
        let attributes = self.new_user.attributes.iter().filter(differs).map(|(name, _)| format!("attributes.{name}"));
        let is_as_far = match user.status {
            UserStatus::ForceChangePassword => true,
            UserStatus::Confirmed => self.permanent_password.is_some(),
            _ => false,
        };
        let status = (!is_as_far).then(|| "status".to_owned());
        let enabled = (!user.enabled).then(|| "enabled".to_owned());
        attributes.chain(status).chain(enabled).collect()
    }
}

/// Whether an attribute says what it was asked to. Cognito does not keep empty ones, and takes `True` for `true`.
fn is_said(name: &str, found: Option<&String>, asked: &str) -> bool {
    let found = found.map_or("", String::as_str);
    found == asked || (name.ends_with("_verified") && found.eq_ignore_ascii_case(asked))
}

#[cfg(test)]
mod tests {
    use domain::user::UserStatus;
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

    /// What was done to the pool, the looks left out.
    fn writes(api: &Api) -> Vec<&'static str> {
        api.pool.calls().into_iter().filter(|call| WRITES.contains(call)).collect()
    }

    fn asking_for_everything() -> Value {
        json!({
            "username": "new", "attributes": {"email": "new@example.com", "email_verified": "True", "nickname": ""},
            "password": {"value": "Permanent-1", "permanent": true}, "groups": ["admins", "readers"]
        })
    }

    /// Who may create users and nothing else, or that and one thing more.
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
    async fn a_repeat_of_what_is_done_does_nothing_and_answers_with_the_user() {
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
            let made_later = writes(&api)[made.len()..].to_vec();
            assert_eq!(made_later, ["create", "create"], "{body}");
            assert_eq!(api.pool.invitations_of("new"), invitations, "{body}");
        }
    }

    #[tokio::test]
    async fn without_a_key_a_user_who_exists_is_a_conflict_whatever_is_asked_for() {
        let api = Api::new();
        let body = json!({"username": "new"});
        assert_eq!(repeat(&api, &body).await.status, 201);
        let answer = api.call(Call::post("/v1/users", Some(&body))).await;
        assert_eq!((answer.status, answer.code(), answer.body.get("differing")), (409, "user-exists", None));
    }

    #[tokio::test]
    async fn a_key_that_is_none_is_refused_before_anything_is_created() {
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
    async fn a_user_who_differs_is_left_alone_and_it_is_said_in_what() {
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
            (with(json!({})), (|_| ()) as Before, json!(["status"])),
            (with(json!({"email": "Mia@example.com"})), invited, json!(["attributes.email"])),
            (with(json!({"email_verified": "false"})), invited, json!(["attributes.email_verified"])),
            (
                with(json!({"email": "mia@example.com", "name": "Mia", "nickname": "mimi"})),
                invited,
                json!(["attributes.name", "attributes.nickname"]),
            ),
            (json!({"username": "mia", "password": permanent}), unconfirmed, json!(["status"])),
            (with(json!({"name": "Mia"})), disabled, json!(["attributes.name", "enabled"])),
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
    async fn what_cognito_writes_otherwise_than_it_was_asked_to_is_no_difference() {
        let api = Api::new();
        api.pool.set_status("mia", UserStatus::ForceChangePassword);
        let body = |attributes: Value| json!({"username": "mia", "attributes": attributes});
        let answer = repeat(&api, &body(json!({"email_verified": "True", "nickname": ""}))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer = repeat(&api, &body(json!({"email": "MIA@example.com"}))).await;
        assert_eq!(answer.status, 409, "{}", answer.body);
    }

    #[tokio::test]
    async fn what_an_earlier_request_did_not_get_to_is_done() {
        let table: [(&str, usize, &str, &[&str]); 4] = [
            ("set_password", 1, "set-password", &["create", "set_password", "add_to_group", "add_to_group"]),
            ("add_to_group", 1, "add-to-group:admins", &["create", "add_to_group", "add_to_group"]),
            ("add_to_group", 2, "add-to-group:readers", &["create", "add_to_group"]),
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
    async fn a_repeat_that_fails_tells_what_stands_as_a_first_request_does() {
        let table: [(&str, usize, &str, &[&str]); 5] = [
            ("set_password", 1, "set-password", &["create-user", "add-to-group:readers"]),
            ("add_to_group", 1, "add-to-group:admins", &["create-user", "add-to-group:readers", "set-password"]),
            // The first look at groups is at the caller's.
            ("get", 1, "", &[]),
            ("groups", 2, "read-groups", &["create-user"]),
            ("get", 2, "read-user", &["create-user", "add-to-group:readers", "set-password", "add-to-group:admins"]),
        ];
        for (operation, nth, failed, completed) in table {
            let api = Api::new();
            let created = json!({"username": "new", "groups": ["readers"], "password": {"value": "Temporary-1", "permanent": false}});
            assert_eq!(repeat(&api, &created).await.status, 201);
            api.pool.fail(operation, nth, Reason::Unavailable);
            let body = json!({
                "username": "new", "password": {"value": "Permanent-1", "permanent": true}, "groups": ["admins", "readers"]
            });
            let answer = repeat(&api, &body).await;
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
    async fn a_password_that_was_set_counts_as_done() {
        let api = Api::new();
        api.pool.fail("add_to_group", 2, Reason::Unavailable);
        repeat(&api, &asking_for_everything()).await;
        api.pool.fail("add_to_group", 1, Reason::Throttled);
        let answer = repeat(&api, &asking_for_everything()).await;
        assert_eq!((answer.status, &answer.body["failed"]), (429, &json!("add-to-group:readers")));
        assert_eq!(answer.body["completed"], json!(["create-user", "set-password", "add-to-group:admins"]));
        assert!(answer.body["detail"].as_str().unwrap().contains("`Idempotency-Key`"), "{}", answer.body);
    }

    #[tokio::test]
    async fn a_weak_password_can_be_mended_by_a_repeat_with_a_better_one() {
        let api = Api::new();
        let body = |password: &str| json!({"username": "new", "password": {"value": password, "permanent": true}});
        let first = repeat(&api, &body("weak")).await;
        assert_eq!((first.status, &first.body["completed"]), (422, &json!(["create-user"])));
        assert_eq!(repeat(&api, &body("Permanent-1")).await.status, 200);
        assert!(api.pool.has_password("new", "Permanent-1"));
        // A password that is set is not compared, and not set again.
        assert_eq!(repeat(&api, &body("Another-1")).await.status, 200);
        assert!(api.pool.has_password("new", "Permanent-1"));
    }

    #[tokio::test]
    async fn a_repeat_sets_the_password_of_somebody_elses_user_only_with_the_permission_for_that() {
        let body = json!({"username": "mia", "password": {"value": "Permanent-1", "permanent": true}});
        let api = Api::new();
        api.pool.set_status("mia", UserStatus::ForceChangePassword);
        let answer = api.call(with_key(&body).by(token("cleo", "[creators]"))).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
        assert!(api.pool.has_password("mia", "Password-of-mia-1"));

        let answer = repeat(&api, &body).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("CONFIRMED")));
        assert!(api.pool.has_password("mia", "Permanent-1"));

        // There is nothing left to be set.
        let answer = api.call(with_key(&body).by(token("cleo", "[creators]"))).await;
        assert_eq!(answer.status, 200);
    }

    #[tokio::test]
    async fn a_repeat_changes_nobody_who_may_do_more_than_the_caller() {
        let password = json!({"value": "Permanent-1", "permanent": true});
        for change in [json!({"password": password}), json!({"groups": ["readers"]})] {
            let api = Api::new();
            api.pool.add_user("dee", "Password-of-dee-1", &["deputies"], &[]);
            api.pool.add_user("ann", "Temporary-1", &["admins"], &[]);
            api.pool.set_status("ann", UserStatus::ForceChangePassword);
            let mut body = json!({"username": "ann"});
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let answer = api.call(with_key(&body).by(token("dee", "[deputies]"))).await;
            assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{body}");
            assert!(api.pool.has_password("ann", "Temporary-1"), "{body}");
            assert_eq!(api.pool.groups_of("ann"), ["admins"], "{body}");

            assert_eq!(repeat(&api, &body).await.status, 200, "{body}");
            // There is nothing left to be changed.
            let unchanged = json!({"username": "ann", "password": body["password"]});
            let answer = api.call(with_key(&unchanged).by(token("dee", "[deputies]"))).await;
            assert_eq!(answer.status, 200, "{body}");
        }
    }

    #[tokio::test]
    async fn a_repeat_shows_no_attributes_to_those_who_may_not_read_them() {
        let api = Api::new();
        api.pool.set_status("mia", UserStatus::ForceChangePassword);
        let body = json!({"username": "mia", "attributes": {"email_verified": "true"}});
        let shown = api.call(with_key(&body).by(token("cleo", "[creators]"))).await;
        assert_eq!((shown.status, &shown.body["attributes"]), (200, &json!({"email_verified": "true"})));
        assert_eq!(shown.body["sub"], api.sub_of("mia"));

        let by = creator(&api, &["creators", "readers"]);
        let shown = api.call(with_key(&body).by(by)).await;
        assert_eq!(shown.body["attributes"], json!({"email": "mia@example.com", "email_verified": "true"}));
    }

    #[tokio::test]
    async fn nobody_puts_themselves_into_a_group_by_a_repeat() {
        let api = Api::new();
        let body = |groups: Value| {
            let password = json!({"value": "Permanent-1", "permanent": true});
            json!({"username": "root", "password": password, "groups": groups})
        };
        let answer = repeat(&api, &body(json!(["admins", "readers"]))).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
        assert_eq!(api.pool.groups_of("root"), ["admins"]);
        assert_eq!(repeat(&api, &body(json!(["admins"]))).await.status, 200);
    }

    #[tokio::test]
    async fn an_alias_of_somebody_else_stays_a_conflict() {
        let api = Api::new();
        let attributes = json!({"email": "mia@example.com", "email_verified": "true"});
        let answer = repeat(&api, &json!({"username": "new", "attributes": attributes})).await;
        assert_eq!((answer.status, answer.code()), (409, "alias-exists"));

        // Somebody's alias is not their name.
        let answer = repeat(&api, &json!({"username": "mia@example.com", "attributes": attributes})).await;
        assert_eq!((answer.status, answer.code()), (409, "user-exists"));
        assert_eq!(answer.body["differing"], json!(["username"]));
    }

    /// In a pool where people sign in with their e-mail address, Cognito makes the user name up: it is the `sub`.
    #[tokio::test]
    async fn a_user_whose_name_cognito_made_up_is_known_by_the_address_that_was_given() {
        let api = Api::new();
        api.pool.add_user("probe", "Password-of-probe-1", &[], &[]);
        let count: u32 = api.sub_of("probe").rsplit_once('-').unwrap().1.parse().unwrap();
        let made_up = format!("00000000-0000-4000-8000-{:012}", count + 1);
        let attributes = [("email", "new@example.com"), ("email_verified", "true")];
        api.pool.add_user(&made_up, "Temporary-1", &[], &attributes);
        assert_eq!(api.sub_of(&made_up), made_up);
        api.pool.set_status(&made_up, UserStatus::ForceChangePassword);

        let body =
            json!({"username": "New@example.com", "attributes": {"email_verified": "true"}, "groups": ["readers"]});
        api.pool.fail("create", 1, Reason::UserExists);
        let unknown = repeat(&api, &body).await;
        assert_eq!((unknown.status, unknown.code()), (409, "user-exists"), "this pool does not find it by capitals");
        let body =
            json!({"username": "new@example.com", "attributes": {"email_verified": "true"}, "groups": ["readers"]});
        api.pool.fail("create", 1, Reason::UserExists);
        let answer = repeat(&api, &body).await;
        assert_eq!((answer.status, &answer.body["username"]), (200, &json!(made_up)));
        assert_eq!(api.pool.groups_of(&made_up), ["readers"]);
    }

    #[tokio::test]
    async fn a_user_who_is_gone_again_is_not_made_up() {
        let api = Api::new();
        api.pool.fail("create", 1, Reason::UserExists);
        let answer = repeat(&api, &json!({"username": "new"})).await;
        assert_eq!((answer.status, answer.code(), answer.body.get("differing")), (409, "user-exists", None));
    }

    #[tokio::test]
    async fn a_failure_that_is_no_conflict_is_told_as_it_is() {
        for (reason, status) in [(Reason::Unavailable, 502), (Reason::Throttled, 429), (Reason::InvalidPassword, 422)] {
            let api = Api::new();
            api.pool.fail("create", 1, reason);
            let answer = repeat(&api, &json!({"username": "mia"})).await;
            assert_eq!((answer.status, answer.body.get("completed")), (status, None));
        }
    }
}
