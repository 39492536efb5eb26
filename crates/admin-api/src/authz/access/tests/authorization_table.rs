//! Who may call what: every kind of caller against every route that there is.

use domain::user_pool::error::Reason;
use http::Method;
use serde_json::{Value, json};

use crate::authz::access::Access;
use crate::routes::{self, Route};
use crate::settings::Served;
use crate::testing::{Api, By, CLIENT_ID, Call, USER_POOL_ID, iam, rest_iam, rest_token, token, token_with};

/// What a kind of caller gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gets {
    /// 401 wherever a caller is asked for.
    Nowhere,
    /// 403 wherever a permission is asked for.
    ToMe,
    /// Past the check where reading users is enough, and 403 elsewhere.
    ToReadUsers,
    /// Past the check wherever something is looked up; where something is changed, this status and code.
    ToReads(u16, &'static str),
    /// Past every check.
    Everywhere,
}

type Before = fn(&Api);

struct Row {
    case: &'static str,
    by: By,
    before: Before,
    gets: Gets,
}

fn row(case: &'static str, by: By, gets: Gets) -> Row {
    Row { case, by, before: |_| (), gets }
}

/// An administrator's token with one claim changed; null takes it away.
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

fn who_is_nobody() -> Vec<Row> {
    let nowhere = |case, by| row(case, by, Gets::Nowhere);
    let lambda =
        json!({"lambda": {"claims": {"username": "root", "cognito:groups": "[admins]"}, "principalId": "root"}});
    vec![
        nowhere("no authorizer", By::Nobody),
        nowhere("an empty authorizer", By::HttpAuthorizer(json!({}))),
        nowhere("a JWT without claims", By::HttpAuthorizer(json!({"jwt": {"claims": {}, "scopes": []}}))),
        nowhere("somebody's own authorizer function", By::HttpAuthorizer(lambda)),
        nowhere("an IAM identity without ARN", By::HttpAuthorizer(json!({"iam": {"accountId": "123456789012"}}))),
        nowhere("an expired token", with("exp", json!("-1"))),
        nowhere("a token that expires this moment", with("exp", json!("0"))),
        nowhere("an ID token", with("token_use", json!("id"))),
        nowhere("a refresh token", with("token_use", json!("refresh"))),
        nowhere("an access token in capitals", with("token_use", json!("ACCESS"))),
        nowhere("no kind of token", with("token_use", Value::Null)),
        nowhere("another issuer", with("iss", json!("https://login.example.com/eu-central-1_Other"))),
        nowhere(
            "another issuer with our pool's id",
            with("iss", json!(format!("https://login.example.com/{USER_POOL_ID}"))),
        ),
        nowhere("another pool", with("iss", issuer("eu-central-1_Other"))),
        nowhere("a pool whose id begins like ours", with("iss", issuer(&format!("{USER_POOL_ID}x")))),
        nowhere("the pool's id alone as issuer", with("iss", json!(USER_POOL_ID))),
        nowhere("no issuer", with("iss", Value::Null)),
        nowhere("another client", with("client_id", json!("web"))),
        nowhere("a client whose id begins like ours", with("client_id", json!(format!("{CLIENT_ID}0")))),
        nowhere("an empty client", with("client_id", json!(""))),
        nowhere(
            "an audience in place of a client",
            token_with(
                "root",
                &json!({
                    "cognito:groups": "[admins]", "client_id": null, "aud": CLIENT_ID
                }),
            ),
        ),
        nowhere("no user name", with("username", Value::Null)),
        nowhere("a user name that is none", with("username", json!("two words"))),
        nowhere("no sub", with("sub", Value::Null)),
        nowhere("an empty sub", with("sub", json!(""))),
        nowhere("REST: no authorizer", By::Rest { authorizer: Value::Null, identity: json!({}) }),
        nowhere("REST: claims that are text", By::Rest { authorizer: json!({"claims": "root"}), identity: json!({}) }),
        nowhere(
            "REST: a principal without claims",
            By::Rest { authorizer: json!({"principalId": "root", "cognito:groups": "admins"}), identity: json!({}) },
        ),
        nowhere("REST: an ID token", rest_with("token_use", json!("id"))),
        nowhere("REST: an expired token", rest_with("exp", json!("-1"))),
        nowhere("REST: another client", rest_with("client_id", json!("web"))),
        nowhere("REST: another pool", rest_with("iss", issuer("eu-central-1_Other"))),
        nowhere("REST: a client that is a list", rest_with("client_id", json!([CLIENT_ID]))),
        nowhere("REST: no user name", rest_with("username", Value::Null)),
    ]
}

fn who_may_nothing() -> Vec<Row> {
    let groups = |case, groups: &str| row(case, token("root", groups), Gets::ToMe);
    let rest_groups = |case, groups| row(case, rest_with("cognito:groups", groups), Gets::ToMe);
    vec![
        row("no groups", with("cognito:groups", Value::Null), Gets::ToMe),
        groups("empty text", ""),
        groups("an empty list", "[]"),
        groups("a list of blanks", "[   ]"),
        groups("a longer name", "[admins-x]"),
        groups("a shorter name", "[admin]"),
        groups("capitals", "[Admins]"),
        groups("all capitals", "[ADMINS]"),
        groups("a comma in the name", "[x,admins]"),
        groups("a comma after the name", "[admins,x]"),
        groups("a name that ends like it", "[xadmins]"),
        groups("quotes around the name", "[\"admins\"]"),
        groups("brackets in the name", "[[admins]]"),
        groups("no brackets", "admins"),
        groups("no brackets, two names", "admins users"),
        groups("one bracket", "[admins"),
        groups("the other bracket", "admins]"),
        groups("a Cyrillic letter", "[\u{430}dmins]"),
        groups("letters of full width", "[\u{ff41}dmins]"),
        groups("a combining mark", "[admins\u{301}]"),
        groups("a soft hyphen", "[ad\u{ad}mins]"),
        groups("a zero-width space", "[admins\u{200b}]"),
        groups("a no-break space in the name", "[x\u{a0}admins]"),
        groups("a tab in the name", "[x\tadmins]"),
        groups("a line break in the name", "[x\nadmins]"),
        groups("a NUL after the name", "[admins\0]"),
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
        row("an AWS principal", iam("arn:aws:iam::123456789012:role/admins"), Gets::ToMe),
        row("an AWS principal named like the group", iam("admins"), Gets::ToMe),
        row("REST: an AWS principal", rest_iam("arn:aws:iam::123456789012:user/root"), Gets::ToMe),
    ]
}

fn who_may_something() -> Vec<Row> {
    vec![
        row("an administrator", token("root", "[admins]"), Gets::Everywhere),
        row("an administrator in two groups", token("root", "[admins users]"), Gets::Everywhere),
        row("the other way round", token("root", "[users admins]"), Gets::Everywhere),
        row("a token that expires later", with("exp", json!("4102444800")), Gets::Everywhere),
        row("REST: an administrator", rest_with("cognito:groups", json!("admins")), Gets::Everywhere),
        row("REST: an array", rest_with("cognito:groups", json!(["users", "admins"])), Gets::Everywhere),
        row("a reader", token("ray", "[readers]"), Gets::ToReadUsers),
        row("a reader who is in the administrators' group since", token("root", "[readers]"), Gets::ToReadUsers),
    ]
}

/// Callers whose token still says what the user pool no longer grants.
fn who_was_somebody() -> Vec<Row> {
    let was = |case, before: Before, status, code| Row {
        case,
        by: token("root", "[admins]"),
        before,
        gets: Gets::ToReads(status, code),
    };
    let no_scope = Gets::ToReads(403, "insufficient-scope");
    vec![
        was("disabled", |api| api.pool.disable("root"), 401, "invalid-credentials"),
        was(
            "signed out",
            |api| {
                api.token_of("root");
                api.pool.sign_out("root");
            },
            401,
            "invalid-credentials",
        ),
        was("removed from the group", |api| api.pool.remove_from_group("root", "admins"), 403, "forbidden"),
        was("deleted", |api| api.pool.remove_user("root"), 401, "invalid-credentials"),
        was("deleted in between", |api| api.pool.fail("groups", 1, Reason::UserNotFound), 401, "invalid-credentials"),
        row(
            "deleted and created again",
            token_with("root", &json!({"cognito:groups": "[admins]", "sub": "the-one-before"})),
            Gets::ToReads(401, "unauthenticated"),
        ),
        row("never in the group that the token names", token("mia", "[admins]"), Gets::ToReads(403, "forbidden")),
        row("no scope", with("scope", Value::Null), no_scope),
        row("another scope", with("scope", json!("openid")), no_scope),
        row("REST: no scope", rest_with("scope", Value::Null), no_scope),
    ]
}

/// A request for a route, about `username`, with nothing in it that its handler would accept where it wants a body.
fn request(route: &Route, username: &str) -> Call {
    let path = route.path.replace("{username}", username).replace("{group}", "readers").replace("{provider}", "Google");
    let path = path.replace("{key}", "eu-central-1_00000000-0000-4000-8000-000000000001").replace("{name}", "email");
    let body = (route.method != Method::GET).then(|| json!({}));
    Call::new(route.method.as_str(), &path, body.as_ref())
}

/// The status and code that the check must give, or none where it must let the request through.
fn refusal(gets: Gets, access: Access) -> Option<(u16, &'static str)> {
    let is_granted = |access| match (gets, access) {
        (Gets::Everywhere, _) | (Gets::ToReads(..), Access::Read(_) | Access::List(_)) => true,
        (Gets::ToReadUsers, Access::Read(permission) | Access::List(permission)) => permission.as_str() == "users:read",
        _ => false,
    };
    match access {
        Access::Public | Access::OwnToken => None,
        _ if gets == Gets::Nowhere => Some((401, "unauthenticated")),
        Access::AnyCaller => None,
        Access::Read(_) | Access::List(_) | Access::Write(_) if is_granted(access) => None,
        Access::Read(_) | Access::List(_) | Access::Write(_) => match gets {
            Gets::ToReads(status, code) => Some((status, code)),
            _ => Some((403, "forbidden")),
        },
    }
}

#[tokio::test]
async fn every_kind_of_caller_gets_as_far_as_it_may_on_every_route_and_no_further() {
    let rows = [who_is_nobody(), who_may_nothing(), who_may_something(), who_was_somebody()];
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    assert!(rows.len() >= 60, "{}", rows.len());
    for Row { case, by, before, gets } in rows {
        for route in routes::of(Served::All) {
            let place = format!("{case}: {}", route.name());
            let api = Api::new();
            before(&api);
            let answer = api.call(request(&route, "mia").by(by.clone())).await;
            if let Some(expected) = refusal(gets, route.access) {
                assert_eq!((answer.status, answer.code()), expected, "{place}");
                let is_known = gets != Gets::Nowhere && expected.1 != "insufficient-scope";
                let looks: &[&str] = if is_known { &["myself", "get", "groups"] } else { &[] };
                let calls = api.pool.calls();
                assert!(calls.iter().all(|call| looks.contains(call)), "{place}: {calls:?}");
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
async fn a_refusal_is_the_same_whether_or_not_there_is_such_a_user() {
    for route in routes::of(Served::Admin).iter().filter(|route| route.path.contains("{username}")) {
        let refused_for = async |username| {
            let answer = Api::new().call(request(route, username).by(token("vic", "[visitors]"))).await;
            (answer.status, answer.body)
        };
        assert_eq!(refused_for("mia").await, refused_for("nobody").await, "{}", route.path);
        assert_eq!(refused_for("mia").await.0, 403, "{}", route.path);
    }
}

#[tokio::test]
async fn callers_cannot_change_their_own_account_under_any_name() {
    let refused = [
        "DELETE /v1/users/{username}",
        "PATCH /v1/users/{username}",
        "POST /v1/users/{username}/disable",
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
        for name in ["root", "root@example.com", &api.sub_of("root")] {
            let answer = api.call(request(route, name)).await;
            // Routes that assign groups take no alias.
            let is_alias =
                route.path.ends_with("/groups/{group}") && route.path.contains("{username}") && name.contains('@');
            let is_refused = refused.contains(&place.as_str()) && !is_alias;
            assert_eq!(answer.code() == "forbidden", is_refused, "{place} as {name}: {answer:?}");
            assert!(!is_alias || answer.code() == "invalid-request", "{place} as {name}: {answer:?}");
        }
        assert_eq!(api.pool.groups_of("root"), ["admins"], "{place}");
        seen.push(place);
    }
    assert!(refused.iter().all(|place| seen.iter().any(|seen| seen == place)), "{seen:?}");
}

#[tokio::test]
async fn nobody_changes_a_user_or_a_group_that_may_do_more() {
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
async fn a_change_is_refused_where_the_pool_cannot_say_what_its_user_may_do() {
    let api = Api::new();
    // The first look is at the caller.
    api.pool.fail("groups", 2, Reason::Throttled);
    let answer = api.call(Call::delete("/v1/users/mia")).await;
    assert_eq!((answer.status, answer.code()), (429, "throttled"));
    assert!(api.pool.user("mia").is_some());
}

#[tokio::test]
async fn an_own_account_takes_a_token_and_nothing_else() {
    for route in routes::of(Served::Auth).iter().filter(|route| route.access == Access::OwnToken) {
        for (header, value) in [("authorization", "Basic cm9vdDpyb290"), ("authorization", "Bearer"), ("cookie", "a=b")]
        {
            let answer = Api::new().call(request(route, "").header(header, value)).await;
            assert_eq!((answer.status, answer.code()), (401, "unauthenticated"), "{} {value}", route.path);
        }
    }
}

#[test]
fn what_changes_something_is_a_write_and_what_is_open_is_under_auth() {
    for route in routes::of(Served::All) {
        let is_open = matches!(route.access, Access::Public | Access::OwnToken);
        assert_eq!(is_open, route.path.starts_with("/v1/auth/"), "{}", route.path);
        if !is_open {
            let is_read = matches!(route.access, Access::Read(_) | Access::List(_) | Access::AnyCaller);
            assert_eq!(is_read, route.method == Method::GET, "{}: what changes something is a write", route.path);
        }
    }
}
