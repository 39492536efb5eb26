//! The API under test, on a new in-memory pool for each request, so that a response depends only on the request.

use std::sync::Arc;
use std::time::Duration;

use admin_api::{App, JobPorts, Permission, Ports, Served, Service, Settings, service};
use domain::user_pool::sessions::ChallengeName;
use domain::user_pool::user::UserStatus;
use serde_json::json;
use testkit::in_memory::{InMemoryInvitationKey, InMemoryPool};
use testkit::in_memory_jobs::InMemoryJobs;
use testkit::virtual_clock::VirtualClock;

pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const USER_POOL_ID: &str = "eu-central-1_Ab12Cd34E";
pub(crate) const CLIENT_ID: &str = "1example23456789";

/// The service with all routes.
pub(crate) fn new() -> Service {
    let pool = pool();
    let jobs = InMemoryJobs::with_examples();
    let ports = Ports {
        pool: Arc::new(pool.directory()),
        sessions: Arc::new(pool.sessions()),
        self_service: Arc::new(pool.sessions()),
        cursor_key: Arc::new(pool.sessions()),
        invitation_key: Some(Arc::new(InMemoryInvitationKey::from_seed([7; 32]))),
        revocations: None,
        jobs: Some(JobPorts { files: Arc::new(jobs.clone()), executions: Arc::new(jobs) }),
        clock: Arc::new(VirtualClock::with_time(Duration::MAX)),
    };
    service(App::new(ports, settings()), Served::All)
}

/// A pool with the names, passwords and tokens in `schemathesis.toml`. `root` is created first, so that its `sub` is
/// the one in the claims.
fn pool() -> InMemoryPool {
    let pool = InMemoryPool::new();
    let address = [("email", "root@example.com"), ("phone_number", "+15550199")];
    pool.add_user("root", "Password-of-root-1", &["admins"], &address);
    pool.add_user("mia", "Password-of-mia-1", &[], &[("email", "mia@example.com"), ("email_verified", "true")]);
    pool.add_user("ivy", "Temporary-1", &["readers"], &[]);
    pool.set_status("ivy", UserStatus::ForceChangePassword);
    pool.add_user("una", "Password-of-una-1", &[], &[]);
    pool.set_status("una", UserStatus::Unconfirmed);
    // `ROLES` does not list this group, so it can be deleted.
    pool.add_group("guests");
    pool.set_up_authenticator("mia");
    pool.add_device("mia", "eu-central-1_0b7a4a54-3f6e-4f1f-8a51-9d7d5ce6f1a2");
    pool.add_auth_event("mia", "5d2c6f0e-6a39-4c1b-9d0f-2f0d1c3b4a59", "SignIn");
    let identity = json!([{"providerName": "Google", "userId": "104512345678901234567"}]).to_string();
    pool.add_user("gus", "Password-of-gus-1", &["readers"], &[("identities", &identity)]);
    pool.give_tokens("mia", "example-access-token", "example-refresh-token");
    // The token in the header `Authorization`.
    pool.give_tokens("root", "contract-access-token", "contract-refresh-token");
    pool.challenge("ivy", "example-session");
    // The session in the examples of the OpenAPI document.
    pool.challenge("mia", "AYABeGrXo6Ld2aCq");
    pool.open_challenge("mia", "example-code-session", ChallengeName::SmsMfa);
    pool.open_challenge("mia", "example-setup-session", ChallengeName::MfaSetup);
    pool
}

fn settings() -> Settings {
    let all: Vec<_> = Permission::ALL.iter().copied().map(Permission::as_str).collect();
    let roles = json!({"admins": all, "readers": ["users:read"]}).to_string();
    let settings = Settings::read(|variable| match variable {
        "AWS_REGION" => Some(REGION.to_owned()),
        "USER_POOL_ID" => Some(USER_POOL_ID.to_owned()),
        "COGNITO_CLIENT_ID" => Some(CLIENT_ID.to_owned()),
        "ISSUER" => Some(format!("https://cognito-idp.{REGION}.amazonaws.com/{USER_POOL_ID}")),
        "ROUTES" => Some("all".to_owned()),
        "ROLES" => Some(roles.clone()),
        _ => None,
    });
    settings.unwrap()
}
