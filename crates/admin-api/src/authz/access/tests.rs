//! Tests that the caller's data in the user pool authorizes writes.

mod authorization_table;
mod second_factor;

use domain::permission::Permission;
use domain::user_pool::error::Reason;
use serde_json::{Value, json};
use testkit::logs::Logs;

use crate::authz::access::Access;
use crate::routes;
use crate::settings::{AdminMfa, Served};
use crate::testing::{Answer, Api, By, Call, rest_token, token, token_with};

async fn delete_mia(api: &Api, by: By) -> Answer {
    api.call(Call::delete("/v1/users/mia").by(by)).await
}

#[tokio::test]
async fn a_write_checks_the_current_state_of_the_caller() {
    type Event = fn(&Api);
    let table: [(&str, Event, u16, &str); 7] = [
        ("signed out", |api| api.pool.sign_out("root"), 401, "invalid-credentials"),
        ("disabled", |api| api.pool.disable("root"), 401, "invalid-credentials"),
        ("removed from the group", |api| api.pool.remove_from_group("root", "admins"), 403, "forbidden"),
        ("deleted", |api| api.pool.remove_user("root"), 401, "invalid-credentials"),
        ("deleted in between", |api| api.pool.fail("groups", 1, Reason::UserNotFound), 401, "invalid-credentials"),
        ("must reset", |api| api.pool.fail("myself", 1, Reason::PasswordResetRequired), 403, "password-reset-required"),
        (
            "deleted and created again",
            |api| {
                api.pool.remove_user("root");
                api.pool.add_user("root", "Password-of-root-1", &["admins"], &[]);
            },
            401,
            "unauthenticated",
        ),
    ];
    for (case, event, status, code) in table {
        let api = Api::new();
        let by = token_with("root", &json!({"cognito:groups": "[admins]", "sub": api.sub_of("root")}));
        api.token_of("root");
        event(&api);
        let answer = delete_mia(&api, by).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{case}");
        assert!(api.pool.user("mia").is_some(), "{case}");
    }
}

#[tokio::test]
async fn rejects_a_write_if_the_pool_cannot_be_read() {
    for (operation, nth, reason, status) in [
        ("myself", 1, Reason::Throttled, 429),
        ("groups", 1, Reason::Unavailable, 502),
        ("groups", 1, Reason::DeadlineExceeded, 504),
        // This call reads the groups of the user in the path.
        ("groups", 2, Reason::Throttled, 429),
    ] {
        let api = Api::new();
        api.pool.fail(operation, nth, reason);
        let answer = delete_mia(&api, token("root", "[admins]")).await;
        assert_eq!(answer.status, status);
        assert!(api.pool.user("mia").is_some());
    }
}

#[tokio::test]
async fn a_write_accepts_only_the_callers_own_token() {
    let api = Api::new();
    api.pool.add_user("ann", "Password-of-ann-1", &["admins"], &[]);
    let others = format!("Bearer {}", api.token_of("ann"));
    let table = [
        ("authorization", others.as_str(), "unauthenticated"),
        ("authorization", "Bearer made-up", "invalid-credentials"),
        ("authorization", "Basic cm9vdDpyb290", "unauthenticated"),
        ("authorization", "", "unauthenticated"),
    ];
    for (header, value, code) in table {
        let answer = api.call(Call::delete("/v1/users/mia").header(header, value)).await;
        assert_eq!((answer.status, answer.code()), (401, code), "{value}");
    }
    assert!(api.pool.user("mia").is_some());
    let bare = api.token_of("root");
    assert_eq!(api.call(Call::delete("/v1/users/mia").header("authorization", &bare)).await.status, 204);
}

#[tokio::test]
async fn a_write_requires_the_scope_of_get_user_before_any_call() {
    for scope in [json!("openid email"), json!("aws.cognito.signin.user.admin.x"), Value::Null] {
        let api = Api::new();
        let http = token_with("root", &json!({"cognito:groups": "[admins]", "scope": scope}));
        let rest = rest_token("root", &json!({"cognito:groups": "admins", "scope": scope}));
        for by in [http, rest] {
            let answer = delete_mia(&api, by).await;
            assert_eq!((answer.status, answer.code()), (403, "insufficient-scope"), "{scope}");
        }
        assert_eq!(api.pool.calls(), Vec::<&str>::new(), "{scope}");
        let read = token_with("root", &json!({"cognito:groups": "[admins]", "scope": scope}));
        assert_eq!(api.call(Call::get("/v1/users/mia").by(read)).await.status, 200, "{scope}");
    }
}

/// The groups are read by the `sub`. While another user has it as a name, they are the groups of that user.
#[tokio::test]
async fn a_write_checks_the_name_of_the_target_before_its_groups() {
    let api = Api::new();
    assert_eq!(api.call(Call::post("/v1/users/mia/disable", None)).await.status, 200);
    assert_eq!(api.pool.calls(), ["myself", "groups", "get", "get", "groups", "disable"]);
}

#[tokio::test]
async fn a_write_reads_the_caller_alone_while_the_pool_is_unavailable() {
    for (reason, reads_alone) in
        [(Reason::Unavailable, true), (Reason::DeadlineExceeded, true), (Reason::Throttled, false)]
    {
        let api = Api::new();
        (1..=2).for_each(|nth| api.pool.fail("myself", nth, reason));
        let mut calls_of_writes = Vec::new();
        for _ in 0..4 {
            let before = api.pool.calls().len();
            api.call(Call::post("/v1/users/mia/sign-out", None)).await;
            calls_of_writes.push(api.pool.calls()[before..].to_vec());
        }
        let side_by_side = ["myself", "groups", "get", "get", "groups", "sign_out"].to_vec();
        let first_after =
            if reads_alone { [vec!["myself"], side_by_side.clone()].concat() } else { side_by_side.clone() };
        assert_eq!(calls_of_writes, [vec!["myself"], vec!["myself"], first_after, side_by_side], "{reason:?}");
    }
}

#[tokio::test]
async fn a_rejected_caller_reads_no_target_after_the_pool_was_unavailable() {
    let api = Api::new();
    api.pool.fail("myself", 1, Reason::Unavailable);
    let call = || Call::post("/v1/users/mia/disable", None);
    assert_eq!(api.call(call()).await.code(), "upstream-unavailable");
    api.pool.sign_out("root");
    let before = api.pool.calls().len();
    assert_eq!(api.call(call()).await.status, 401);
    assert_eq!(api.pool.calls()[before..], ["myself"]);
}

#[tokio::test]
async fn the_access_token_reaches_no_log() {
    let logs = Logs::capture();
    for failure in [None, Some(Reason::InvalidCredentials), Some(Reason::Unavailable)] {
        let api = Api::new();
        if let Some(reason) = failure {
            api.pool.fail("myself", 1, reason);
        }
        delete_mia(&api, token("root", "[admins]")).await;
    }
    let lines = json!(logs.lines()).to_string();
    assert!(lines.contains("audit") && !lines.contains("access-token-of"), "{lines}");
}

#[tokio::test]
async fn a_group_with_a_role_requires_a_permission_for_it() {
    let stewards = || token("sam", "[stewards]");
    let with_carrier = || {
        let api = Api::new();
        api.pool.add_user("sam", "Password-of-sam-1", &["stewards"], &[]);
        api.pool.add_user("bob", "Password-of-bob-1", &["carriers"], &[]);
        api.pool.set_group_role("carriers", "arn:aws:iam::123456789012:role/visitors");
        api
    };
    let password = json!({"password": "Correct-1", "permanent": true});
    let calls = || {
        [
            Call::new("PUT", "/v1/users/mia/groups/carriers", None),
            Call::delete("/v1/users/bob/groups/carriers"),
            Call::post("/v1/users", Some(&json!({"username": "new", "groups": ["carriers"]}))),
            Call::patch("/v1/groups/carriers", &json!({"description": "x"})),
            Call::delete("/v1/groups/carriers"),
            Call::put("/v1/users/bob/password", &password),
            Call::patch("/v1/users/bob", &json!({"attributes": {"email": "mallory@example.com"}})),
            Call::put("/v1/users/bob/mfa", &json!({"enabled": []})),
            Call::put("/v1/users/bob/identities/Google", &json!({"user_id": "1"})),
            Call::post("/v1/users/bob/sign-out", None),
        ]
    };
    for (number, call) in calls().into_iter().enumerate() {
        let api = with_carrier();
        let before = (api.pool.user("bob"), api.pool.user("mia"), api.pool.groups_of("bob"), api.pool.groups_of("mia"));
        let answer = api.call(call.clone().by(stewards())).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{number}");
        let after = (api.pool.user("bob"), api.pool.user("mia"), api.pool.groups_of("bob"), api.pool.groups_of("mia"));
        assert_eq!((after, api.pool.user("new")), (before, None), "{number}");
        assert!(with_carrier().call(call).await.status < 300, "{number}");
    }
    // The caller can assign the same group if it has no role. A group that does not exist is reported as missing.
    let api = Api::new();
    api.pool.add_user("sam", "Password-of-sam-1", &["stewards"], &[]);
    let put = |group: &str| Call::new("PUT", &format!("/v1/users/mia/groups/{group}"), None).by(stewards());
    assert_eq!(api.call(put("visitors")).await.status, 204);
    assert_eq!(api.call(put("no-such-group")).await.code(), "group-not-found");
}

#[tokio::test]
async fn rejects_a_user_name_that_is_the_sub_of_another_user() {
    let api = Api::new();
    let sub = api.sub_of("mia");
    api.pool.add_user(&sub, "Password-of-mal-1", &[], &[]);
    let own_sub = api.sub_of(&sub);
    let calls = |name: &str| {
        let path = format!("/v1/users/{name}");
        let password = json!({"password": "Permanent-1", "permanent": true});
        [
            Call::new("PUT", &format!("{path}/groups/readers"), None),
            Call::new("DELETE", &format!("{path}/groups/readers"), None),
            Call::put(&format!("{path}/password"), &password),
            Call::patch(&path, &json!({"attributes": {"email": "new@example.com"}})),
            Call::delete(&path),
        ]
    };
    let users = || (api.pool.user("mia"), api.pool.user(&sub), api.pool.groups_of("mia"), api.pool.groups_of(&sub));
    let before = users();
    for call in ["mia", &sub].into_iter().flat_map(calls) {
        let answer = api.call(call).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!("username")), "{answer:?}");
        assert_eq!(users(), before);
    }
    // Operations that accept only a user name cannot address a user whose name is another user's `sub`.
    for call in [
        Call::post(&format!("/v1/users/{own_sub}/resend-invitation"), None),
        Call::put(&format!("/v1/users/{own_sub}/identities/Google"), &json!({"user_id": "1"})),
    ] {
        let answer = api.call(call).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!("username")), "{answer:?}");
        assert_eq!(users(), before);
    }
    // The `sub` of the user with that name is unambiguous.
    for call in calls(&own_sub) {
        let answer = api.call(call).await;
        assert!(answer.status < 300, "{answer:?}");
    }
    let mia = before.0;
    assert_eq!((api.pool.user(&sub), api.pool.user("mia")), (mia.clone(), mia), "only one user with that name remains");
}

#[tokio::test]
async fn a_read_makes_no_call_about_the_caller() {
    let api = Api::new();
    api.call(Call::get("/v1/users/mia").by(token("ray", "[readers]"))).await;
    assert_eq!(api.pool.calls(), ["get"]);
}

#[test]
fn every_permission_is_required_by_a_route() {
    let required: Vec<Permission> = routes::of(Served::All)
        .iter()
        .filter_map(|route| match route.access {
            Access::Read(permission) | Access::List(permission) | Access::Write(permission) => Some(permission),
            Access::Public | Access::OwnToken | Access::AnyCaller => None,
        })
        // Some routes require these permissions in addition, for groups of new users and for groups with an IAM role.
        .chain([Permission::UsersGroups, Permission::GroupsRoles])
        .collect();
    assert!(Permission::ALL.iter().all(|permission| required.contains(permission)));
}

#[tokio::test]
async fn only_groups_in_both_the_token_and_the_pool_count() {
    let roles = json!({"one": ["users:delete"], "two": ["users:delete"]});
    for (groups, status) in [("[one]", 403), ("[two]", 204), ("[one two]", 204)] {
        let api = Api::on(testkit::in_memory::InMemoryPool::new(), &roles, AdminMfa::Optional);
        api.pool.add_user("dan", "Password-of-dan-1", &["two"], &[]);
        api.pool.add_user("mia", "Password-of-mia-1", &[], &[]);
        assert_eq!(delete_mia(&api, token("dan", groups)).await.status, status, "{groups}");
    }
}

#[tokio::test]
async fn an_alias_finds_no_user_without_users_read() {
    let all = ["users:mfa", "users:sessions", "users:groups", "users:state"];
    for (permissions, status) in [(all.to_vec(), 404), ([&all[..], &["users:read"]].concat(), 200)] {
        let api =
            Api::on(testkit::in_memory::InMemoryPool::new(), &json!({ "helpers": permissions }), AdminMfa::Optional);
        api.pool.add_user("hal", "Password-of-hal-1", &["helpers"], &[]);
        let mia = [("email", "mia@example.com"), ("email_verified", "true")];
        api.pool.add_user("mia", "Password-of-mia-1", &[], &mia);
        let sub = api.sub_of("mia");
        for (method, route) in
            [("GET", "/mfa"), ("GET", "/devices"), ("GET", "/groups"), ("POST", "/enable"), ("POST", "/sign-out")]
        {
            let path = |name: &str| format!("/v1/users/{name}{route}");
            let call = |name: &str| Call::new(method, &path(name), None).by(token("hal", "[helpers]"));
            for name in ["mia", &sub] {
                assert_eq!(api.call(call(name)).await.status, 200, "{name} {route}");
            }
            let unknown = api.call(call("unknown@example.com")).await;
            let answer = api.call(call("mia@example.com")).await;
            assert_eq!(answer.status, status, "{route}");
            assert!(status == 200 || answer.body == unknown.body, "{route}: {} {}", answer.body, unknown.body);
        }
    }
}
