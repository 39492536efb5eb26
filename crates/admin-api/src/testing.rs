//! The API on an in-memory pool, called with events of API Gateway.

mod call;
mod documented;
pub(crate) mod pages;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::invitation::InvitationKey;
use domain::permission::Permission;
use domain::retry::Clock;
use domain::secret::Secret;
use domain::user_pool::sessions::{
    Challenge, ChallengeAnswer, ChallengeName, ChallengeResponse, ClientContext, Credentials, Factor, Sessions, SignIn,
};
use http::HeaderMap;
use serde_json::{Value, json};
use testkit::in_memory::{FACTOR_CODE, InMemoryInvitationKey, InMemoryPool};
use testkit::in_memory_jobs::InMemoryJobs;
use testkit::in_memory_revocations::InMemoryRevocations;
use testkit::virtual_clock::VirtualClock;
use time::OffsetDateTime;
use tower::ServiceExt;

use crate::app::{App, JobPorts, Ports};
use crate::service::{Service, service};
use crate::settings::{AdminMfa, Served, Settings};

pub(crate) use self::call::{By, Call, iam, rest_iam, rest_token, token, token_with};
pub(crate) use testkit::in_memory::CLIENT_ID;

pub(crate) const USER_POOL_ID: &str = "eu-central-1_Ab12Cd34E";
pub(crate) const SOURCE_IP: &str = "203.0.113.7";

/// The seed of the invitation signing key, which also signs the example in the OpenAPI document.
const KEY_SEED: [u8; 32] = [7; 32];

/// The API, its pool, and the jobs of [`InMemoryJobs::with_examples`].
///
/// The pool has the users `root` (admins), `cleo` (creators: `users:create` only), `ray` (readers: `users:read` only),
/// `vic` (visitors: no permissions) and `mia` (no group). The group updaters (`users:update` only) is empty. Passwords
/// are `Password-of-NAME-1`.
pub(crate) struct Api {
    pub(crate) pool: InMemoryPool,
    pub(crate) jobs: InMemoryJobs,
    pub(crate) invitation_key: InMemoryInvitationKey,
    clock: VirtualClock,
    service: Service,
    /// The users that have an access token.
    token_owners: Mutex<BTreeSet<String>>,
}

fn settings(roles: &Value) -> Settings {
    Settings {
        region: "eu-central-1".to_owned(),
        user_pool_id: USER_POOL_ID.to_owned(),
        client_id: CLIENT_ID.to_owned(),
        issuer: format!("https://cognito-idp.eu-central-1.amazonaws.com/{USER_POOL_ID}"),
        served: Served::All,
        roles: roles.to_string().parse().unwrap(),
        invitation_key_parameter: None,
        revocation_table: None,
        passable_roles: PASSABLE_ROLE.parse().unwrap(),
        totp_issuer: "shop".to_owned(),
        admin_mfa: AdminMfa::Optional,
    }
}

/// The only IAM role that the API can pass.
pub(crate) const PASSABLE_ROLE: &str = "arn:aws:iam::123456789012:role/visitors";

/// An app with an empty pool.
pub(crate) fn app() -> App {
    App::new(ports(&InMemoryPool::new(), None, None, &clock()), settings(&json!({})))
}

/// An app with an empty pool and these revocations, and its clock.
pub(crate) fn app_with(revocations: &Arc<InMemoryRevocations>) -> (App, VirtualClock) {
    let clock = clock();
    let ports = Ports { revocations: Some(revocations.clone()), ..ports(&InMemoryPool::new(), None, None, &clock) };
    (App::new(ports, settings(&json!({}))), clock)
}

/// A clock at the beginning of 1970 that advances only on request.
fn clock() -> VirtualClock {
    VirtualClock::with_time(Duration::MAX)
}

/// The ports of an in-memory pool.
fn ports(
    pool: &InMemoryPool,
    jobs: Option<&InMemoryJobs>,
    invitation_key: Option<InMemoryInvitationKey>,
    clock: &VirtualClock,
) -> Ports {
    let job_ports =
        |jobs: &InMemoryJobs| JobPorts { files: Arc::new(jobs.clone()), executions: Arc::new(jobs.clone()) };
    Ports {
        pool: Arc::new(pool.directory()),
        sessions: Arc::new(pool.sessions()),
        self_service: Arc::new(pool.sessions()),
        cursor_key: Arc::new(pool.sessions()),
        invitation_key: invitation_key.map(|key| Arc::new(key) as Arc<dyn InvitationKey>),
        revocations: None,
        jobs: jobs.map(job_ports),
        clock: Arc::new(clock.clone()),
    }
}

/// The tokens of one sign-in.
pub(crate) struct SignedIn {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Api {
    /// Creates an API with all routes.
    pub(crate) fn new() -> Self {
        Self::serving(Served::All)
    }

    pub(crate) fn serving(served: Served) -> Self {
        let key = InMemoryInvitationKey::from_seed(KEY_SEED);
        Self::of(served, key.clone(), Some(key), AdminMfa::Optional)
    }

    /// Creates an API with all routes that requires a second factor of callers with permissions.
    pub(crate) fn requiring_mfa() -> Self {
        let key = InMemoryInvitationKey::from_seed(KEY_SEED);
        Self::of(Served::All, key.clone(), Some(key), AdminMfa::Required)
    }

    /// Creates an API with all routes that checks and writes these revocations.
    pub(crate) fn with_revocations(revocations: &Arc<InMemoryRevocations>) -> Self {
        let api = Self::new();
        let ports =
            Ports { revocations: Some(revocations.clone()), ..ports(&api.pool, Some(&api.jobs), None, &api.clock) };
        let roles = json!({"admins": Permission::ALL.iter().copied().map(Permission::as_str).collect::<Vec<_>>()});
        Self { service: service(App::new(ports, settings(&roles)), Served::All), ..api }
    }

    /// Creates an API with all routes and without an invitation signing key.
    pub(crate) fn without_invitations() -> Self {
        Self::of(Served::All, InMemoryInvitationKey::from_seed(KEY_SEED), None, AdminMfa::Optional)
    }

    /// Creates an API with all routes and without jobs.
    pub(crate) fn without_jobs() -> Self {
        let api = Self::new();
        let roles = json!({"admins": Permission::ALL.iter().copied().map(Permission::as_str).collect::<Vec<_>>()});
        let app = App::new(ports(&api.pool, None, None, &api.clock), settings(&roles));
        Self { service: service(app, Served::All), ..api }
    }

    fn of(
        served: Served,
        invitation_key: InMemoryInvitationKey,
        configured: Option<InMemoryInvitationKey>,
        admin_mfa: AdminMfa,
    ) -> Self {
        let pool = InMemoryPool::new();
        let verified = |email| [("email", email), ("email_verified", "true")];
        pool.add_user("root", "Password-of-root-1", &["admins"], &verified("root@example.com"));
        pool.add_user("cleo", "Password-of-cleo-1", &["creators"], &[]);
        pool.add_user("ray", "Password-of-ray-1", &["readers"], &[]);
        pool.add_user("vic", "Password-of-vic-1", &["visitors"], &[]);
        pool.add_user("mia", "Password-of-mia-1", &[], &verified("mia@example.com"));
        let all: Vec<_> = Permission::ALL.iter().copied().map(Permission::as_str).collect();
        let (readers, creators, updaters) = (["users:read"], ["users:create"], ["users:update"]);
        let stewards: Vec<_> = all.iter().filter(|permission| **permission != "groups:roles").collect();
        let deputies: Vec<_> = all.iter().filter(|permission| **permission != "pool:read").collect();
        let roles = json!({
            "admins": all, "deputies": deputies, "stewards": stewards, "readers": readers, "creators": creators,
            "updaters": updaters, "assigners": ["users:groups:visitors"], "auditors": ["groups:read"]
        });
        let settings = Settings { served, admin_mfa, ..settings(&roles) };
        let (clock, jobs) = (clock(), InMemoryJobs::with_examples());
        let app = App::new(ports(&pool, Some(&jobs), configured, &clock), settings);
        Self { pool, jobs, invitation_key, clock, service: service(app, served), token_owners: Mutex::default() }
    }

    /// Creates an API with all routes on this pool and with these roles.
    pub(crate) fn on(pool: InMemoryPool, roles: &Value, admin_mfa: AdminMfa) -> Self {
        Self::with(pool, InMemoryJobs::with_examples(), roles, admin_mfa)
    }

    /// Creates an API with all routes on this pool, with these jobs and roles.
    pub(crate) fn with(pool: InMemoryPool, jobs: InMemoryJobs, roles: &Value, admin_mfa: AdminMfa) -> Self {
        let invitation_key = InMemoryInvitationKey::from_seed(KEY_SEED);
        let clock = clock();
        let settings = Settings { admin_mfa, ..settings(roles) };
        let app = App::new(ports(&pool, Some(&jobs), Some(invitation_key.clone()), &clock), settings);
        Self { pool, jobs, invitation_key, clock, service: service(app, Served::All), token_owners: Mutex::default() }
    }

    /// Advances the clocks of the API and the pool by days.
    pub(crate) async fn days_pass(&self, days: u32) {
        self.time_passes(Duration::from_secs(u64::from(days) * 24 * 60 * 60)).await;
    }

    /// Advances the clocks of the API and the pool.
    pub(crate) async fn time_passes(&self, duration: Duration) {
        self.clock.sleep(duration).await;
        self.pool.set_clock(self.clock.wall_time());
    }

    pub(crate) fn wall_time(&self) -> OffsetDateTime {
        self.clock.wall_time()
    }

    /// The access token that the user's calls send. It is issued once, so a revoked token is not replaced.
    pub(crate) fn token_of(&self, username: &str) -> String {
        let token = format!("access-token-of-{username}");
        if self.token_owners.lock().unwrap().insert(username.to_owned()) {
            self.pool.give_tokens(username, &token, &format!("refresh-token-of-{username}"));
        }
        token
    }

    pub(crate) fn sub_of(&self, username: &str) -> String {
        self.pool.user(username).unwrap().attributes["sub"].clone()
    }

    /// Signs a user in without the API, with an authenticator code if the pool requires one.
    pub(crate) async fn sign_in(&self, username: &str) -> SignedIn {
        let sessions = self.pool.sessions();
        let credentials = Credentials {
            username: username.parse().unwrap(),
            password: Secret::new(format!("Password-of-{username}-1")),
            context: ClientContext::default(),
        };
        let mut step = sessions.sign_in(&credentials).await.unwrap();
        if let SignIn::Challenge(Challenge { name: ChallengeName::SoftwareTokenMfa, session, username, .. }) = step {
            let response = ChallengeResponse::Code { factor: Factor::SoftwareTokenMfa, code: Secret::new(FACTOR_CODE) };
            let answer =
                ChallengeAnswer { username, session: session.unwrap(), response, context: ClientContext::default() };
            step = sessions.answer_challenge(&answer).await.unwrap();
        }
        match step {
            SignIn::Tokens(tokens) => SignedIn {
                access: tokens.access_token.expose().to_owned(),
                refresh: tokens.refresh_token.unwrap().expose().to_owned(),
            },
            other => panic!("{other:?}"),
        }
    }

    /// Makes the call, and asserts that the OpenAPI document contains the response.
    pub(crate) async fn call(&self, call: Call) -> Answer {
        let request = lambda_http::request::from_str(&call.event(self).to_string()).unwrap();
        let response = self.service.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body };
        answer.assert_is_consistent();
        documented::assert_is_documented(&call, &answer);
        answer
    }
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The code of a problem, or an empty string for a success.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Asserts that a response is a problem document if and only if it is a failure.
    fn assert_is_consistent(&self) {
        let content_type = self.header("content-type");
        if self.status < 400 {
            assert!(self.code().is_empty(), "{self:?}");
            assert_eq!(content_type.is_none(), self.status == 204, "{self:?}");
        } else {
            assert_eq!(content_type, Some("application/problem+json"), "{self:?}");
            assert_eq!(self.body["status"], self.status, "{self:?}");
            assert_eq!(self.body["type"], format!("urn:poolkeeper:problem:{}", self.code()), "{self:?}");
            assert_eq!(self.body["request_id"], "request-1", "{self:?}");
            assert!(self.body["title"].is_string() && self.body["detail"].is_string(), "{self:?}");
            assert_ne!(self.body["title"], self.body["detail"], "{self:?}");
        }
    }
}
