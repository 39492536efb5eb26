//! The API on an in-memory pool, called with events of API Gateway.

mod documented;
pub(crate) mod pages;

use std::collections::BTreeSet;
use std::fmt;
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
use serde_json::{Map, Value, json};
use testkit::in_memory::{FACTOR_CODE, InMemoryInvitationKey, InMemoryPool};
use testkit::in_memory_revocations::InMemoryRevocations;
use testkit::virtual_clock::VirtualClock;
use time::OffsetDateTime;
use tower::ServiceExt;

use crate::app::{App, Ports};
use crate::service::{Service, service};
use crate::settings::{AdminMfa, Served, Settings};

pub(crate) use testkit::in_memory::CLIENT_ID;

pub(crate) const USER_POOL_ID: &str = "eu-central-1_Ab12Cd34E";
pub(crate) const SOURCE_IP: &str = "203.0.113.7";

/// The seed of the invitation signing key, which also signs the example in the OpenAPI document.
const KEY_SEED: [u8; 32] = [7; 32];

/// The API and its pool.
///
/// The pool has the users `root` (admins), `cleo` (creators: `users:create` only), `ray` (readers: `users:read` only),
/// `vic` (visitors: no permissions) and `mia` (no group). The group updaters (`users:update` only) is empty. Passwords
/// are `Password-of-NAME-1`.
pub(crate) struct Api {
    pub(crate) pool: InMemoryPool,
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
    App::new(ports(&InMemoryPool::new(), None, &clock()), settings(&json!({})))
}

/// An app with an empty pool and these revocations, and its clock.
pub(crate) fn app_with(revocations: &Arc<InMemoryRevocations>) -> (App, VirtualClock) {
    let clock = clock();
    let ports = Ports { revocations: Some(revocations.clone()), ..ports(&InMemoryPool::new(), None, &clock) };
    (App::new(ports, settings(&json!({}))), clock)
}

/// A clock at the beginning of 1970 that advances only on request.
fn clock() -> VirtualClock {
    VirtualClock::with_time(Duration::MAX)
}

/// The ports of an in-memory pool.
fn ports(pool: &InMemoryPool, invitation_key: Option<InMemoryInvitationKey>, clock: &VirtualClock) -> Ports {
    Ports {
        pool: Arc::new(pool.directory()),
        sessions: Arc::new(pool.sessions()),
        self_service: Arc::new(pool.sessions()),
        cursor_key: Arc::new(pool.sessions()),
        invitation_key: invitation_key.map(|key| Arc::new(key) as Arc<dyn InvitationKey>),
        revocations: None,
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
        let ports = Ports { revocations: Some(revocations.clone()), ..ports(&api.pool, None, &api.clock) };
        let roles = json!({"admins": Permission::ALL.iter().copied().map(Permission::as_str).collect::<Vec<_>>()});
        Self { service: service(App::new(ports, settings(&roles)), Served::All), ..api }
    }

    /// Creates an API with all routes and without an invitation signing key.
    pub(crate) fn without_invitations() -> Self {
        Self::of(Served::All, InMemoryInvitationKey::from_seed(KEY_SEED), None, AdminMfa::Optional)
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
        let clock = clock();
        let app = App::new(ports(&pool, configured, &clock), settings);
        Self { pool, invitation_key, clock, service: service(app, served), token_owners: Mutex::default() }
    }

    /// Creates an API with all routes on this pool and with these roles.
    pub(crate) fn on(pool: InMemoryPool, roles: &Value, admin_mfa: AdminMfa) -> Self {
        let invitation_key = InMemoryInvitationKey::from_seed(KEY_SEED);
        let clock = clock();
        let settings = Settings { admin_mfa, ..settings(roles) };
        let app = App::new(ports(&pool, Some(invitation_key.clone()), &clock), settings);
        Self { pool, invitation_key, clock, service: service(app, Served::All), token_owners: Mutex::default() }
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

/// The caller, as reported by the authorizer.
#[derive(Clone)]
pub(crate) enum By {
    /// No caller.
    Anonymous,
    /// A user with an access token of the API's client. `claims` override the default ones.
    Token {
        username: String,
        claims: Map<String, Value>,
    },
    Iam {
        arn: String,
    },
    /// The authorizer context of an HTTP API.
    HttpAuthorizer(Value),
    /// A user with an access token, in the event of a REST API.
    RestToken {
        username: String,
        claims: Map<String, Value>,
    },
    /// The authorizer context and the IAM identity of a REST API.
    Rest {
        authorizer: Value,
        identity: Value,
    },
}

/// A user with these groups in the token, in the notation of an HTTP API.
pub(crate) fn token(username: &str, groups: &str) -> By {
    token_with(username, &json!({"cognito:groups": groups}))
}

/// A user with these claims; null removes a claim.
pub(crate) fn token_with(username: &str, claims: &Value) -> By {
    By::Token { username: username.to_owned(), claims: claims.as_object().unwrap().clone() }
}

/// A user with these claims, in the event of a REST API.
pub(crate) fn rest_token(username: &str, claims: &Value) -> By {
    By::RestToken { username: username.to_owned(), claims: claims.as_object().unwrap().clone() }
}

/// An AWS principal, in the event of a REST API.
pub(crate) fn rest_iam(arn: &str) -> By {
    By::Rest { authorizer: Value::Null, identity: json!({"userArn": arn}) }
}

pub(crate) fn iam(arn: &str) -> By {
    By::Iam { arn: arn.to_owned() }
}

/// A request, by default from `root`, who has all permissions.
#[derive(Clone)]
pub(crate) struct Call {
    method: String,
    path: String,
    content_type: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
    by: By,
}

impl Call {
    pub(crate) fn new(method: &str, path: &str, body: Option<&Value>) -> Self {
        let content_type = body.map(|_| "application/json");
        let body = body.map(ToString::to_string);
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            content_type,
            headers: Vec::new(),
            body,
            by: token("root", "[admins]"),
        }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path, None)
    }

    pub(crate) fn post(path: &str, body: Option<&Value>) -> Self {
        Self::new("POST", path, body)
    }

    pub(crate) fn put(path: &str, body: &Value) -> Self {
        Self::new("PUT", path, Some(body))
    }

    pub(crate) fn patch(path: &str, body: &Value) -> Self {
        Self::new("PATCH", path, Some(body))
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self::new("DELETE", path, None)
    }

    pub(crate) fn by(self, by: By) -> Self {
        Self { by, ..self }
    }

    pub(crate) fn anonymous(self) -> Self {
        self.by(By::Anonymous)
    }

    pub(crate) fn content_type(self, content_type: Option<&'static str>) -> Self {
        Self { content_type, ..self }
    }

    /// Adds a header. The name is lowercase.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn raw_body(self, body: String) -> Self {
        Self { body: Some(body), ..self }
    }

    /// The event of API Gateway.
    fn event(&self, api: &Api) -> Value {
        match &self.by {
            By::RestToken { username, claims } => {
                self.rest_event(api, &json!({"claims": access_token_claims(api, username, claims)}), &json!({}))
            }
            By::Rest { authorizer, identity } => self.rest_event(api, authorizer, identity),
            _ => self.http_event(api),
        }
    }

    fn rest_event(&self, api: &Api, authorizer: &Value, identity: &Value) -> Value {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let query: Map<String, Value> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), json!([value])))
            .collect();
        let mut identity = identity.clone();
        identity["sourceIp"] = json!(SOURCE_IP);
        json!({
            "resource": "/{proxy+}",
            "path": path,
            "httpMethod": self.method,
            "headers": self.event_headers(api),
            "multiValueHeaders": {},
            "multiValueQueryStringParameters": query,
            "requestContext": {
                "stage": "prod",
                "path": format!("/prod{path}"),
                "httpMethod": self.method,
                "requestId": "request-1",
                "identity": identity,
                "authorizer": authorizer,
            },
            "body": self.body,
            "isBase64Encoded": false
        })
    }

    fn event_headers(&self, api: &Api) -> Map<String, Value> {
        let mut headers = Map::from_iter([("host".to_owned(), json!("api.example.com"))]);
        headers.extend(self.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        headers.extend(self.content_type.map(|value| ("content-type".to_owned(), json!(value))));
        // For routes under `/v1/auth`, the test sets the token.
        if let By::Token { username, .. } | By::RestToken { username, .. } = &self.by
            && !self.path.starts_with("/v1/auth/")
        {
            let bearer = || json!(format!("Bearer {}", api.token_of(username)));
            headers.entry("authorization").or_insert_with(bearer);
        }
        headers
    }

    /// The event of an HTTP API.
    fn http_event(&self, api: &Api) -> Value {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": self.event_headers(api),
            "requestContext": {
                "http": {"method": self.method, "path": path, "sourceIp": SOURCE_IP},
                "stage": "$default",
                "requestId": "request-1",
                "authorizer": self.by.authorizer(api)
            },
            "body": self.body,
            "isBase64Encoded": false
        })
    }
}

impl By {
    fn authorizer(&self, api: &Api) -> Value {
        match self {
            Self::Iam { arn } => json!({"iam": {"userArn": arn}}),
            Self::HttpAuthorizer(authorizer) => authorizer.clone(),
            Self::Token { username, claims } => {
                let claims = access_token_claims(api, username, claims);
                json!({"jwt": {"claims": claims, "scopes": ["aws.cognito.signin.user.admin"]}})
            }
            // There is no caller, or the caller uses a REST API.
            Self::Anonymous | Self::RestToken { .. } | Self::Rest { .. } => Value::Null,
        }
    }
}

/// The claims of an access token of the API's client. `given` overrides them, and null removes a claim.
fn access_token_claims(api: &Api, username: &str, given: &Map<String, Value>) -> Map<String, Value> {
    let sub = api.pool.user(username).map(|user| user.attributes["sub"].clone());
    let usual = json!({
        "sub": sub.unwrap_or_else(|| "sub-of-deleted-user".to_owned()),
        "username": username,
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "client_id": CLIENT_ID,
        "iss": format!("https://cognito-idp.eu-central-1.amazonaws.com/{USER_POOL_ID}"),
        "origin_jti": format!("session-of-{username}"),
        "auth_time": "1000",
        "iat": "1000",
    });
    let mut claims = usual.as_object().unwrap().clone();
    claims.extend(given.clone());
    claims.retain(|_, value| !value.is_null());
    claims
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.path)?;
        self.body.as_ref().map_or(Ok(()), |body| write!(formatter, " {body}"))
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
