//! The emulator with one pool, and the API on it, directly or through a proxy that injects faults.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use admin_api::{AdminMfa, App, JobPorts, Permission, Ports, Served, Service, Settings, lambda, service};
use aws::{Aws, RevocationTable, SystemClock};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::invitation::{InvitationKeys, KeyName, OwningStack, SigningKey};
use domain::passable_roles::PassableRoles;
use domain::platform::Platform;
use domain::provision::{Observer, Provisioner, StepReport};
use domain::secret::Secret;
use domain::spec::Spec;
use domain::user_pool::directory::{Directory, NewUser, WelcomeMessage};
use domain::user_pool::sessions::{ClientContext, Credentials, Sessions, SignIn};
use domain::user_pool::user::Attributes;
use lambda_http::request::LambdaRequest;
use lambda_http::{Context, LambdaEvent};
use serde_json::{Value, json};
use testkit::fault_proxy::FaultProxy;
use testkit::in_memory::{InMemoryInvitationKey, InMemoryPool};
use testkit::in_memory_jobs::InMemoryJobs;
use testkit::local_aws::LocalAws;
use tower::ServiceExt;

/// Long enough for a busy machine.
pub(crate) const ENDLESS: Duration = Duration::from_mins(1);

/// The password of `root`.
pub(crate) const ROOT_PASSWORD: &str = "Password-of-root-1";

/// The seed of the invitation signing key.
const KEY_SEED: [u8; 32] = [7; 32];

/// An emulator with a pool, its administrator `root`, and its invitation signing key.
pub(crate) struct Harness {
    pub(crate) local_aws: LocalAws,
    invitation_key: KeyName,
    user_pool_id: String,
    client_id: String,
    root_sub: String,
    root_token: String,
}

/// The API on one pool.
pub(crate) struct Api {
    service: Service,
    user_pool_id: String,
    client_id: String,
    root_sub: String,
    root_token: String,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u64,
    pub(crate) body: Value,
    pub(crate) headers: Value,
}

impl Harness {
    pub(crate) async fn start() -> Self {
        let local_aws = LocalAws::start(None).await.unwrap();
        let aws = connect(local_aws.endpoint_url(), ENDLESS).await;
        let spec = json!({
            "name": "api", "sign_in": "username", "aliases": ["email"], "auto_verified": ["email"], "self_sign_up": true,
            "groups": ["admins", "support"], "custom_attributes": ["team"], "verify": false,
            "deletion_protection": false, "on_delete": "delete",
        });
        let spec: Spec = serde_json::from_value(spec).unwrap();
        let platform = aws.platform();
        let clock = Arc::new(SystemClock::starting_now(ENDLESS));
        Provisioner::new(&platform, clock, &NoObserver).apply(&spec).await.unwrap();
        let user_pool_id = platform.user_pools(&spec.name).await.unwrap()[0].id.clone();
        let client_id = platform.clients(&user_pool_id, "api-backend").await.unwrap()[0].id.clone();

        let invitation_key = KeyName::of(&spec.name, &OwningStack::of_id("stack/api/1").unwrap(), 1);
        aws.invitation_keys().create(&invitation_key, &BTreeMap::new(), &signing_key()).await.unwrap();

        let directory = aws.directory(&user_pool_id);
        let root = NewUser {
            username: "root".parse().unwrap(),
            attributes: Attributes::new(),
            temporary_password: None,
            welcome_message: WelcomeMessage::Suppress,
        };
        let root = directory.create(&root).await.unwrap();
        directory.set_password(&root.username, &Secret::new(ROOT_PASSWORD), true).await.unwrap();
        directory.add_to_group(&root.username, "admins").await.unwrap();
        let root_sub = root.attributes["sub"].clone();
        let credentials = Credentials {
            username: root.username,
            password: Secret::new(ROOT_PASSWORD),
            context: ClientContext::default(),
        };
        let signed_in = aws.app_client(&user_pool_id, &client_id).sign_in(&credentials).await.unwrap();
        let SignIn::Tokens(tokens) = signed_in else { unreachable!("{signed_in:?}") };
        let root_token = tokens.access_token.expose().to_owned();
        Self { local_aws, invitation_key, user_pool_id, client_id, root_sub, root_token }
    }

    /// The API directly on the emulator.
    pub(crate) async fn api(&self) -> Api {
        self.api_at(self.local_aws.endpoint_url(), ENDLESS).await
    }

    /// The API behind a proxy, with this timeout for a call.
    pub(crate) async fn api_behind(&self, proxy: &FaultProxy, patience: Duration) -> Api {
        self.api_at(proxy.endpoint_url(), patience).await
    }

    /// Like [`Self::api_behind`], with the session gate.
    pub(crate) async fn gated_api_behind(&self, proxy: &FaultProxy, table: &str, patience: Duration) -> Api {
        let aws = connect(proxy.endpoint_url(), patience).await;
        let ports = ports(&aws, &self.user_pool_id, &self.client_id, self.invitation_key.as_str());
        self.api_on(Ports { revocations: Some(Arc::new(aws.remote_revocation_table(table))), ..ports })
    }

    /// The table of revocations, directly on the emulator.
    pub(crate) async fn revocation_table(&self, name: &str) -> RevocationTable {
        connect(self.local_aws.endpoint_url(), ENDLESS).await.remote_revocation_table(name)
    }

    pub(crate) async fn api_at(&self, endpoint_url: &str, patience: Duration) -> Api {
        let aws = connect(endpoint_url, patience).await;
        self.api_on(ports(&aws, &self.user_pool_id, &self.client_id, self.invitation_key.as_str()))
    }

    /// The API on an endpoint without a pool, and an access token that only this API accepts.
    pub(crate) async fn api_without_pool(endpoint_url: &str, region: &str) -> (Api, String) {
        let (user_pool_id, client_id, sub) = ("us-east-1_Without", "client", "sub-of-root");
        let claims = json!({
            "iss": format!("https://cognito-idp.us-east-1.amazonaws.com/{user_pool_id}"), "client_id": client_id,
            "token_use": "access", "username": "root"
        });
        let token = format!("e30.{}.signature", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let aws = Aws::local(endpoint_url, region, LocalAws::ACCESS_KEY, LocalAws::SECRET_KEY).await;
        let ports = ports(&aws, user_pool_id, client_id, "/key");
        let api = Api::new(ports, user_pool_id.to_owned(), client_id.to_owned(), sub.to_owned(), token.clone());
        (api, token)
    }

    /// The access token of `root`.
    pub(crate) fn root_token(&self) -> &str {
        &self.root_token
    }

    /// The id of the pool.
    pub(crate) fn user_pool_id(&self) -> &str {
        &self.user_pool_id
    }

    /// The backend client's secret, read by the SDK, because no port returns it.
    pub(crate) async fn client_secret(&self) -> String {
        const ASK: &str = "import boto3, sys; endpoint, region, pool, client = sys.argv[1:]; \
            cognito = boto3.client('cognito-idp', endpoint_url=endpoint, region_name=region, \
            aws_access_key_id='test', aws_secret_access_key='test'); \
            print(cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client)['UserPoolClient']['ClientSecret'])";
        let python = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.venv/bin/python");
        let mut command = tokio::process::Command::new(python);
        command.args(["-c", ASK, self.local_aws.endpoint_url(), LocalAws::REGION, &self.user_pool_id, &self.client_id]);
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The API on an in-memory pool.
    pub(crate) fn api_in_memory() -> (Api, InMemoryPool) {
        let pool = InMemoryPool::new();
        pool.add_user("root", ROOT_PASSWORD, &["admins"], &[]);
        let ports = Ports {
            pool: Arc::new(pool.directory()),
            sessions: Arc::new(pool.sessions()),
            self_service: Arc::new(pool.sessions()),
            cursor_key: Arc::new(pool.sessions()),
            invitation_key: Some(Arc::new(InMemoryInvitationKey::from_seed(KEY_SEED))),
            revocations: None,
            jobs: Some(job_ports()),
            clock: Arc::new(SystemClock::starting_now(ENDLESS)),
        };
        let root_sub = pool.user("root").unwrap().attributes["sub"].clone();
        let (user_pool_id, client_id) = ("us-east-1_InMemory".to_owned(), "client".to_owned());
        pool.give_tokens("root", "token-of-root", "refresh-token-of-root");
        (Api::new(ports, user_pool_id, client_id, root_sub, "token-of-root".to_owned()), pool)
    }

    fn api_on(&self, ports: Ports) -> Api {
        Api::new(
            ports,
            self.user_pool_id.clone(),
            self.client_id.clone(),
            self.root_sub.clone(),
            self.root_token.clone(),
        )
    }
}

impl Api {
    fn new(ports: Ports, user_pool_id: String, client_id: String, root_sub: String, root_token: String) -> Self {
        let all: Vec<_> = Permission::ALL.iter().copied().map(Permission::as_str).collect();
        let settings = Settings {
            region: LocalAws::REGION.to_owned(),
            user_pool_id: user_pool_id.clone(),
            client_id: client_id.clone(),
            issuer: format!("https://cognito-idp.{}.amazonaws.com/{user_pool_id}", LocalAws::REGION),
            served: Served::All,
            roles: json!({"admins": all}).to_string().parse().unwrap(),
            invitation_key_parameter: None,
            revocation_table: None,
            passable_roles: PassableRoles::default(),
            totp_issuer: "shop".to_owned(),
            admin_mfa: AdminMfa::Optional,
        };
        Self { service: service(App::new(ports, settings), Served::All), user_pool_id, client_id, root_sub, root_token }
    }

    /// Sends a request as `root`, who has every permission.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.call_with(method, path, body, json!({}), Context::default()).await
    }

    /// Sends a request as `root` with more headers and this Lambda context.
    pub(crate) async fn call_with(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: Value,
        context: Context,
    ) -> Answer {
        let mut headers = headers;
        headers["host"] = json!("api.example.com");
        if headers.get("authorization").is_none() {
            headers["authorization"] = json!(format!("Bearer {}", self.root_token));
        }
        if body.is_some() {
            headers["content-type"] = json!("application/json");
        }
        let (raw_path, query) = path.split_once('?').unwrap_or((path, ""));
        let claims = json!({
            "sub": self.root_sub, "username": "root", "token_use": "access", "client_id": self.client_id,
            "iss": format!("https://cognito-idp.us-east-1.amazonaws.com/{}", self.user_pool_id), "cognito:groups": "[admins]", "scope": "aws.cognito.signin.user.admin",
            "origin_jti": "session-of-root", "auth_time": "1000", "iat": "1000",
        });
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": raw_path, "rawQueryString": query, "headers": headers,
            "requestContext": {
                "http": {"method": method, "path": raw_path, "sourceIp": "203.0.113.7"},
                "stage": "$default", "requestId": "request-1", "authorizer": {"jwt": {"claims": claims, "scopes": []}}
            },
            "body": body.map(ToString::to_string), "isBase64Encoded": false
        });
        let request: LambdaRequest = serde_json::from_str(&event.to_string()).unwrap();
        let answer = lambda(self.service.clone()).oneshot(LambdaEvent::new(request, context)).await.unwrap();
        let answer = serde_json::to_value(answer).unwrap();
        let body = answer["body"].as_str().filter(|text| !text.is_empty());
        Answer {
            status: answer["statusCode"].as_u64().unwrap(),
            body: body.map_or(Value::Null, |text| serde_json::from_str(text).unwrap()),
            headers: answer["headers"].clone(),
        }
    }
}

impl Answer {
    /// The code of a problem, empty for another response.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// The invitation signing key.
pub(crate) fn signing_key() -> SigningKey {
    SigningKey::from_seed(&KEY_SEED)
}

/// Jobs in memory, because the table of faults is about the user pool.
fn job_ports() -> JobPorts {
    let jobs = InMemoryJobs::with_examples();
    JobPorts { files: Arc::new(jobs.clone()), executions: Arc::new(jobs) }
}

/// The adapters of a pool.
fn ports(aws: &Aws, user_pool_id: &str, client_id: &str, invitation_key: &str) -> Ports {
    let client = aws.app_client(user_pool_id, client_id);
    Ports {
        pool: Arc::new(aws.directory(user_pool_id)),
        sessions: client.clone(),
        self_service: client.clone(),
        cursor_key: client,
        invitation_key: Some(Arc::new(aws.invitation_key(invitation_key))),
        revocations: None,
        jobs: Some(job_ports()),
        clock: Arc::new(SystemClock::starting_now(ENDLESS)),
    }
}

async fn connect(endpoint_url: &str, limit: Duration) -> Aws {
    let aws = Aws::local(endpoint_url, LocalAws::REGION, LocalAws::ACCESS_KEY, LocalAws::SECRET_KEY).await;
    aws.with_timeouts(limit, limit)
}

struct NoObserver;

impl Observer for NoObserver {
    fn step_ended(&self, _report: &StepReport) {}
}
