//! The authorization matrix: every kind of caller on every route.

use domain::user_pool::error::Reason;
use http::Method;
use serde_json::{Value, json};
use testkit::in_memory_jobs::RUNNING_JOB;

use crate::authz::access::Access;
use crate::routes::{self, Route};
use crate::settings::Served;
use crate::testing::{Api, By, CLIENT_ID, Call, USER_POOL_ID, iam, rest_iam, rest_token, token, token_with};

/// The access of a kind of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Allowed {
    /// 401 on every route that requires a caller.
    Nothing,
    /// 403 on every route that requires a permission.
    AnyCallerRoutes,
    /// Routes that require `users:read`; 403 on others.
    ReadUsers,
    /// All reads; this status and code for writes.
    Reads(u16, &'static str),
    /// All routes.
    Everything,
}

type Before = fn(&Api);

struct Row {
    case: &'static str,
    by: By,
    before: Before,
    allowed: Allowed,
}

fn row(case: &'static str, by: By, allowed: Allowed) -> Row {
    Row { case, by, before: |_| (), allowed }
}

/// An administrator's token with one changed claim; null removes it.
fn with(claim: &str, value: Value) -> By {
    let mut claims = json!({"cognito:groups": "[admins]"});
    claims[claim] = value;
    token_with("root", &claims)
}

fn rest_with(claim: &str, value: Value) -> By {
    let mut claims = json!({"cognito:groups": "admins"});
    claims[claim] = value;
    rest_token("root", &claims)
}

fn issuer(pool: &str) -> Value {
    json!(format!("https://cognito-idp.eu-central-1.amazonaws.com/{pool}"))
}

fn unauthenticated() -> Vec<Row> {
    let nothing = |case, by| row(case, by, Allowed::Nothing);
    let lambda =
        json!({"lambda": {"claims": {"username": "root", "cognito:groups": "[admins]"}, "principalId": "root"}});
    vec![
        nothing("no authorizer", By::Anonymous),
        nothing("an empty authorizer", By::HttpAuthorizer(json!({}))),
        nothing("a JWT without claims", By::HttpAuthorizer(json!({"jwt": {"claims": {}, "scopes": []}}))),
        nothing("a Lambda authorizer", By::HttpAuthorizer(lambda)),
        nothing("an IAM identity without ARN", By::HttpAuthorizer(json!({"iam": {"accountId": "123456789012"}}))),
        nothing("an expired token", with("exp", json!("-1"))),
        nothing("a token that expires now", with("exp", json!("0"))),
        nothing("an ID token", with("token_use", json!("id"))),
        nothing("a refresh token", with("token_use", json!("refresh"))),
        nothing("an uppercase token use", with("token_use", json!("ACCESS"))),
        nothing("no token use", with("token_use", Value::Null)),
        nothing("another issuer", with("iss", json!("https://login.example.com/eu-central-1_Other"))),
        nothing(
            "another issuer with the pool's id",
            with("iss", json!(format!("https://login.example.com/{USER_POOL_ID}"))),
        ),
        nothing("another pool", with("iss", issuer("eu-central-1_Other"))),
        nothing("a pool whose id has the pool's id as prefix", with("iss", issuer(&format!("{USER_POOL_ID}x")))),
        nothing("the pool's id alone as issuer", with("iss", json!(USER_POOL_ID))),
        nothing("no issuer", with("iss", Value::Null)),
        nothing("another client", with("client_id", json!("web"))),
        nothing("a client whose id has the client's id as prefix", with("client_id", json!(format!("{CLIENT_ID}0")))),
        nothing("an empty client", with("client_id", json!(""))),
        nothing(
            "an audience instead of a client",
            token_with(
                "root",
                &json!({
                    "cognito:groups": "[admins]", "client_id": null, "aud": CLIENT_ID
                }),
            ),
        ),
        nothing("no user name", with("username", Value::Null)),
        nothing("an invalid user name", with("username", json!("two words"))),
        nothing("no sub", with("sub", Value::Null)),
        nothing("an empty sub", with("sub", json!(""))),
        nothing("REST: no authorizer", By::Rest { authorizer: Value::Null, identity: json!({}) }),
        nothing("REST: claims as text", By::Rest { authorizer: json!({"claims": "root"}), identity: json!({}) }),
        nothing(
            "REST: a principal without claims",
            By::Rest { authorizer: json!({"principalId": "root", "cognito:groups": "admins"}), identity: json!({}) },
        ),
        nothing("REST: an ID token", rest_with("token_use", json!("id"))),
        nothing("REST: an expired token", rest_with("exp", json!("-1"))),
        nothing("REST: another client", rest_with("client_id", json!("web"))),
        nothing("REST: another pool", rest_with("iss", issuer("eu-central-1_Other"))),
        nothing("REST: a client as a list", rest_with("client_id", json!([CLIENT_ID]))),
        nothing("REST: no user name", rest_with("username", Value::Null)),
    ]
}

fn without_permissions() -> Vec<Row> {
    let groups = |case, groups: &str| row(case, token("root", groups), Allowed::AnyCallerRoutes);
    let rest_groups = |case, groups| row(case, rest_with("cognito:groups", groups), Allowed::AnyCallerRoutes);
    vec![
        row("no groups", with("cognito:groups", Value::Null), Allowed::AnyCallerRoutes),
        groups("empty text", ""),
        groups("an empty list", "[]"),
        groups("a list of spaces", "[   ]"),
        groups("a longer name", "[admins-x]"),
        groups("a shorter name", "[admin]"),
        groups("an uppercase first letter", "[Admins]"),
        groups("uppercase letters", "[ADMINS]"),
        groups("a comma in the name", "[x,admins]"),
        groups("a comma after the name", "[admins,x]"),
        groups("a name with the group as suffix", "[xadmins]"),
        groups("quotes around the name", "[\"admins\"]"),
        groups("brackets in the name", "[[admins]]"),
        groups("no brackets", "admins"),
        groups("no brackets, two names", "admins users"),
        groups("one bracket", "[admins"),
        groups("the other bracket", "admins]"),
        groups("a Cyrillic letter", "[\u{430}dmins]"),
        groups("a full-width letter", "[\u{ff41}dmins]"),
        groups("a combining mark", "[admins\u{301}]"),
        groups("a soft hyphen", "[ad\u{ad}mins]"),
        groups("a zero-width space", "[admins\u{200b}]"),
        groups("a no-break space in the name", "[x\u{a0}admins]"),
        groups("a tab in the name", "[x\tadmins]"),
        groups("a line break in the name", "[x\nadmins]"),
        groups("a NUL character after the name", "[admins\0]"),
        groups("a wildcard", "[*]"),
        groups("a group without a role", "[visitors]"),
        rest_groups("REST: two names, or one with a comma", json!("admins,users")),
        rest_groups("REST: a name with a comma", json!("x,admins")),
        rest_groups("REST: in brackets", json!("[admins]")),
        rest_groups("REST: two names in brackets", json!("[admins users]")),
        rest_groups("REST: an array of a longer name", json!(["admins-x"])),
        rest_groups("REST: an array of a name with a comma", json!(["x,admins"])),
        rest_groups("REST: an array in an array", json!([["admins"]])),
        rest_groups("REST: an object", json!({"admins": true})),
        rest_groups("REST: no groups", Value::Null),
        row("an AWS principal", iam("arn:aws:iam::123456789012:role/admins"), Allowed::AnyCallerRoutes),
        row("an AWS principal with the name of the group", iam("admins"), Allowed::AnyCallerRoutes),
        row("REST: an AWS principal", rest_iam("arn:aws:iam::123456789012:user/root"), Allowed::AnyCallerRoutes),
    ]
}

fn with_permissions() -> Vec<Row> {
    vec![
        row("an administrator", token("root", "[admins]"), Allowed::Everything),
        row("an administrator in two groups", token("root", "[admins users]"), Allowed::Everything),
        row("an administrator in two groups, in reverse order", token("root", "[users admins]"), Allowed::Everything),
        row("a token that expires later", with("exp", json!("4102444800")), Allowed::Everything),
        row("REST: an administrator", rest_with("cognito:groups", json!("admins")), Allowed::Everything),
        row("REST: an array", rest_with("cognito:groups", json!(["users", "admins"])), Allowed::Everything),
        row("a reader", token("ray", "[readers]"), Allowed::ReadUsers),
        row(
            "a reader who was added to the administrators' group later",
            token("root", "[readers]"),
            Allowed::ReadUsers,
        ),
    ]
}

/// Callers whose token has claims that the user pool no longer confirms.
fn with_outdated_tokens() -> Vec<Row> {
    let outdated = |case, before: Before, status, code| Row {
        case,
        by: token("root", "[admins]"),
        before,
        allowed: Allowed::Reads(status, code),
    };
    let no_scope = Allowed::Reads(403, "insufficient-scope");
    vec![
        outdated("disabled", |api| api.pool.disable("root"), 401, "invalid-credentials"),
        outdated(
            "signed out",
            |api| {
                api.token_of("root");
                api.pool.sign_out("root");
            },
            401,
            "invalid-credentials",
        ),
        outdated("removed from the group", |api| api.pool.remove_from_group("root", "admins"), 403, "forbidden"),
        outdated("deleted", |api| api.pool.remove_user("root"), 401, "invalid-credentials"),
        outdated(
            "deleted in between",
            |api| api.pool.fail("groups", 1, Reason::UserNotFound),
            401,
            "invalid-credentials",
        ),
        row(
            "deleted and created again",
            token_with("root", &json!({"cognito:groups": "[admins]", "sub": "the-one-before"})),
            Allowed::Reads(401, "unauthenticated"),
        ),
        row("never in the group that the token names", token("mia", "[admins]"), Allowed::Reads(403, "forbidden")),
        row("no scope", with("scope", Value::Null), no_scope),
        row("another scope", with("scope", json!("openid")), no_scope),
        row("REST: no scope", rest_with("scope", Value::Null), no_scope),
    ]
}

/// A request for a route, with `username` in the path and a body that no handler accepts.
fn request(route: &Route, username: &str) -> Call {
    let path = route.path.replace("{username}", username).replace("{group}", "readers").replace("{provider}", "Google");
    let path = path.replace("{key}", "eu-central-1_00000000-0000-4000-8000-000000000001").replace("{name}", "email");
    let path = path.replace("{id}", RUNNING_JOB);
    let body = (route.method != Method::GET).then(|| json!({}));
    Call::new(route.method.as_str(), &path, body.as_ref())
}

/// The expected status and code, or none if the request must reach the handler.
fn rejection(allowed: Allowed, access: Access) -> Option<(u16, &'static str)> {
    let is_granted = |access| match (allowed, access) {
        (Allowed::Everything, _) | (Allowed::Reads(..), Access::Read(_) | Access::List(_)) => true,
        (Allowed::ReadUsers, Access::Read(permission) | Access::List(permission)) => {
            permission.as_str() == "users:read"
        }
        _ => false,
    };
    match access {
        Access::Public | Access::OwnToken => None,
        _ if allowed == Allowed::Nothing => Some((401, "unauthenticated")),
        Access::AnyCaller => None,
        Access::Read(_) | Access::List(_) | Access::Write(_) if is_granted(access) => None,
        Access::Read(_) | Access::List(_) | Access::Write(_) => match allowed {
            Allowed::Reads(status, code) => Some((status, code)),
            _ => Some((403, "forbidden")),
        },
    }
}

#[tokio::test]
async fn every_kind_of_caller_reaches_exactly_the_allowed_routes() {
    let rows = [unauthenticated(), without_permissions(), with_permissions(), with_outdated_tokens()];
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    assert!(rows.len() >= 60, "{}", rows.len());
    for Row { case, by, before, allowed } in rows {
        for route in routes::of(Served::All) {
            let place = format!("{case}: {}", route.name());
            let api = Api::new();
            before(&api);
            let answer = api.call(request(&route, "mia").by(by.clone())).await;
            if let Some(expected) = rejection(allowed, route.access) {
                assert_eq!((answer.status, answer.code()), expected, "{place}");
                let is_known = allowed != Allowed::Nothing && expected.1 != "insufficient-scope";
                let is_write = matches!(route.access, Access::Write(_));
                let reads: &[&str] = if is_known && is_write { &["myself", "get", "groups"] } else { &[] };
                let calls = api.pool.calls();
                assert!(calls.iter().all(|call| reads.contains(call)), "{place}: {calls:?}");
            } else {
                assert_ne!(answer.code(), "forbidden", "{place}");
                assert!(answer.status < 500, "{place}: {answer:?}");
                let is_own = route.access == Access::OwnToken;
                assert_eq!(answer.code() == "unauthenticated", is_own, "{place}");
            }
        }
    }
}

#[tokio::test]
async fn a_rejection_does_not_reveal_whether_the_user_exists() {
    for route in routes::of(Served::Admin).iter().filter(|route| route.path.contains("{username}")) {
        let rejection_for = async |username| {
            let answer = Api::new().call(request(route, username).by(token("vic", "[visitors]"))).await;
            (answer.status, answer.body)
        };
        assert_eq!(rejection_for("mia").await, rejection_for("nobody").await, "{}", route.path);
        assert_eq!(rejection_for("mia").await.0, 403, "{}", route.path);
    }
}

/// A write reads the target while the user pool confirms the caller.
#[tokio::test]
async fn a_rejected_caller_does_not_learn_about_the_target_of_a_write() {
    let is_write = |route: &&Route| matches!(route.access, Access::Write(_)) && route.path.contains("{username}");
    for route in routes::of(Served::Admin).iter().filter(is_write) {
        let rejection_for = async |username, target_failure: Option<Reason>| {
            let api = Api::new();
            api.pool.fail("myself", 1, Reason::InvalidCredentials);
            if let Some(reason) = target_failure {
                api.pool.fail("get", 1, reason);
            }
            let answer = api.call(request(route, username).by(token("root", "[admins]"))).await;
            (answer.status, answer.body)
        };
        let expected = rejection_for("mia", None).await;
        assert_eq!(expected.0, 401, "{}", route.path);
        assert_eq!(rejection_for("nobody", None).await, expected, "{}", route.path);
        assert_eq!(rejection_for("mia", Some(Reason::Throttled)).await, expected, "{}", route.path);
    }
}

#[tokio::test]
async fn callers_cannot_change_their_own_account_under_any_name() {
    let rejected = [
        "DELETE /v1/users/{username}",
        "PATCH /v1/users/{username}",
        "POST /v1/users/{username}/disable",
        "POST /v1/users/{username}/resend-invitation",
        "PUT /v1/users/{username}/password",
        "PUT /v1/users/{username}/mfa",
        "PUT /v1/users/{username}/identities/{provider}",
        "PUT /v1/users/{username}/groups/{group}",
        "DELETE /v1/users/{username}/groups/{group}",
    ];
    let mut seen = Vec::new();
    for route in routes::of(Served::Admin).iter().filter(|route| matches!(route.access, Access::Write(_))) {
        let place = route.name();
        let api = Api::new();
        api.token_of("root");
        for name in ["root", "root@example.com", &api.sub_of("root")] {
            let before = api.pool.contents();
            let answer = api.call(request(route, name)).await;
            // Routes that assign groups accept no alias.
            let is_alias =
                route.path.ends_with("/groups/{group}") && route.path.contains("{username}") && name.contains('@');
            let is_rejected = rejected.contains(&place.as_str()) && !is_alias;
            assert_eq!(answer.code() == "forbidden", is_rejected, "{place} as {name}: {answer:?}");
            assert!(!is_alias || answer.code() == "invalid-request", "{place} as {name}: {answer:?}");
            assert!(answer.status < 400 || api.pool.contents() == before, "{place} as {name}");
        }
        seen.push(place);
    }
    assert!(rejected.iter().all(|place| seen.iter().any(|seen| seen == place)), "{seen:?}");
}

#[tokio::test]
async fn rejects_users_and_groups_with_permissions_the_caller_lacks() {
    let deputy = || token("dee", "[deputies]");
    let with_deputy = || {
        let api = Api::new();
        api.pool.add_user("dee", "Password-of-dee-1", &["deputies"], &[]);
        api
    };
    let routes = routes::of(Served::Admin);
    let writes = || routes.iter().filter(|route| matches!(route.access, Access::Write(_)));
    for route in writes().filter(|route| route.path.contains("{username}")) {
        for name in ["root", "root@example.com"] {
            let api = with_deputy();
            let before = api.pool.user("root");
            let answer = api.call(request(route, name).by(deputy())).await;
            assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{}", route.name());
            assert_eq!(api.pool.user("root"), before, "{}", route.path);
        }
        let answer = with_deputy().call(request(route, "mia").by(deputy())).await;
        assert_ne!(answer.status, 403, "{}: {answer:?}", route.name());
    }
    for route in writes().filter(|route| route.path.contains("{group}")) {
        let call = |group: &str| {
            let path = route.path.replace("{username}", "mia").replace("{group}", group);
            Call::new(route.method.as_str(), &path, Some(&json!({"description": "x"}))).by(deputy())
        };
        let api = with_deputy();
        let answer = api.call(call("admins")).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{}", route.name());
        assert!(api.pool.groups_of("mia").is_empty() && api.pool.groups_of("root") == ["admins"], "{}", route.path);
        assert_ne!(with_deputy().call(call("readers")).await.status, 403, "{}", route.name());
    }
    let api = with_deputy();
    let body = json!({"username": "new", "groups": ["readers", "admins"]});
    assert_eq!(api.call(Call::post("/v1/users", Some(&body)).by(deputy())).await.code(), "forbidden");
    assert_eq!(api.pool.user("new"), None);
}

#[tokio::test]
async fn routes_for_the_own_account_accept_only_an_access_token() {
    for route in routes::of(Served::Auth).iter().filter(|route| route.access == Access::OwnToken) {
        for (header, value) in [("authorization", "Basic cm9vdDpyb290"), ("authorization", "Bearer"), ("cookie", "a=b")]
        {
            let answer = Api::new().call(request(route, "").header(header, value)).await;
            assert_eq!((answer.status, answer.code()), (401, "unauthenticated"), "{} {value}", route.path);
        }
    }
}

#[test]
fn non_get_routes_are_writes_and_open_routes_are_under_auth() {
    for route in routes::of(Served::All) {
        let is_open = matches!(route.access, Access::Public | Access::OwnToken);
        assert_eq!(is_open, route.path.starts_with("/v1/auth/"), "{}", route.path);
        if !is_open {
            let is_read = matches!(route.access, Access::Read(_) | Access::List(_) | Access::AnyCaller);
            assert_eq!(is_read, route.method == Method::GET, "{}: only GET routes are reads", route.path);
        }
    }
}
