//! Sends every event in `events/admin-api/` to the service as Lambda does, with the conversions of `lambda_http`.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use admin_api::{App, Permission, Ports, Served, Service, Settings, lambda, service};
use domain::invitation::InvitationKey;
use domain::user_pool::error::Reason;
use domain::user_pool::self_service::SelfService;
use domain::user_pool::sessions::{ChallengeName, ClientContext, Factor};
use domain::user_pool::user::UserStatus;
use lambda_http::request::LambdaRequest;
use lambda_http::{Context, LambdaEvent};
use serde_json::{Value, json};
use testkit::in_memory::{InMemoryInvitationKey, InMemoryPool};
use testkit::virtual_clock::VirtualClock;
use tower::ServiceExt;

/// Every case with the status of the response, and the problem's code or nothing for a success.
const CASES: &[(&str, u16, &str)] = &[
    ("auth-attributes-code", 200, ""),
    ("auth-attributes-code-other", 400, "invalid-request"),
    ("auth-attributes-verify", 204, ""),
    ("auth-attributes-verify-wrong-code", 422, "code-mismatch"),
    ("auth-challenge", 200, ""),
    ("auth-challenge-code", 200, ""),
    ("auth-challenge-mfa-setup", 200, ""),
    ("auth-challenge-other", 400, "invalid-request"),
    ("auth-challenge-other-attribute", 400, "invalid-request"),
    ("auth-challenge-wrong-code", 422, "code-mismatch"),
    ("auth-confirm-sign-up", 204, ""),
    ("auth-confirm-sign-up-expired-code", 422, "code-expired"),
    ("auth-forgot-password", 200, ""),
    ("auth-forgot-password-unknown", 200, ""),
    ("auth-me", 200, ""),
    ("auth-me-iam", 200, ""),
    ("auth-me-signed-out", 401, "invalid-credentials"),
    ("auth-me-totp-remove", 204, ""),
    ("auth-me-totp-start", 200, ""),
    ("auth-me-totp-verify", 204, ""),
    ("auth-me-totp-verify-wrong-code", 422, "code-mismatch"),
    ("auth-me-without-token", 401, "unauthenticated"),
    ("auth-refresh", 200, ""),
    ("auth-resend-code", 200, ""),
    ("auth-resend-code-confirmed", 409, "wrong-state"),
    ("auth-reset-password", 204, ""),
    ("auth-reset-password-wrong-code", 422, "code-mismatch"),
    ("auth-sign-in", 200, ""),
    ("auth-sign-in-challenged", 200, ""),
    ("auth-sign-in-unconfirmed", 403, "user-not-confirmed"),
    ("auth-sign-in-unknown", 401, "invalid-credentials"),
    ("auth-sign-out-access-token", 200, ""),
    ("auth-sign-out-both-tokens", 400, "invalid-request"),
    ("auth-sign-out-refresh-token", 200, ""),
    ("auth-sign-up", 201, ""),
    ("auth-sign-up-invited", 201, ""),
    ("groups-create", 201, ""),
    ("groups-create-existing", 409, "group-exists"),
    ("groups-delete", 204, ""),
    ("groups-delete-in-roles", 409, "wrong-state"),
    ("groups-delete-other-group", 403, "forbidden"),
    ("groups-get", 200, ""),
    ("groups-get-unknown", 404, "group-not-found"),
    ("groups-list", 200, ""),
    ("groups-update", 200, ""),
    ("groups-update-null", 400, "invalid-request"),
    ("groups-users", 200, ""),
    ("invitations-create", 201, ""),
    ("invitations-create-for-a-day", 201, ""),
    ("invitations-create-malformed", 400, "invalid-request"),
    ("invitations-create-not-set-up", 409, "wrong-state"),
    ("invitations-create-other-group", 403, "forbidden"),
    ("invitations-create-taken", 409, "alias-exists"),
    ("me", 200, ""),
    ("me-iam", 200, ""),
    ("pool", 200, ""),
    ("rest-auth-sign-in", 200, ""),
    ("rest-invitations-create", 201, ""),
    ("rest-users-create", 201, ""),
    ("rest-users-delete-ambiguous-groups", 403, "forbidden"),
    ("rest-users-delete-groups-as-array", 204, ""),
    ("rest-users-delete-without-token", 401, "unauthenticated"),
    ("rest-users-get-by-email", 200, ""),
    ("rest-users-identities-link", 200, ""),
    ("rest-users-list", 200, ""),
    ("rest-users-list-search", 200, ""),
    ("unknown-route", 404, "not-found"),
    ("users-auth-events", 200, ""),
    ("users-confirm", 200, ""),
    ("users-create", 201, ""),
    ("users-create-base64", 201, ""),
    ("users-create-existing", 409, "user-exists"),
    ("users-create-form", 415, "unsupported-media-type"),
    ("users-create-malformed", 400, "invalid-request"),
    ("users-create-permanent-password", 201, ""),
    ("users-create-repeated", 200, ""),
    ("users-create-repeated-completes", 200, ""),
    ("users-create-repeated-other", 409, "user-exists"),
    ("users-create-two-keys", 400, "invalid-request"),
    ("users-create-unknown-field", 400, "invalid-request"),
    ("users-create-weak-password", 422, "invalid-password"),
    ("users-delete", 204, ""),
    ("users-delete-comma-in-group", 403, "forbidden"),
    ("users-delete-iam", 403, "forbidden"),
    ("users-delete-no-group", 403, "forbidden"),
    ("users-delete-oneself", 403, "forbidden"),
    ("users-delete-other-group", 403, "forbidden"),
    ("users-delete-signed-out", 401, "invalid-credentials"),
    ("users-delete-without-scope", 403, "insufficient-scope"),
    ("users-delete-without-token", 401, "unauthenticated"),
    ("users-devices", 200, ""),
    ("users-devices-forget", 204, ""),
    ("users-devices-forget-unknown", 404, "device-not-found"),
    ("users-disable", 200, ""),
    ("users-disable-oneself", 403, "forbidden"),
    ("users-enable", 200, ""),
    ("users-get", 200, ""),
    ("users-get-by-email", 200, ""),
    ("users-get-on-a-stage", 200, ""),
    ("users-get-raw-path", 400, "invalid-request"),
    ("users-get-unknown", 404, "user-not-found"),
    ("users-get-with-groups", 200, ""),
    ("users-get-with-something-else", 400, "invalid-request"),
    ("users-groups-add", 204, ""),
    ("users-groups-add-alias", 400, "invalid-request"),
    ("users-groups-add-oneself", 403, "forbidden"),
    ("users-groups-add-unknown", 404, "group-not-found"),
    ("users-groups-list", 200, ""),
    ("users-groups-remove", 204, ""),
    ("users-groups-remove-oneself", 403, "forbidden"),
    ("users-identities-link", 200, ""),
    ("users-identities-link-another", 409, "wrong-state"),
    ("users-identities-link-of-another-user", 409, "alias-exists"),
    ("users-identities-unlink", 204, ""),
    ("users-identities-unlink-unknown", 404, "identity-not-found"),
    ("users-list", 200, ""),
    ("users-list-cursor-of-another-search", 400, "invalid-request"),
    ("users-list-id-token", 401, "unauthenticated"),
    ("users-list-members", 200, ""),
    ("users-list-next-page", 200, ""),
    ("users-list-other-client", 401, "unauthenticated"),
    ("users-list-raw-query", 200, ""),
    ("users-list-search", 200, ""),
    ("users-list-too-many", 400, "invalid-request"),
    ("users-list-unknown-group", 404, "group-not-found"),
    ("users-mfa", 200, ""),
    ("users-mfa-set", 200, ""),
    ("users-mfa-set-not-set-up", 409, "wrong-state"),
    ("users-password", 204, ""),
    ("users-resend-invitation", 200, ""),
    ("users-resend-invitation-confirmed", 409, "wrong-state"),
    ("users-reset-password", 200, ""),
    ("users-reset-password-invited", 409, "wrong-state"),
    ("users-sign-out", 200, ""),
    ("users-update", 204, ""),
    ("wrong-method", 405, "method-not-allowed"),
];

/// A pool with the users and groups of the events. `root` is created first, so that its `sub` is the one in the claims.
async fn pool() -> InMemoryPool {
    let pool = InMemoryPool::new();
    pool.add_user("root", "Password-of-root-1", &["admins"], &[]);
    let mia = [("email", "mia@example.com"), ("email_verified", "true"), ("phone_number", "+15550100")];
    pool.add_user("mia", "Password-of-mia-1", &[], &mia);
    pool.add_user("ivy", "Temporary-1", &["readers"], &[]);
    pool.set_status("ivy", UserStatus::ForceChangePassword);
    pool.add_user("una", "Password-of-una-1", &[], &[]);
    pool.set_status("una", UserStatus::Unconfirmed);
    pool.set_up_authenticator("mia");
    pool.add_device("mia", "eu-central-1_0b7a4a54-3f6e-4f1f-8a51-9d7d5ce6f1a2");
    pool.add_auth_event("mia", "5d2c6f0e-6a39-4c1b-9d0f-2f0d1c3b4a59", "SignIn");
    let identity = json!([{"providerName": "Google", "userId": "104512345678901234567"}]).to_string();
    pool.add_user("gus", "Password-of-gus-1", &["readers"], &[("identities", &identity)]);
    pool.add_user("dan", "Password-of-dan-1", &["guests"], &[]);
    pool.disable("dan");
    pool.give_tokens("mia", "example-access-token", "example-refresh-token");
    pool.give_tokens("root", "eyJ.example.token", "example-refresh-token-of-root");
    pool.give_tokens("gus", "example-enrolling-token", "example-enrolling-refresh-token");
    pool.start_authenticator("gus");
    pool.challenge("ivy", "example-session");
    pool.open_challenge("mia", "example-code-session", ChallengeName::SmsMfa);
    pool.open_challenge("mia", "example-setup-session", ChallengeName::MfaSetup);
    // A password reset code was sent.
    pool.sessions().forgot_password(&"mia".parse().unwrap(), &ClientContext::default()).await.unwrap();
    pool
}

/// Creates the service from settings, as `main` does.
fn service_on(pool: &InMemoryPool, takes_invitations: bool) -> Service {
    let all: Vec<_> = Permission::ALL.iter().copied().map(Permission::as_str).collect();
    let roles = json!({"admins": all, "readers": ["users:read"]}).to_string();
    let settings = Settings::read(|variable| match variable {
        "AWS_REGION" => Some("eu-central-1".to_owned()),
        "USER_POOL_ID" => Some("eu-central-1_Ab12Cd34E".to_owned()),
        "COGNITO_CLIENT_ID" => Some("1example23456789".to_owned()),
        "ISSUER" => Some("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E".to_owned()),
        "ROUTES" => Some("all".to_owned()),
        "ROLES" => Some(roles.clone()),
        _ => None,
    });
    let invitation_key = || Arc::new(InMemoryInvitationKey::from_seed([7; 32])) as Arc<dyn InvitationKey>;
    let ports = Ports {
        pool: Arc::new(pool.directory()),
        sessions: Arc::new(pool.sessions()),
        self_service: Arc::new(pool.sessions()),
        cursor_key: Arc::new(pool.sessions()),
        invitation_key: takes_invitations.then(invitation_key),
        clock: Arc::new(VirtualClock::with_time(Duration::MAX)),
    };
    service(App::new(ports, settings.unwrap()), Served::All)
}

async fn answer_to(case: &str, pool: &InMemoryPool) -> Value {
    precede(case, pool).await;
    answer_to_event(case, pool).await
}

/// Sends the first request of a case that tests a repeated request.
async fn precede(case: &str, pool: &InMemoryPool) {
    if case == "users-create-repeated-completes" {
        pool.fail("set_password", 1, Reason::Unavailable);
    }
    if ["users-create-repeated", "users-create-repeated-completes"].contains(&case) {
        answer_to_event(case, pool).await;
    }
}

async fn answer_to_event(case: &str, pool: &InMemoryPool) -> Value {
    let events = testkit::events::all("admin-api");
    let (_, event) = events.iter().find(|(name, _)| name == case).unwrap();
    let request: LambdaRequest = serde_json::from_str(event).unwrap();
    let event = LambdaEvent::new(request, Context::default());
    let takes_invitations = case != "invitations-create-not-set-up";
    let answer = lambda(service_on(pool, takes_invitations)).oneshot(event).await.unwrap();
    serde_json::to_value(answer).unwrap()
}

#[tokio::test]
async fn every_event_returns_its_status() {
    for &(case, status, code) in CASES {
        let answer = answer_to(case, &pool().await).await;
        assert_eq!(answer["statusCode"], status, "{case}: {answer}");
        assert_eq!(answer["isBase64Encoded"], false, "{case}: {answer}");
        let body: Value = match answer["body"].as_str() {
            Some("") | None => Value::Null,
            Some(text) => serde_json::from_str(text).unwrap(),
        };
        assert_eq!(body["code"].as_str().unwrap_or_default(), code, "{case}: {answer}");
        assert_eq!(body.is_null(), status == 204, "{case}: {answer}");
    }
}

#[test]
fn every_event_file_has_a_case() {
    let files: Vec<_> = testkit::events::all("admin-api").into_iter().map(|(case, _)| case).collect();
    assert_eq!(files, CASES.iter().map(|(case, ..)| *case).collect::<Vec<_>>());
}

#[tokio::test]
async fn rejected_events_do_not_change_the_pool() {
    let users = ["root", "mia", "ivy", "una", "gus", "dan", "new", "new@example.com", "nobody"];
    for (case, ..) in CASES.iter().filter(|(_, status, _)| *status >= 400) {
        let pool = pool().await;
        let before = users.map(|name| pool.user(name));
        answer_to(case, &pool).await;
        assert_eq!(users.map(|name| pool.user(name)), before, "{case}");
        assert!(pool.takes_token("example-access-token") && pool.takes_token("example-refresh-token"), "{case}");
    }
}

/// Whether the pool contains a change.
type IsDone<'a> = &'a dyn Fn(&InMemoryPool) -> bool;

#[tokio::test]
async fn each_event_makes_the_requested_change() {
    let has_status =
        |pool: &InMemoryPool, name: &str, status| pool.user(name).is_some_and(|user| user.status == status);
    let table: &[(&str, IsDone<'_>)] = &[
        ("users-create", &|pool| pool.was_invited("new@example.com")),
        ("users-create-permanent-password", &|pool| pool.has_password("new", "Permanent-1")),
        ("users-create-base64", &|pool| pool.user("new").is_some() && !pool.was_invited("new")),
        ("users-create-repeated-completes", &|pool| pool.has_password("rae", "Permanent-1")),
        ("users-disable", &|pool| pool.user("mia").is_some_and(|user| !user.enabled)),
        ("users-enable", &|pool| pool.user("dan").is_some_and(|user| user.enabled)),
        ("users-groups-add", &|pool| pool.groups_of("mia") == ["readers"]),
        ("users-groups-remove", &|pool| pool.groups_of("ivy").is_empty()),
        ("users-resend-invitation", &|pool| pool.was_invited("ivy")),
        ("users-reset-password", &|pool| has_status(pool, "mia", UserStatus::ResetRequired)),
        ("users-update", &|pool| pool.attributes_of("mia").contains_key("name")),
        ("users-delete", &|pool| pool.user("mia").is_none()),
        ("rest-users-delete-groups-as-array", &|pool| pool.user("mia").is_none()),
        ("users-password", &|pool| pool.has_password("mia", "Permanent-1")),
        ("users-identities-link", &|pool| pool.attributes_of("mia").contains_key("identities")),
        ("rest-users-identities-link", &|pool| pool.attributes_of("mia").contains_key("identities")),
        ("users-identities-unlink", &|pool| !pool.attributes_of("gus").contains_key("identities")),
        ("groups-delete", &|pool| pool.groups_of("dan").is_empty()),
        ("users-sign-out", &|pool| !pool.takes_token("example-refresh-token")),
        ("auth-sign-up", &|pool| has_status(pool, "new@example.com", UserStatus::Unconfirmed)),
        ("auth-confirm-sign-up", &|pool| has_status(pool, "una", UserStatus::Confirmed)),
        ("auth-reset-password", &|pool| pool.has_password("mia", "Permanent-1")),
        ("auth-attributes-verify", &|pool| pool.attributes_of("mia").contains_key("phone_number_verified")),
        ("auth-me-totp-verify", &|pool| pool.mfa_of("gus").enabled == [Factor::SoftwareTokenMfa]),
        ("auth-challenge", &|pool| has_status(pool, "ivy", UserStatus::Confirmed)),
        ("auth-sign-out-refresh-token", &|pool| !pool.takes_token("example-refresh-token")),
        ("auth-sign-out-access-token", &|pool| !pool.takes_token("example-access-token")),
    ];
    for &(case, is_done) in table {
        let pool = pool().await;
        assert!(!is_done(&pool), "{case} is done before the request");
        answer_to(case, &pool).await;
        assert!(is_done(&pool), "{case}");
    }
}

#[tokio::test]
async fn each_search_event_finds_the_matching_users() {
    let pool = InMemoryPool::new();
    pool.add_user("root", "Password-of-root-1", &["admins"], &[]);
    pool.add_user("mia", "Password-of-mia-1", &[], &[]);
    let attributes = [
        ("name", "Ülo \"U\" \\ 100%+ & Co"),
        ("custom:team", "R&D=x"),
        ("custom:floor", "2"),
        ("email", "ulo@example.com"),
    ];
    pool.add_user("ulo", "Password-of-ulo-1", &["readers"], &attributes);
    pool.add_user("uli", "Password-of-uli-1", &["readers"], &attributes[1..]);
    let table: [(&str, &[&str]); 5] = [
        ("users-list-search", &["ulo"]),
        ("users-list-raw-query", &["ulo"]),
        ("rest-users-list-search", &["ulo"]),
        ("users-list-members", &["uli", "ulo"]),
        ("users-list-next-page", &["root", "uli"]),
    ];
    for (case, expected) in table {
        let answer = answer_to(case, &pool).await;
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        let users = body["users"].as_array().unwrap();
        assert_eq!(users.iter().map(|user| &user["username"]).collect::<Vec<_>>(), expected, "{case}: {answer}");
    }
}
