//! The API under test, on a new in-memory pool for each request.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use admin_api::{App, JobPorts, Lambda, Permission, Ports, Served, Settings, lambda, service};
use domain::user_pool::sessions::ChallengeName;
use domain::user_pool::user::UserStatus;
use serde_json::{Value, json};
use testkit::in_memory::{InMemoryInvitationKey, InMemoryPool};
use testkit::in_memory_jobs::InMemoryJobs;
use testkit::virtual_clock::VirtualClock;
use tokio::runtime::{Builder, Runtime};

use super::HIDDEN_ATTRIBUTE;

pub(super) const CLIENT_ID: &str = "1example23456789";
pub(super) const ISSUER: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E";

/// The `sub` of `root`, the first user of the pool.
pub(super) const ROOT_SUB: &str = "00000000-0000-4000-8000-000000000001";

/// The `sub` of `aud`, the second user of the pool. The number in between belongs to the group of `root`.
pub(super) const AUD_SUB: &str = "00000000-0000-4000-8000-000000000003";

/// The access token of `root` in `events/admin-api/`.
pub(super) const ACCESS_TOKEN: &str = "eyJ.example.token";

/// The access token of `aud`.
pub(super) const AUD_ACCESS_TOKEN: &str = "eyJ.example.auditor";

/// User name, `sub` and group of the only users of the pool with write permissions. The first one has all permissions.
pub(super) const WRITERS: [(&str, &str, &str); 2] = [("root", ROOT_SUB, "admins"), ("aud", AUD_SUB, "auditors")];

/// A pool with the users, tokens and sessions that the events name.
pub(super) fn pool() -> InMemoryPool {
    let pool = InMemoryPool::new();
    pool.add_user("root", "Password-of-root-1", &["admins"], &[]);
    pool.add_user("aud", "Password-of-aud-1", &["auditors"], &[]);
    let hidden = ("nickname", HIDDEN_ATTRIBUTE);
    let mia = [("email", "mia@example.com"), ("email_verified", "true"), ("phone_number", "+15550100"), hidden];
    pool.add_user("mia", "Password-of-mia-1", &[], &mia);
    // This user is in no group, so that `aud` can change the user.
    pool.add_user("ivy", "Temporary-1", &[], &[hidden]);
    pool.set_status("ivy", UserStatus::ForceChangePassword);
    pool.add_user("una", "Password-of-una-1", &[], &[]);
    pool.set_status("una", UserStatus::Unconfirmed);
    let identity = json!([{"providerName": "Google", "userId": "104512345678901234567"}]).to_string();
    pool.add_user("gus", "Password-of-gus-1", &["readers"], &[("identities", &identity), hidden]);
    pool.set_up_authenticator("mia");
    pool.add_device("mia", "eu-central-1_0b7a4a54-3f6e-4f1f-8a51-9d7d5ce6f1a2");
    pool.add_auth_event("mia", "5d2c6f0e-6a39-4c1b-9d0f-2f0d1c3b4a59", "SignIn");
    pool.give_tokens("mia", "example-access-token", "example-refresh-token");
    pool.give_tokens("root", ACCESS_TOKEN, "refresh-token-of-root");
    pool.give_tokens("aud", AUD_ACCESS_TOKEN, "refresh-token-of-aud");
    pool.challenge("ivy", "example-session");
    pool.open_challenge("mia", "example-code-session", ChallengeName::SmsMfa);
    pool.open_challenge("mia", "example-setup-session", ChallengeName::MfaSetup);
    pool
}

/// The event of a GET request by `root`.
pub(super) fn get_by_root(path: &str, query: &str) -> Value {
    let claims = json!({
        "client_id": CLIENT_ID, "cognito:groups": "[admins]", "exp": "1767229200", "iss": ISSUER,
        "scope": "aws.cognito.signin.user.admin", "sub": ROOT_SUB, "token_use": "access", "username": "root"
    });
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": {"host": "api.example.com", "authorization": format!("Bearer {ACCESS_TOKEN}")},
        "requestContext": {
            "accountId": "123456789012", "apiId": "a1b2c3d4e5", "stage": "$default", "requestId": "1", "timeEpoch": 0,
            "authorizer": {"jwt": {"claims": claims, "scopes": null}},
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"}
        },
        "isBase64Encoded": false
    })
}

/// The service with all routes on this pool and these jobs.
pub(super) fn lambda_on(pool: &InMemoryPool, jobs: &InMemoryJobs) -> Lambda {
    let all: Vec<_> = Permission::ALL.iter().copied().map(Permission::as_str).collect();
    let but_users_read: Vec<_> = all.iter().filter(|permission| **permission != "users:read").collect();
    let roles = json!({"admins": all, "readers": ["users:read"], "auditors": but_users_read});
    let settings = Settings::read(|variable| match variable {
        "AWS_REGION" => Some("eu-central-1".to_owned()),
        "USER_POOL_ID" => Some("eu-central-1_Ab12Cd34E".to_owned()),
        "COGNITO_CLIENT_ID" => Some(CLIENT_ID.to_owned()),
        "ISSUER" => Some(ISSUER.to_owned()),
        "ROUTES" => Some("all".to_owned()),
        "ROLES" => Some(roles.to_string()),
        _ => None,
    });
    let ports = Ports {
        pool: Arc::new(pool.directory()),
        sessions: Arc::new(pool.sessions()),
        self_service: Arc::new(pool.sessions()),
        cursor_key: Arc::new(pool.sessions()),
        invitation_key: Some(Arc::new(InMemoryInvitationKey::from_seed([7; 32]))),
        revocations: None,
        jobs: Some(JobPorts { files: Arc::new(jobs.clone()), executions: Arc::new(jobs.clone()) }),
        clock: Arc::new(VirtualClock::with_time(Duration::MAX)),
    };
    let settings = settings.unwrap_or_else(|error| unreachable!("{error}"));
    lambda(service(App::new(ports, settings), Served::All))
}

thread_local! {
    static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
}

/// Runs a future on the runtime of this thread.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = RUNTIME.take().or_else(|| Builder::new_current_thread().enable_time().build().ok());
    let runtime = runtime.unwrap_or_else(|| unreachable!("no runtime"));
    let output = runtime.block_on(future);
    RUNTIME.set(Some(runtime));
    output
}
