//! Sends every event in `events/admin-api/` to the service as Lambda does, with the conversions of `lambda_http`.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use admin_api::{App, JobPorts, Permission, Ports, Served, Service, Settings, lambda, service};
use domain::invitation::InvitationKey;
use domain::user_pool::error::Reason;
use domain::user_pool::self_service::SelfService;
use domain::user_pool::sessions::{ChallengeName, ClientContext, Factor};
use domain::user_pool::user::UserStatus;
use lambda_http::request::LambdaRequest;
use lambda_http::{Context, LambdaEvent};
use serde_json::{Value, json};
use testkit::in_memory::{InMemoryInvitationKey, InMemoryPool};
use testkit::in_memory_jobs::InMemoryJobs;
use testkit::virtual_clock::VirtualClock;
use tower::ServiceExt;

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
    // Sends a password reset code.
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
    let jobs = InMemoryJobs::with_examples();
    let invitation_key = || Arc::new(InMemoryInvitationKey::from_seed([7; 32])) as Arc<dyn InvitationKey>;
    let ports = Ports {
        pool: Arc::new(pool.directory()),
        sessions: Arc::new(pool.sessions()),
        self_service: Arc::new(pool.sessions()),
        cursor_key: Arc::new(pool.sessions()),
        invitation_key: takes_invitations.then(invitation_key),
        revocations: None,
        jobs: Some(JobPorts { files: Arc::new(jobs.clone()), executions: Arc::new(jobs) }),
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

fn cases() -> impl Iterator<Item = String> {
    testkit::events::all("admin-api").into_iter().map(|(case, _)| case)
}

#[tokio::test]
async fn every_event_returns_its_status() {
    let mut answers = Vec::new();
    for case in cases() {
        let answer = answer_to(&case, &pool().await).await;
        assert_eq!(answer["isBase64Encoded"], false, "{case}: {answer}");
        let status = &answer["statusCode"];
        let body: Value = match answer["body"].as_str() {
            Some("") | None => Value::Null,
            Some(text) => serde_json::from_str(text).unwrap(),
        };
        assert_eq!(body.is_null(), status == 204, "{case}: {answer}");
        answers.push(format!("{case}: {status} {}", body["code"].as_str().unwrap_or_default()).trim_end().to_owned());
    }
    insta::assert_snapshot!(answers.join("\n"));
}

#[tokio::test]
async fn rejected_events_do_not_change_the_pool() {
    let users = ["root", "mia", "ivy", "una", "gus", "dan", "new", "new@example.com", "nobody"];
    for case in cases() {
        let pool = pool().await;
        let before = users.map(|name| pool.user(name));
        if answer_to(&case, &pool).await["statusCode"].as_u64().unwrap() < 400 {
            continue;
        }
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
