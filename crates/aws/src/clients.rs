//! The AWS clients: region, endpoints, timeouts and retries, all in one place.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cognitoidentityprovider::config::{Builder, Config, Credentials};
#[cfg(test)]
use aws_smithy_runtime_api::client::http::HttpClient;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason,
};
use aws_smithy_types::retry::ErrorKind;
use domain::user_pool::sessions::Sessions;

use crate::http_client::{KEPT_IDLE, http_client};
use crate::{AwsPlatform, CognitoAppClient, CognitoDirectory, SsmInvitationKey, SsmInvitationKeys};

/// One attempt, where nothing else is said. Cognito answers in tens of milliseconds; its slowest calls (those that run triggers)
/// within five seconds each.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);

/// A call with all its attempts, where nothing else is said: below the 30 s of API Gateway, so that the caller hears of it.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection to AWS in one region. Cheap to clone; all clients share one HTTP connection pool.
#[derive(Debug, Clone)]
pub struct Aws {
    pub(crate) config: SdkConfig,
}

impl Aws {
    /// Connects as every AWS tool does: credentials and endpoints from the environment. Sends nothing; credentials are looked
    /// up at the first call.
    pub async fn connect(region: &str) -> Self {
        let config = Self::defaults().region(Region::new(region.to_owned())).load().await;
        Self { config }
    }

    /// Connects to a local AWS at `endpoint_url`, whatever the environment says.
    pub async fn local(endpoint_url: &str, region: &str, access_key_id: &str, secret_access_key: &str) -> Self {
        let credentials = Credentials::new(access_key_id, secret_access_key, None, None, "local AWS");
        let config = Self::defaults()
            .region(Region::new(region.to_owned()))
            .endpoint_url(endpoint_url)
            .credentials_provider(credentials)
            .load()
            .await;
        Self { config }
    }

    pub(crate) fn defaults() -> aws_config::ConfigLoader {
        // Pinned, so that an update of the SDK never changes retries or timeouts behind our back.
        aws_config::defaults(BehaviorVersion::v2026_01_12())
            .timeout_config(timeouts(ATTEMPT_TIMEOUT, OPERATION_TIMEOUT))
            .retry_config(RetryConfig::standard())
            .http_client(http_client(KEPT_IDLE))
    }

    /// With other limits for one attempt and for a call with all its attempts. Derive them from the time that is left: a call that
    /// outlives its Lambda function ends without an answer to anybody.
    #[must_use]
    pub fn with_timeouts(self, attempt: Duration, operation: Duration) -> Self {
        Self { config: self.config.into_builder().timeout_config(timeouts(attempt, operation)).build() }
    }

    /// Without the SDK's own retry: every call is sent once.
    pub(crate) fn without_retries(&self) -> Self {
        Self { config: self.config.to_builder().retry_config(RetryConfig::disabled()).build() }
    }

    /// Everything that an administrator does with one pool.
    #[must_use]
    pub fn directory(&self, user_pool_id: &str) -> CognitoDirectory {
        CognitoDirectory::new(self.user_pools(), user_pool_id)
    }

    /// Everything that people do through one app client: sessions and self-service, and the key for cursors. What is read about the
    /// client is read once for all of them, so make one and hand out clones of the `Arc`.
    #[must_use]
    pub fn app_client(&self, user_pool_id: &str, client_id: &str) -> Arc<CognitoAppClient> {
        Arc::new(CognitoAppClient::new(self.user_pools(), user_pool_id, client_id))
    }

    /// Sign-up and sign-in through one app client, for those who need nothing else of it.
    #[must_use]
    pub fn sessions(&self, user_pool_id: &str, client_id: &str) -> impl Sessions + use<> {
        CognitoAppClient::new(self.user_pools(), user_pool_id, client_id)
    }

    /// Everything that provisioning needs. Every call is sent once: `domain::retry::retry` is the one loop there, because it
    /// knows which calls may be repeated and how much time is left.
    #[must_use]
    pub fn platform(&self) -> AwsPlatform {
        AwsPlatform::new(self)
    }

    /// Where private keys of invitations are kept. Every call is sent once, as with [`Aws::platform`].
    #[must_use]
    pub fn invitation_keys(&self) -> SsmInvitationKeys {
        SsmInvitationKeys::new(self.without_retries().parameters())
    }

    /// The private key of invitations in the parameter of this name. It is read once, so make one and hand out clones of an `Arc`.
    #[must_use]
    pub fn invitation_key(&self, name: &str) -> SsmInvitationKey {
        SsmInvitationKey::new(self.parameters(), name)
    }

    /// The region, e.g. `eu-west-1`.
    #[must_use]
    pub fn region(&self) -> &str {
        self.config.region().map_or("", Region::as_ref)
    }

    pub(crate) fn user_pools(&self) -> aws_sdk_cognitoidentityprovider::Client {
        let config = aws_sdk_cognitoidentityprovider::config::Builder::from(&self.config);
        aws_sdk_cognitoidentityprovider::Client::from_conf(config.retry_classifier(QuotaIsNotThrottling).build())
    }

    pub(crate) fn identity_pools(&self) -> aws_sdk_cognitoidentity::Client {
        aws_sdk_cognitoidentity::Client::new(&self.config)
    }

    pub(crate) fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.config)
    }

    fn parameters(&self) -> aws_sdk_ssm::Client {
        aws_sdk_ssm::Client::new(&self.config)
    }

    /// An STS client that speaks as whoever `credentials` belong to, not as ourselves.
    pub(crate) fn sts_as(&self, credentials: Credentials) -> aws_sdk_sts::Client {
        let config = aws_sdk_sts::config::Builder::from(&self.config).credentials_provider(credentials);
        aws_sdk_sts::Client::from_conf(config.build())
    }

    /// An STS client that speaks as ourselves.
    pub(crate) fn sts(&self) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.config)
    }
}

/// For calls that make something, delete something, use something up (a code, a session, a token) or send a message: no call of Cognito
/// takes an idempotency token, so after a lost answer a repeat by the SDK would do it a second time, or be refused for what the first
/// one did. What was throttled did nothing, and goes out again. Provisioning's clients repeat nothing anyway; the admin API's do.
pub(crate) fn sent_once() -> Builder {
    Config::builder().retry_classifier(OnlyThrottlingIsRepeated)
}

fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(operation).build()
}

/// Keeps the SDK from repeating a call that ran into a quota.
///
/// The SDK counts `LimitExceededException` as throttling. For user pools it means that there is no more room (a user's attempts, a
/// pool's groups): asking again only delays the answer.
#[derive(Debug)]
pub(crate) struct QuotaIsNotThrottling;

impl ClassifyRetry for QuotaIsNotThrottling {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let says_quota = context.response().is_some_and(|response| {
            !response.status().is_success() && response.body().bytes().is_some_and(names_a_quota)
        });
        if says_quota { RetryAction::RetryForbidden } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "quota is not throttling"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// Keeps the SDK from repeating whatever may have been done.
#[derive(Debug)]
struct OnlyThrottlingIsRepeated;

impl ClassifyRetry for OnlyThrottlingIsRepeated {
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
        "only throttling is repeated"
    }

    /// Last of all, so that it sees what the SDK's own make of it.
    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// Whether an error body of AWS JSON carries the code for an exhausted quota.
fn names_a_quota(body: &[u8]) -> bool {
    // The opening delimiter matters: `RequestLimitExceededException` would be throttling after all.
    const CODES: [&[u8]; 2] = [b"\"LimitExceededException", b"#LimitExceededException"];
    CODES.iter().any(|code| body.windows(code.len()).any(|window| window == *code))
}

#[cfg(test)]
impl Aws {
    /// As it is, but for who answers.
    pub(crate) fn answered_by(self, http_client: impl HttpClient + 'static) -> Self {
        Self { config: self.config.into_builder().http_client(http_client).build() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_told_from_throttling_by_its_exact_code() {
        assert!(names_a_quota(br#"{"__type":"LimitExceededException","message":"pools"}"#));
        assert!(names_a_quota(br#"{"__type":"com.amazonaws.cognito#LimitExceededException"}"#));
        for throttling in ["TooManyRequestsException", "RequestLimitExceededException"] {
            let throttling = format!(r#"{{"__type":"{throttling}"}}"#);
            assert!(!names_a_quota(throttling.as_bytes()), "{throttling}");
        }
        assert!(!names_a_quota(b""));
    }
}
