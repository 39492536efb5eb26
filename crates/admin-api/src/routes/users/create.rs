//! `POST /v1/users`: creates a user with a password and groups.
//!
//! If one of several calls fails, the response lists the completed calls. A repeated request with the same
//! `Idempotency-Key` makes the remaining calls.

mod plan;
mod proof;
mod request;
mod resume;

use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Response};
use domain::permission::Permission;
use domain::user_pool::directory::WelcomeMessage;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::GroupName;
use domain::user_pool::user::{CREATION_ATTRIBUTE, User};
use http::StatusCode;
use http::header::LOCATION;
use startup::metrics;

use self::plan::{NewPassword, Plan, Rest};
use self::proof::Creation;
use self::request::{Body, CreateUser};
use self::resume::Resume;
use crate::app::App;
use crate::audit::record::Audit;
use crate::audit::steps::Progress;
use crate::authz::access::Authorized;
use crate::http::error::ApiError;
use crate::http::idempotency_key::IdempotencyKey;
use crate::http::json::Json;
use crate::http::path;
use crate::routes::user_view::UserView;

/// Create a user
///
/// Also sets a permanent password and adds the user to groups, if the request contains them. If one of these steps
/// fails, the response lists the completed steps. The response contains attributes only with the permission
/// `users:read`.
///
/// With an `Idempotency-Key`, the same caller can repeat the same request within 24 hours. A repeat completes the user
/// that the first request created, and returns 200. The repeat sends no welcome message. Before it adds groups, it sets
/// the requested password again, which requires the permission `users:password`, and ends all sessions of the user. If
/// no step remains, the repeat changes nothing. Requests cannot be repeated if the app client has no secret.
///
/// Any other existing user is a conflict. With `users:read`, the response lists the fields that differ, including
/// `creation` if another request created the user.
#[utoipa::path(
    post, path = "/v1/users", tag = "users", operation_id = "create_user",
    params((
        "Idempotency-Key" = Option<String>, Header,
        description = "A text that the client generates for each user. Makes the request safe to repeat.",
        min_length = 1, max_length = 255, pattern = "^[!-~]+$", nullable = false,
    )),
    request_body = CreateUser,
    responses(
        (
            status = 201, description = "The user is created.", body = UserView, headers(("Location" = String)),
            example = json!(UserView::example_of_an_invited_user())
        ),
        (
            status = 200, description = "An earlier request with this key created the user, which matches the request.", body = UserView,
            example = json!(UserView::example_of_an_invited_user())
        ),
    ),
    extensions(("x-problems" = json!([
        "mail-quota-exceeded", "user-exists", "alias-exists", "invalid-password", "user-not-found", "group-not-found", "wrong-state",
        "sign-up-refused"
    ])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    authorized: Authorized,
    audit: Audit,
    progress: Progress,
    IdempotencyKey(idempotency_key): IdempotencyKey,
    Json(body): Json<Body>,
) -> Result<Response, ApiError> {
    audit.on(&body.username);
    let plan = Plan::try_from(body)?;
    audit.fields(plan.fields());
    if !plan.groups.is_empty() {
        authorized.require(Permission::UsersGroups)?;
        for group in &plan.groups {
            authorized.ensure_assignable(group.as_str())?;
        }
        authorized.ensure_no_escalation(&app.trust.roles, plan.groups.iter().map(GroupName::as_str))?;
        for group in &plan.groups {
            // Callers with `groups:roles` need this read too, so that an unknown group is rejected before the user is
            // created.
            let group = app.pool.group(group).await?;
            authorized.ensure_role_permitted(group.role_arn.as_deref())?;
        }
    }
    let mut new_user = plan.new_user.clone();
    let mut proof = None;
    if let Some(idempotency_key) = &idempotency_key {
        let creation = Creation { caller: &authorized.caller, idempotency_key, plan: &plan };
        let key = app.creation_key().await?;
        if let Some(key) = &key {
            new_user.attributes.insert(CREATION_ATTRIBUTE.to_owned(), creation.prove(key, app.now())?);
        }
        proof = Some((creation, key));
    }
    match (app.pool.create(&new_user).await, &proof) {
        (Err(taken), Some((creation, key))) if is_taken(&taken) => {
            let resume = Resume { app: &app, authorized: &authorized, audit: &audit, plan: &plan, progress: &progress };
            let user = resume.run(creation, key.as_ref(), taken).await?;
            Ok(axum::Json(app.view(user, &authorized).await).into_response())
        }
        (outcome, _) => {
            let user = progress.then(CREATE_USER, std::future::ready(outcome)).await?;
            audit.on_found(&user);
            if new_user.welcome_message == WelcomeMessage::Send {
                metrics::mail();
            }
            let user = complete(&app, user, plan.rest(), &progress).await?;
            let location = format!("/v1/users/{}", path::segment(user.username.as_str()));
            let answer = axum::Json(app.view(user, &authorized).await);
            Ok((StatusCode::CREATED, AppendHeaders([(LOCATION, location)]), answer).into_response())
        }
    }
}

// The step names in responses.
const CREATE_USER: &str = "create-user";
const SET_PASSWORD: &str = "set-password";
const READ_GROUPS: &str = "read-groups";
const READ_USER: &str = "read-user";

fn add_to_group(group: &impl std::fmt::Display) -> String {
    format!("add-to-group:{group}")
}

fn is_taken(error: &UserPoolError) -> bool {
    matches!(error.reason, Reason::UserExists | Reason::AliasExists)
}

/// Makes the remaining calls for a user that exists.
async fn complete(app: &App, user: User, rest: Rest<'_>, progress: &Progress) -> Result<User, ApiError> {
    let Rest { password, ends_sessions, groups } = rest;
    let name = &user.id();
    if let Some(NewPassword { value, permanent }) = &password {
        progress.then(SET_PASSWORD, app.pool.set_password(name, value, *permanent)).await?;
    }
    if ends_sessions {
        app.sign_out(progress, &user).await?;
    }
    for group in groups {
        progress.then(add_to_group(group), app.pool.add_to_group(name, group.as_str())).await?;
    }
    if password.is_some() {
        // Setting the password has changed the status.
        return progress.then(READ_USER, app.pool.get(name)).await;
    }
    Ok(user)
}

#[cfg(test)]
mod tests {
    use domain::user_pool::error::Reason;
    use domain::user_pool::user::UserStatus;
    use serde_json::{Value, json};
    use testkit::in_memory::InMemoryPool;

    use crate::settings::AdminMfa;
    use crate::testing::{Api, Call, token};

    async fn create(api: &Api, body: &Value) -> crate::testing::Answer {
        api.call(Call::post("/v1/users", Some(body))).await
    }

    #[tokio::test]
    async fn an_invited_user_is_shown_as_invited() {
        let api = Api::new();
        let answer =
            create(&api, &json!({"username": "new@example.com", "attributes": {"email": "new@example.com"}})).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.body["status"], "FORCE_CHANGE_PASSWORD");
        assert_eq!(answer.body["life_cycle"]["state"], "invited");
        assert_eq!(answer.body["attributes"], json!({"email": "new@example.com"}));
        assert_eq!(answer.header("location"), Some("/v1/users/new%40example.com"));
        assert!(api.pool.was_invited("new@example.com"));
    }

    #[tokio::test]
    async fn a_password_suppresses_the_welcome_message_unless_requested() {
        for (body, invited) in [
            (json!({"username": "new", "password": "Temporary-1"}), false),
            (json!({"username": "new", "password": "Temporary-1", "welcome_message": "send"}), true),
            (json!({"username": "new", "welcome_message": "suppress"}), false),
            (json!({"username": "new", "password": null, "permanent": false}), true),
        ] {
            let api = Api::new();
            let answer = create(&api, &body).await;
            assert_eq!((answer.status, api.pool.was_invited("new")), (201, invited), "{body}");
            assert_eq!(api.pool.user("new").unwrap().status, UserStatus::ForceChangePassword, "{body}");
        }
    }

    #[tokio::test]
    async fn a_permanent_password_makes_a_confirmed_user_at_once() {
        let api = Api::new();
        let body = json!({"username": "new", "password": "Permanent-1", "permanent": true, "groups": ["readers"]});
        let answer = create(&api, &body).await;
        assert_eq!((answer.status, &answer.body["status"]), (201, &json!("CONFIRMED")));
        assert!(api.pool.has_password("new", "Permanent-1"));
        assert_eq!(api.pool.groups_of("new"), ["readers"]);
        assert!(!api.pool.was_invited("new"));
    }

    #[tokio::test]
    async fn creating_twice_is_a_conflict() {
        let api = Api::new();
        let body = json!({"username": "new", "attributes": {"name": "First"}});
        assert_eq!(create(&api, &body).await.status, 201);
        let again = create(&api, &json!({"username": "new", "attributes": {"name": "Second"}})).await;
        assert_eq!((again.status, again.code()), (409, "user-exists"));
        assert_eq!(api.pool.attributes_of("new")["name"], "First");
    }

    #[tokio::test]
    async fn a_taken_alias_and_a_weak_password_create_no_user() {
        let taken = json!({"email": "mia@example.com", "email_verified": "true"});
        for (body, status, code) in [
            (json!({"username": "new", "attributes": taken}), 409, "alias-exists"),
            (json!({"username": "new", "password": "weak"}), 422, "invalid-password"),
            (json!({"username": "new", "password": "weak", "permanent": true}), 422, "invalid-password"),
        ] {
            let api = Api::new();
            let answer = create(&api, &body).await;
            assert_eq!((answer.status, answer.code()), (status, code));
            assert_eq!(answer.body["completed"], Value::Null);
            assert_eq!(api.pool.user("new"), None);
        }
    }

    #[tokio::test]
    async fn when_a_later_step_fails_the_answer_says_what_stands() {
        let body = json!({
            "username": "new", "password": "Permanent-1", "permanent": true, "groups": ["admins", "readers"]
        });
        let table: [(&str, usize, &str, &[&str]); 4] = [
            ("set_password", 1, "set-password", &["create-user"]),
            ("add_to_group", 1, "add-to-group:admins", &["create-user", "set-password"]),
            ("add_to_group", 2, "add-to-group:readers", &["create-user", "set-password", "add-to-group:admins"]),
            ("get", 1, "read-user", &["create-user", "set-password", "add-to-group:admins", "add-to-group:readers"]),
        ];
        for (operation, nth, failed, completed) in table {
            let api = Api::new();
            api.pool.fail(operation, nth, Reason::Unavailable);
            let answer = create(&api, &body).await;
            assert_eq!((answer.status, answer.code()), (502, "upstream-unavailable"), "{failed}");
            assert_eq!((&answer.body["failed"], &answer.body["completed"]), (&json!(failed), &json!(completed)));
            assert!(api.pool.user("new").is_some(), "{failed}");
        }
    }

    #[tokio::test]
    async fn an_unknown_group_is_refused_before_there_is_a_user() {
        let api = Api::new();
        let answer = create(&api, &json!({"username": "new", "groups": ["readers", "no-such-group"]})).await;
        assert_eq!((answer.status, answer.code()), (404, "group-not-found"));
        assert_eq!((answer.body.get("completed"), api.pool.user("new")), (None, None));
    }

    #[tokio::test]
    async fn groups_ask_for_their_own_permission_before_anything_is_created() {
        let api = Api::new();
        let body = json!({"username": "new", "groups": ["admins"]});
        let answer = api.call(Call::post("/v1/users", Some(&body)).by(token("cleo", "[creators]"))).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
        assert_eq!(api.pool.user("new"), None);

        let without_groups = json!({"username": "new", "groups": []});
        let answer = api.call(Call::post("/v1/users", Some(&without_groups)).by(token("cleo", "[creators]"))).await;
        assert_eq!(answer.status, 201);
    }

    #[tokio::test]
    async fn rejects_groups_that_the_caller_cannot_assign() {
        let api = Api::new();
        api.pool.add_user("sue", "Password-of-sue-1", &["assigners", "creators"], &[]);
        api.pool.add_user("bob", "Password-of-bob-1", &["carriers"], &[]);
        api.pool.set_group_role("carriers", "arn:aws:iam::123456789012:role/carriers");
        let body = |group: &str| json!({"username": "new", "groups": [group]});
        let create = async |group: &str, by: &str, groups: &str| {
            api.call(Call::post("/v1/users", Some(&body(group))).by(token(by, groups))).await
        };
        for (group, by, groups) in
            [("readers", "sue", "[assigners creators]"), ("carriers", "sue", "[assigners creators]")]
        {
            let answer = create(group, by, groups).await;
            assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{group}");
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.contains("do not include this group"), "{group}: {detail}");
        }
        assert_eq!(create("visitors", "sue", "[assigners creators]").await.status, 201);
        assert_eq!(api.pool.groups_of("new"), ["visitors"]);
    }

    /// `guests` grants no permissions and has no IAM role, so only the list of assignable groups can reject it.
    #[tokio::test]
    async fn a_list_of_assignable_groups_limits_creation() {
        let roles = json!({"helpers": ["users:create", "users:groups:visitors"]});
        for (groups, status) in
            [(json!(["guests"]), 403), (json!(["visitors", "guests"]), 403), (json!(["visitors"]), 201)]
        {
            let api = Api::on(InMemoryPool::new(), &roles, AdminMfa::Optional);
            api.pool.add_user("sue", "Password-of-sue-1", &["helpers"], &[]);
            for group in ["guests", "visitors"] {
                api.pool.add_group(group);
            }
            let body = json!({"username": "new", "groups": groups});
            let answer = api.call(Call::post("/v1/users", Some(&body)).by(token("sue", "[helpers]"))).await;
            assert_eq!((answer.status, api.pool.user("new").is_some()), (status, status == 201), "{groups}");
        }
    }

    #[tokio::test]
    async fn rejects_malformed_bodies_with_their_position() {
        let too_many_groups: Vec<_> = (0..101).map(|number| format!("group-{number}")).collect();
        let table = [
            (json!({}), Some("username")),
            (json!({"username": ""}), Some("username")),
            (json!({"username": "new", "attributes": {"x".repeat(33): "y"}}), Some("attributes")),
            (json!({"username": "new", "password": {"value": "Correct-1"}, "permanent": true}), Some("password")),
            (json!({"username": "new", "password": ""}), Some("password")),
            (json!({"username": "new", "password": " Correct-1"}), Some("password")),
            (json!({"username": "new", "password": "Correct-1".repeat(29)}), Some("password")),
            (json!({"username": "new", "permanent": true}), Some("permanent")),
            (json!({"username": "new", "password": null, "permanent": true}), Some("permanent")),
            (json!({"username": "new", "password": "Correct-1", "permanent": null}), Some("permanent")),
            (json!({"username": "new", "welcome_message": "perhaps"}), Some("welcome_message")),
            (json!({"username": "new", "groups": ["two words"]}), Some("groups[0]")),
            (json!({"username": "new", "groups": ["admins", "readers", "admins"]}), Some("groups")),
            (json!({"username": "new", "groups": too_many_groups}), Some("groups")),
            (json!({"username": "new", "group": "admins"}), Some("group")),
            (
                json!({"username": "new", "welcome_message": "send", "password": "Correct-1", "permanent": true}),
                Some("welcome_message"),
            ),
            (json!(["new"]), None),
        ];
        for (body, field) in table {
            let api = Api::new();
            let answer = create(&api, &body).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{body}");
            let found = answer.body["field"].as_str();
            assert!(
                found == field || found.is_some_and(|found| found.starts_with(field.unwrap())),
                "{body}: {found:?}"
            );
            assert_eq!(api.pool.user("new"), None, "{body}");
        }
    }

    #[tokio::test]
    async fn a_caller_with_read_permissions_creates_no_user() {
        let api = Api::new();
        let call = Call::post("/v1/users", Some(&json!({"username": "new"}))).by(token("ray", "[readers]"));
        let answer = api.call(call).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"));
        assert_eq!(api.pool.user("new"), None);
    }
}
