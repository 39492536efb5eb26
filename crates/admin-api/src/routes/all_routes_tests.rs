//! Tests the behavior that all routes share, with one table of requests that succeed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use domain::user_pool::error::Reason;
use domain::user_pool::self_service::SelfService;
use domain::user_pool::sessions::ClientContext;
use domain::user_pool::user::UserStatus;
use serde_json::{Value, json};
use testkit::in_memory::{CLIENT_ID, CODE, FACTOR_CODE, RESET_CODE};
use testkit::in_memory_jobs::{RUNNING_JOB, UPLOADED_FILE};

use super::{Route, of};
use crate::authz::access::Access;
use crate::http::error::ErrorCode;
use crate::settings::Served;
use crate::testing::{Answer, Api, Call, token};

/// The route that requires the session gate.
const REVOKE_ALL: &str = "POST /v1/pool/revoke-all";

/// An operation of the user pool, and the failures that are specific to it.
type Failures = (&'static str, &'static [Reason]);

/// A request that succeeds on the pool of [`api`].
struct Case {
    route: &'static str,
    /// The user in the path, or the owner of the access token.
    username: &'static str,
    /// An object, or null for no body.
    body: Value,
    /// The operations whose first call can fail.
    failures: &'static [Failures],
}

fn case(route: &'static str, username: &'static str, body: Value, failures: &'static [Failures]) -> Case {
    Case { route, username, body, failures }
}

fn cases() -> Vec<Case> {
    [admin_cases(), job_cases(), auth_cases()].into_iter().flatten().collect()
}

/// The body of a request to this route that succeeds. Built once, because the authorization model sends thousands.
pub(crate) fn body_of(route: (&str, &str)) -> Option<Value> {
    static BODIES: LazyLock<BTreeMap<(&str, &str), Value>> = LazyLock::new(|| {
        let bodies = cases().into_iter().filter(|case| case.body.is_object());
        bodies.filter_map(|case| Some((case.route.split_once(' ')?, case.body))).collect()
    });
    BODIES.get(&route).cloned()
}

fn admin_cases() -> Vec<Case> {
    let none = || Value::Null;
    vec![
        case("POST /v1/users", "", json!({"username": "new"}), &[("create", &[])]),
        case("GET /v1/users", "", none(), &[("list", &[])]),
        case("GET /v1/users/{username}", "mia", none(), &[("get", &[])]),
        case(
            "PATCH /v1/users/{username}",
            "mia",
            json!({"attributes": {"name": "Mia"}}),
            &[("change_attributes", &[])],
        ),
        case("DELETE /v1/users/{username}", "mia", none(), &[("get", &[]), ("delete", &[])]),
        case(
            "PUT /v1/users/{username}/password",
            "mia",
            json!({"password": "Correct-1", "permanent": true}),
            &[("set_password", &[])],
        ),
        case("POST /v1/users/{username}/reset-password", "mia", none(), &[("reset_password", &[])]),
        case("POST /v1/users/{username}/confirm", "una", none(), &[("confirm", &[])]),
        case("POST /v1/users/{username}/enable", "dan", none(), &[("enable", &[])]),
        case("POST /v1/users/{username}/disable", "mia", none(), &[("disable", &[])]),
        case("POST /v1/users/{username}/resend-invitation", "ivy", none(), &[("resend_invitation", &[])]),
        case("POST /v1/users/{username}/sign-out", "mia", none(), &[("sign_out", &[])]),
        case("GET /v1/users/{username}/mfa", "mia", none(), &[("mfa", &[])]),
        case("PUT /v1/users/{username}/mfa", "mia", json!({"enabled": []}), &[("set_mfa", &[])]),
        case("GET /v1/users/{username}/devices", "mia", none(), &[("devices", &[])]),
        case("DELETE /v1/users/{username}/devices/{key}", "mia", none(), &[("forget_device", &[])]),
        case("GET /v1/users/{username}/auth-events", "mia", none(), &[("auth_events", &[])]),
        case("PUT /v1/users/{username}/identities/{provider}", "mia", json!({"user_id": "7"}), &[("link", &[])]),
        case("DELETE /v1/users/{username}/identities/{provider}", "gus", none(), &[("unlink", &[])]),
        case("GET /v1/users/{username}/groups", "mia", none(), &[("groups", &[])]),
        case("PUT /v1/users/{username}/groups/{group}", "mia", none(), &[("add_to_group", &[])]),
        case("DELETE /v1/users/{username}/groups/{group}", "gus", none(), &[("remove_from_group", &[])]),
        case("POST /v1/groups", "", json!({"name": "new"}), &[("create_group", &[])]),
        case("GET /v1/groups", "", none(), &[("list_groups", &[])]),
        case("GET /v1/groups/{group}", "", none(), &[("group", &[])]),
        case("PATCH /v1/groups/{group}", "", json!({"precedence": 1}), &[("update_group", &[])]),
        case("DELETE /v1/groups/{group}", "", none(), &[("delete_group", &[])]),
        case("GET /v1/groups/{group}/users", "", none(), &[("members", &[])]),
        case("POST /v1/invitations", "", json!({"email": "new@example.com", "valid_for_hours": 24}), &[("list", &[])]),
        case("GET /v1/pool", "", none(), &[("describe", &[])]),
        case(REVOKE_ALL, "", json!({"client_id": CLIENT_ID}), &[("has_client", &[])]),
        case("GET /v1/me", "", none(), &[]),
    ]
}

/// Requests that call the user pool only for the caller. `routes::jobs` tests failures of the storage.
fn job_cases() -> Vec<Case> {
    let start = json!({"type": "import", "upload": UPLOADED_FILE, "format": "json-lines", "dry_run": true});
    vec![
        case("POST /v1/jobs/uploads", "", json!({"type": "import"}), &[]),
        case("POST /v1/jobs", "", start, &[]),
        case("GET /v1/jobs", "", Value::Null, &[]),
        case("GET /v1/jobs/{id}", "", Value::Null, &[]),
        case("GET /v1/jobs/{id}/results", "", Value::Null, &[]),
        case("DELETE /v1/jobs/{id}", "", Value::Null, &[]),
    ]
}

fn auth_cases() -> Vec<Case> {
    use Reason::{
        AliasExists, CodeExpired, InvalidCredentials, LimitReached, MailQuotaExceeded, NotSupportedByEndpoint,
        PasswordResetRequired, SignUpRefused, UserNotConfirmed, WrongState,
    };
    let none = || Value::Null;
    let sign_up = json!({"username": "new", "password": "Correct-1", "attributes": {"email": "new@example.com"}});
    let challenge = json!({
        "challenge": "NEW_PASSWORD_REQUIRED", "username": "ivy", "session": "open-session", "new_password": "Permanent-1"
    });
    vec![
        case(
            "POST /v1/auth/sign-up",
            "",
            sign_up,
            &[("write_attributes", &[]), ("sign_up", &[LimitReached, MailQuotaExceeded])],
        ),
        case(
            "POST /v1/auth/confirm-sign-up",
            "",
            json!({"username": "una", "code": CODE}),
            &[("confirm_sign_up", &[LimitReached, SignUpRefused])],
        ),
        case(
            "POST /v1/auth/resend-code",
            "",
            json!({"username": "una"}),
            &[("resend_code", &[LimitReached, SignUpRefused])],
        ),
        case(
            "POST /v1/auth/sign-in",
            "",
            json!({"username": "mia", "password": "Password-of-mia-1"}),
            &[("sign_in", &[LimitReached])],
        ),
        case(
            "POST /v1/auth/challenge",
            "",
            challenge,
            &[("answer_challenge", &[LimitReached, CodeExpired, AliasExists, UserNotConfirmed, PasswordResetRequired])],
        ),
        case(
            "POST /v1/auth/refresh",
            "",
            json!({"username": "mia", "refresh_token": "refresh-token-of-mia"}),
            &[("refresh", &[UserNotConfirmed, PasswordResetRequired])],
        ),
        case(
            "POST /v1/auth/sign-out",
            "",
            json!({"refresh_token": "refresh-token-of-mia"}),
            &[("revoke", &[InvalidCredentials])],
        ),
        case(
            "POST /v1/auth/sign-out",
            "",
            json!({"access_token": "access-token-of-mia"}),
            &[("sign_out_everywhere", &[UserNotConfirmed, PasswordResetRequired])],
        ),
        case("POST /v1/auth/forgot-password", "", json!({"username": "mia"}), &[("forgot_password", &[LimitReached])]),
        case(
            "POST /v1/auth/reset-password",
            "",
            json!({"username": "mia", "code": RESET_CODE, "new_password": "Permanent-1"}),
            &[("reset_password", &[LimitReached, UserNotConfirmed, WrongState])],
        ),
        case("GET /v1/auth/me", "mia", none(), &[("myself", &[PasswordResetRequired])]),
        case("DELETE /v1/auth/me", "mia", none(), &[("myself", &[]), ("delete_myself", &[PasswordResetRequired])]),
        case(
            "PUT /v1/auth/me/password",
            "mia",
            json!({"current_password": "Password-of-mia-1", "new_password": "Permanent-1"}),
            &[("myself", &[]), ("change_password", &[LimitReached, PasswordResetRequired])],
        ),
        case(
            "POST /v1/auth/me/totp",
            "mia",
            none(),
            &[("myself", &[PasswordResetRequired]), ("start_totp", &[NotSupportedByEndpoint])],
        ),
        case("POST /v1/auth/me/totp/verify", "gus", json!({"code": FACTOR_CODE}), &[("verify_totp", &[])]),
        case("DELETE /v1/auth/me/totp", "mia", none(), &[("myself", &[])]),
        case(
            "POST /v1/auth/attributes/{name}/code",
            "mia",
            none(),
            &[("send_attribute_code", &[LimitReached, PasswordResetRequired, NotSupportedByEndpoint])],
        ),
        case("POST /v1/auth/attributes/{name}/verify", "mia", json!({"code": CODE}), &[("verify_attribute", &[])]),
    ]
}

/// An API with the users `una` (unconfirmed), `dan` (disabled), `ivy` (invited) and `gus`, who has an identity and
/// enrolls an authenticator app.
async fn api() -> Api {
    with_users(Api::new()).await
}

async fn with_users(api: Api) -> Api {
    let identities = json!([{"providerName": "Google", "userId": "1"}]).to_string();
    for (name, groups, identities) in
        [("una", &[][..], "[]"), ("dan", &[], "[]"), ("ivy", &[], "[]"), ("gus", &["visitors"], &identities)]
    {
        let email = format!("{name}@example.com");
        let attributes = [("email", email.as_str()), ("email_verified", "true"), ("identities", identities)];
        api.pool.add_user(name, &format!("Password-of-{name}-1"), groups, &attributes);
    }
    api.pool.set_status("una", UserStatus::Unconfirmed);
    api.pool.disable("dan");
    api.pool.set_status("ivy", UserStatus::ForceChangePassword);
    api.pool.challenge("ivy", "open-session");
    api.pool.start_authenticator("gus");
    api.pool.add_device("mia", "eu-central-1_1");
    for name in ["root", "mia", "gus"] {
        api.token_of(name);
    }
    api.pool.sessions().forgot_password(&"mia".parse().unwrap(), &ClientContext::default()).await.unwrap();
    api
}

impl Case {
    /// An API in which the request succeeds.
    async fn api(&self) -> Api {
        if self.route == REVOKE_ALL { with_users(Api::with_revocations(&Arc::default())).await } else { api().await }
    }

    /// Creates a request. Placeholders in `route` are replaced by existing names.
    fn call_to(&self, route: &str, body: &Value) -> Call {
        let (method, path) = route.split_once(' ').unwrap();
        let names = [
            ("{username}", self.username),
            ("{group}", "visitors"),
            ("{provider}", "Google"),
            ("{key}", "eu-central-1_1"),
            ("{name}", "email"),
            ("{id}", RUNNING_JOB),
        ];
        let path = names.iter().fold(path.to_owned(), |path, (placeholder, name)| path.replace(placeholder, name));
        let call = Call::new(method, &path, Some(body).filter(|body| body.is_object()));
        if path.starts_with("/v1/auth/") {
            call.anonymous().header("x-access-token", &format!("access-token-of-{}", self.username))
        } else {
            call
        }
    }

    fn call(&self) -> Call {
        self.call_to(self.route, &self.body)
    }

    /// Whether the access token of a user authorizes the request.
    fn is_of_own_account(&self) -> bool {
        of(Served::Auth).iter().any(|route| route.access == Access::OwnToken && route.name() == self.route)
    }
}

/// Sends a request that must fail without an effect.
async fn rejection(api: &Api, call: Call) -> Answer {
    let contents = || (api.pool.contents(), api.jobs.keys(), api.jobs.executions());
    let before = contents();
    let answer = api.call(call.clone()).await;
    assert!(answer.status >= 400, "{call}: {answer:?}");
    assert_eq!(contents(), before, "{call}");
    answer
}

#[test]
fn every_route_has_a_case() {
    let cases = cases();
    let tested: BTreeSet<_> = cases.iter().map(|case| case.route.to_owned()).collect();
    assert_eq!(tested, of(Served::All).iter().map(Route::name).collect());
}

#[tokio::test]
async fn failed_calls_change_nothing_and_have_their_own_codes() {
    for case in cases() {
        let answer = case.api().await.call(case.call()).await;
        assert!(answer.status < 300, "{}: {answer:?}", case.call());
        for &(operation, reasons) in case.failures {
            for &reason in [Reason::Throttled, Reason::Unavailable].iter().chain(reasons) {
                let api = case.api().await;
                api.pool.fail(operation, 1, reason);
                let answer = rejection(&api, case.call()).await;
                let place = format!("{} {operation} {reason:?}", case.call());
                let code = ErrorCode::from(reason);
                assert_eq!((answer.status, answer.code()), (code.row().status.as_u16(), code.as_str()), "{place}");
                let seconds = match reason {
                    Reason::Throttled => Some("1"),
                    Reason::LimitReached => Some("900"),
                    Reason::MailQuotaExceeded => Some("3600"),
                    _ => None,
                };
                assert_eq!(
                    (answer.header("retry-after"), &answer.body["completed"]),
                    (seconds, &Value::Null),
                    "{place}"
                );
            }
        }
    }
}

#[tokio::test]
async fn unknown_users_and_unknown_groups_have_different_codes() {
    for (placeholder, code) in [("{username}", "user-not-found"), ("{group}", "group-not-found")] {
        for case in cases().iter().filter(|case| case.route.contains(placeholder)) {
            let call = case.call_to(&case.route.replace(placeholder, "nothing"), &case.body);
            let answer = rejection(&api().await, call).await;
            assert_eq!((answer.status, answer.code()), (404, code), "{}", case.route);
        }
    }
}

#[tokio::test]
async fn invalid_names_are_rejected_with_the_field() {
    for field in ["username", "group", "provider", "key", "name", "id"] {
        let placeholder = format!("{{{field}}}");
        for case in cases().iter().filter(|case| case.route.contains(&placeholder)) {
            for invalid in ["two%20words", "%FF", "%0A", &"x".repeat(129)] {
                let call = case.call_to(&case.route.replace(&placeholder, invalid), &case.body);
                let answer = rejection(&api().await, call).await;
                assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{} {invalid}", case.route);
                assert_eq!(answer.body["field"], field, "{} {invalid}", case.route);
            }
        }
    }
}

#[tokio::test]
async fn wrong_and_missing_fields_of_bodies_are_named_but_not_repeated() {
    let document = crate::openapi::value();
    for case in cases() {
        let Some(fields) = case.body.as_object() else { continue };
        let with = |name: &str, value: Value| {
            let mut body = case.body.clone();
            body[name] = value;
            body
        };
        let mut table = vec![("canary", with("canary", json!("Canary")))];
        table.extend(fields.keys().map(|name| (name.as_str(), with(name, json!([["Canary"]])))));
        let texts = fields.iter().filter(|(_, value)| value.is_string());
        table.extend(texts.map(|(name, _)| (name.as_str(), with(name, json!("")))));
        let (method, path) = case.route.split_once(' ').unwrap();
        let content = &document["paths"][path][method.to_lowercase()]["requestBody"]["content"]["application/json"];
        let reference = content["schema"]["$ref"].as_str().unwrap();
        let required = document.pointer(&reference[1..]).unwrap()["required"].as_array();
        for name in required.into_iter().flatten() {
            let mut body = case.body.clone();
            body.as_object_mut().unwrap().remove(name.as_str().unwrap());
            table.push((name.as_str().unwrap(), body));
        }
        for (field, body) in table {
            let answer = rejection(&case.api().await, case.call_to(case.route, &body)).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{} {body}", case.route);
            let found = answer.body["field"].as_str().unwrap_or_default();
            let is_named =
                found.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
            assert!(is_named, "{} {body}: {found}", case.route);
            assert!(!answer.body.to_string().contains("Canary"), "{} {body}: {}", case.route, answer.body);
        }
    }
}

#[tokio::test]
async fn aliases_and_subs_have_the_effect_of_the_user_name() {
    for case in cases().iter().filter(|case| case.route.contains("{username}") && !case.route.starts_with("GET")) {
        let by_name = api().await;
        let (alias, sub) = (format!("{}@example.com", case.username), by_name.sub_of(case.username));
        let expected = by_name.call(case.call()).await;
        // Routes that assign groups accept no alias.
        let others = if case.route.ends_with("/groups/{group}") { vec![sub] } else { vec![sub, alias] };
        for name in others {
            let api = api().await;
            let answer = api.call(case.call_to(&case.route.replace("{username}", &name), &case.body)).await;
            assert_eq!((answer.status, &answer.body), (expected.status, &expected.body), "{} {name}", case.route);
            assert_eq!(api.pool.contents(), by_name.pool.contents(), "{} {name}", case.route);
        }
    }
}

#[tokio::test]
async fn an_unexpected_body_is_ignored() {
    for case in cases().iter().filter(|case| case.body.is_null()) {
        let without = api().await.call(case.call()).await;
        for (content_type, body) in [
            (Some("application/json"), ""),
            (Some("application/json"), "{}"),
            (Some("application/json"), "not json"),
            (Some("text/plain"), "x"),
            (None, "x"),
        ] {
            let call = case.call().content_type(content_type).raw_body(body.to_owned());
            let answer = api().await.call(call).await;
            assert_eq!((answer.status, answer.body), (without.status, without.body.clone()), "{} {body}", case.route);
        }
    }
}

#[tokio::test]
async fn routes_for_the_own_account_require_a_valid_access_token() {
    for case in cases().iter().filter(|case| case.is_of_own_account()) {
        let revoked = api().await;
        revoked.pool.sign_out(case.username);
        for token in [format!("access-token-of-{}", case.username), "made-up".to_owned()] {
            let answer = rejection(&revoked, case.call().header("x-access-token", &token)).await;
            assert_eq!((answer.status, answer.code()), (401, "invalid-credentials"), "{} {token}", case.route);
        }
        // The claims of the authorizer do not replace the access token, which is checked before the rest of the path.
        let calls = revoked.pool.calls().len();
        let call = case.call_to(&case.route.replace("{name}", "birthdate"), &case.body);
        let answer = rejection(&revoked, call.header("x-access-token", "").by(token("root", "[admins]"))).await;
        assert_eq!((answer.status, answer.code()), (401, "unauthenticated"), "{}", case.route);
        assert_eq!(revoked.pool.calls().len(), calls, "{}", case.route);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{}", case.route);
    }
}
