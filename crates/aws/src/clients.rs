//! Creates the AWS clients with their region, endpoints, timeouts and retries.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::{Builder, Credentials};
#[cfg(test)]
use aws_smithy_runtime_api::client::http::HttpClient;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason,
};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use domain::user_pool::sessions::Sessions;

use crate::attempts::{AttemptObserver, Attempts};
use crate::http_client::{IDLE_TIMEOUT, Roots, http_client};
use crate::{
    AwsPlatform, CognitoAppClient, CognitoDirectory, OldUserPool, RevocationTable, SecretParameter, SsmInvitationKey,
    SsmInvitationKeys,
};

/// Default timeout of one attempt. Cognito responds within tens of milliseconds, or within five seconds if the call
/// runs a trigger.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);

/// Default timeout of a call with all its attempts. It is below the 30 s of API Gateway, so that the caller receives
/// the error.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(20);

/// Timeout of one attempt to read or write a revocation. DynamoDB responds within 10 ms.
const REVOCATION_ATTEMPT_TIMEOUT: Duration = Duration::from_millis(400);

/// Timeout of a call to the table of revocations with all its attempts. Each request waits for such a call.
const REVOCATION_TIMEOUT: Duration = Duration::from_millis(900);

/// The longest delay before the second attempt. With the default of a second, few second attempts would be made.
const REVOCATION_BACKOFF: Duration = Duration::from_millis(50);

/// How long [`Aws::warm_up`] waits. Lambda limits the startup to 10 s.
const WARM_UP_TIMEOUT: Duration = Duration::from_secs(1);

/// The configuration for AWS clients in one region. Cheap to clone; all clients share one HTTP connection pool.
#[derive(Debug, Clone)]
pub struct Aws {
    pub(crate) config: SdkConfig,
    user_pools: OnceLock<UserPoolClients>,
    observer: Option<AttemptObserver>,
}

/// The clients of user pools. Each adapter clones them, because the SDK takes milliseconds to build a client.
#[derive(Debug, Clone)]
pub(crate) struct UserPoolClients {
    pub(crate) client: Client,
    /// Retries only throttled requests, which have no effect. It is for calls that create or delete a resource, consume
    /// a code, session or token, or send a message. Cognito has no idempotency tokens, so a retry after a lost response
    /// would repeat the effect or fail because of it.
    pub(crate) once: Client,
}

impl From<Client> for UserPoolClients {
    fn from(client: Client) -> Self {
        let once = Client::from_conf(client.config().to_builder().retry_classifier(RetryOnlyThrottling).build());
        Self { client, once }
    }
}

impl From<SdkConfig> for Aws {
    fn from(config: SdkConfig) -> Self {
        Self { config, user_pools: OnceLock::new(), observer: None }
    }
}

impl Aws {
    /// Reads credentials and endpoints from the environment of a Lambda function. Ignores configuration files and the
    /// metadata service, which Lambda does not have. `lookup` returns environment variables. Sends no request; credentials are resolved at the
    /// first call.
    pub async fn connect(region: &str, lookup: impl Fn(&str) -> Option<String>) -> Self {
        let no_files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, "").build();
        let config = Self::defaults(Roots::of(region, lookup))
            .region(Region::new(region.to_owned()))
            .profile_files(no_files)
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .load()
            .await;
        config.into()
    }

    /// Passes the attempts of calls to user pools to an observer.
    #[must_use]
    pub fn observed_by(self, observer: AttemptObserver) -> Self {
        Self { observer: Some(observer), ..self.config.into() }
    }

    /// Opens a connection to Cognito, so that the first request does not wait for DNS and TLS. Call it at startup, when
    /// Lambda gives a function of any memory size a full CPU. Waits at most one second. A failure is ignored.
    ///
    /// Requests the public keys of the user pool, which takes no permission. A rejected request, such as one over a
    /// quota, opens the connection as well. The request is the SDK's own, because only its connections are reused.
    pub async fn warm_up(&self, user_pool_id: &str) {
        let path = format!("{user_pool_id}/.well-known/jwks.json");
        let request = self.user_pools().once.get_user().access_token("-").customize().mutate_request(move |request| {
            let uri = format!("{}/{path}", request.uri().trim_end_matches('/'));
            // The default request would be rejected, but also opens the connection.
            let _ = request.set_method("GET").and_then(|()| request.set_uri(uri));
            for header in ["content-length", "content-type", "x-amz-target"] {
                request.headers_mut().remove(header);
            }
            *request.body_mut() = SdkBody::empty();
        });
        let _ = tokio::time::timeout(WARM_UP_TIMEOUT, request.send()).await;
    }

    /// Uses an emulator at `endpoint_url` and ignores the environment.
    pub async fn local(endpoint_url: &str, region: &str, access_key_id: &str, secret_access_key: &str) -> Self {
        let credentials = Credentials::new(access_key_id, secret_access_key, None, None, "local AWS");
        let config = Self::defaults(Roots::System)
            .region(Region::new(region.to_owned()))
            .endpoint_url(endpoint_url)
            .credentials_provider(credentials)
            .load()
            .await;
        config.into()
    }

    pub(crate) fn defaults(roots: Roots) -> aws_config::ConfigLoader {
        // Pinned, so that an SDK update does not change retries or timeouts.
        aws_config::defaults(BehaviorVersion::v2026_01_12())
            .timeout_config(timeouts(ATTEMPT_TIMEOUT, OPERATION_TIMEOUT))
            .retry_config(RetryConfig::standard())
            .http_client(http_client(IDLE_TIMEOUT, roots))
    }

    /// Sets the timeouts of one attempt and of a call with all its attempts. Derive them from the remaining time of the
    /// Lambda invocation, so that the caller receives a response.
    #[must_use]
    pub fn with_timeouts(self, attempt: Duration, operation: Duration) -> Self {
        self.config.into_builder().timeout_config(timeouts(attempt, operation)).build().into()
    }

    /// Disables the SDK's retries, so that every call is sent once.
    pub(crate) fn without_retries(&self) -> Self {
        let config = self.config.to_builder().retry_config(RetryConfig::disabled()).build();
        Self { observer: self.observer, ..config.into() }
    }

    /// Returns the administrator operations on one pool.
    #[must_use]
    pub fn directory(&self, user_pool_id: &str) -> CognitoDirectory {
        CognitoDirectory::new(self.user_pools(), user_pool_id)
    }

    /// Returns the administrator operations on one pool, of which every call is sent once. For imports, which pace and
    /// repeat calls themselves.
    #[must_use]
    pub fn directory_without_retries(&self, user_pool_id: &str) -> CognitoDirectory {
        CognitoDirectory::new(self.without_retries().user_pools(), user_pool_id)
    }

    /// Returns the import jobs of one pool. Every call is sent once, as with [`Aws::directory_without_retries`].
    #[cfg(any(test, feature = "import-jobs"))]
    #[must_use]
    pub fn import_jobs(&self, user_pool_id: &str) -> crate::CognitoImportJobs {
        let aws = self.without_retries();
        let logs = aws_sdk_cloudwatchlogs::Client::new(&aws.config);
        crate::CognitoImportJobs::new(aws.user_pools(), logs, user_pool_id)
    }

    /// Returns the operations through one app client: sessions, self-service and the cursor key. The returned value
    /// reads the client's settings once, so share it by cloning the `Arc`.
    #[must_use]
    pub fn app_client(&self, user_pool_id: &str, client_id: &str) -> Arc<CognitoAppClient> {
        Arc::new(CognitoAppClient::new(self.user_pools(), user_pool_id, client_id))
    }

    /// Returns only sign-up and sign-in through one app client.
    #[must_use]
    pub fn sessions(&self, user_pool_id: &str, client_id: &str) -> impl Sessions + use<> {
        CognitoAppClient::new(self.user_pools(), user_pool_id, client_id)
    }

    /// Returns the operations of provisioning. Every call is sent once, because `domain::retry::retry` decides which
    /// calls are safe to repeat in the remaining time.
    #[must_use]
    pub fn platform(&self) -> AwsPlatform {
        AwsPlatform::new(self)
    }

    /// Returns the store of invitation signing keys. Every call is sent once, as with [`Aws::platform`].
    #[must_use]
    pub fn invitation_keys(&self) -> SsmInvitationKeys {
        SsmInvitationKeys::new(self.without_retries().parameters())
    }

    /// Returns the invitation signing key in the parameter with this name. The returned value reads the key once, so
    /// share it in an `Arc`.
    #[must_use]
    pub fn invitation_key(&self, name: &str) -> SsmInvitationKey {
        SsmInvitationKey::new(self.parameters(), name)
    }

    /// Returns the secret in the parameter with this name. The returned value reads it once, so share it.
    #[must_use]
    pub fn secret_parameter(&self, name: &str) -> SecretParameter {
        SecretParameter::new(self.parameters(), name)
    }

    /// Returns a user pool whose users move to another one. The app client checks their passwords.
    #[must_use]
    pub fn old_user_pool(&self, user_pool_id: &str, client_id: &str) -> OldUserPool {
        OldUserPool::new(self.directory(user_pool_id), self.app_client(user_pool_id, client_id))
    }

    /// Returns the revocations in the DynamoDB table with this name. A call takes less than a second.
    #[must_use]
    pub fn revocation_table(&self, name: &str) -> RevocationTable {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.config)
            .timeout_config(timeouts(REVOCATION_ATTEMPT_TIMEOUT, REVOCATION_TIMEOUT))
            .retry_config(RetryConfig::standard().with_initial_backoff(REVOCATION_BACKOFF));
        RevocationTable::new(aws_sdk_dynamodb::Client::from_conf(config.build()), name)
    }

    /// Like [`Self::revocation_table`], with the default timeouts, for programs outside AWS.
    #[must_use]
    pub fn remote_revocation_table(&self, name: &str) -> RevocationTable {
        RevocationTable::new(aws_sdk_dynamodb::Client::new(&self.config), name)
    }

    /// Returns the region, e.g. `eu-west-1`.
    #[must_use]
    pub fn region(&self) -> &str {
        self.config.region().map_or("", Region::as_ref)
    }

    fn user_pools(&self) -> UserPoolClients {
        self.user_pools.get_or_init(|| self.user_pool_client().into()).clone()
    }

    pub(crate) fn user_pool_client(&self) -> Client {
        let mut config = Builder::from(&self.config).retry_classifier(QuotaIsNotThrottling);
        if let Some(observer) = self.observer {
            config = config.interceptor(Attempts(observer));
        }
        Client::from_conf(config.build())
    }

    pub(crate) fn identity_pools(&self) -> aws_sdk_cognitoidentity::Client {
        aws_sdk_cognitoidentity::Client::new(&self.config)
    }

    pub(crate) fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.config)
    }

    #[cfg(any(test, feature = "doctor"))]
    pub(crate) fn functions(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.config)
    }

    fn parameters(&self) -> aws_sdk_ssm::Client {
        aws_sdk_ssm::Client::new(&self.config)
    }

    /// Returns an STS client with these credentials instead of the process's own.
    pub(crate) fn sts_with(&self, credentials: Credentials) -> aws_sdk_sts::Client {
        let config = aws_sdk_sts::config::Builder::from(&self.config).credentials_provider(credentials);
        aws_sdk_sts::Client::from_conf(config.build())
    }

    pub(crate) fn sts(&self) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.config)
    }
}

fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(operation).build()
}

/// Prevents the SDK from retrying `LimitExceededException`, which the SDK treats as throttling.
///
/// For user pools this error means an exhausted quota (attempts of a user, groups of a pool), so a retry cannot
/// succeed.
#[derive(Debug)]
pub(crate) struct QuotaIsNotThrottling;

impl ClassifyRetry for QuotaIsNotThrottling {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let is_quota_error = context.response().is_some_and(|response| {
            !response.status().is_success() && response.body().bytes().is_some_and(has_quota_code)
        });
        if is_quota_error { RetryAction::RetryForbidden } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "quota is not throttling"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// Prevents the SDK from retrying a request that may have taken effect.
#[derive(Debug)]
struct RetryOnlyThrottling;

impl ClassifyRetry for RetryOnlyThrottling {
    fn classify_retry(&self, _: &InterceptorContext) -> RetryAction {
        RetryAction::RetryForbidden
    }

    fn classify_retry_v2(&self, _: &InterceptorContext, so_far: &RetryAction) -> RetryAction {
        match so_far {
            RetryAction::RetryIndicated(RetryReason::RetryableError { kind: ErrorKind::ThrottlingError, .. }) => {
                RetryAction::NoActionIndicated
            }
            _ => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "retry only throttling"
    }

    /// Runs after the SDK's own classifiers, so that it receives their result.
    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// Whether an AWS JSON error body has the code of an exhausted quota.
fn has_quota_code(body: &[u8]) -> bool {
    // The opening delimiter excludes `RequestLimitExceededException`, which is throttling.
    const CODES: [&[u8]; 2] = [b"\"LimitExceededException", b"#LimitExceededException"];
    CODES.iter().any(|code| body.windows(code.len()).any(|window| window == *code))
}

#[cfg(test)]
impl Aws {
    /// Replaces the HTTP client.
    pub(crate) fn with_http_client(self, http_client: impl HttpClient + 'static) -> Self {
        self.config.into_builder().http_client(http_client).build().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_told_from_throttling_by_its_exact_code() {
        assert!(has_quota_code(br#"{"__type":"LimitExceededException","message":"pools"}"#));
        assert!(has_quota_code(br#"{"__type":"com.amazonaws.cognito#LimitExceededException"}"#));
        for throttling in ["TooManyRequestsException", "RequestLimitExceededException"] {
            let throttling = format!(r#"{{"__type":"{throttling}"}}"#);
            assert!(!has_quota_code(throttling.as_bytes()), "{throttling}");
        }
        assert!(!has_quota_code(b""));
    }
}
