//! Implements [`OldDirectory`] with another user pool of the account.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::timeout::TimeoutConfig;
use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserOutput;
use aws_sdk_cognitoidentityprovider::types::UserPoolMfaType;
use domain::migration::{Denial, LookupError, OldDirectory, OldUser};
use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::sessions::{ClientContext, Credentials, Sessions, SignIn};
use domain::user_pool::user::{UserStatus, Username};
use thiserror::Error;

use crate::clients::UserPoolClients;
use crate::failure::{Failure, Kind};
use crate::users::{to_attributes, to_status};
use crate::{CognitoAppClient, CognitoDirectory};

/// A user pool whose users move to another one, and the app client that checks their passwords.
#[derive(Debug, Clone)]
pub struct OldUserPool {
    directory: CognitoDirectory,
    client: Arc<CognitoAppClient>,
}

impl OldUserPool {
    pub(crate) fn new(directory: CognitoDirectory, client: Arc<CognitoAppClient>) -> Self {
        Self { directory, client }
    }

    /// Sets the timeout of a password check, which is sent once. The triggers of the pool can take seconds to start, so
    /// the timeout of one attempt of a read is too short.
    #[must_use]
    pub fn with_password_timeout(self, timeout: Duration) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(timeout).operation_timeout(timeout).build();
        let CognitoAppClient { client, once, user_pool_id, client_id, .. } = &*self.client;
        let once = Client::from_conf(once.config().to_builder().timeout_config(timeouts).build());
        let clients = UserPoolClients { client: client.clone(), once };
        let client = Arc::new(CognitoAppClient::new(clients, user_pool_id, client_id));
        Self { client, ..self }
    }

    /// Opens a connection and reads the client's secret. A failure is ignored, because the next call reads it again.
    pub async fn warm_up(&self) {
        let _ = self.client.settings().await;
    }

    /// Whether the pool requires a second factor of every user.
    async fn requires_second_factor(&self) -> Result<bool, UserPoolError> {
        const OPERATION: &str = "GetUserPoolMfaConfig";
        let request = self.directory.client.get_user_pool_mfa_config().user_pool_id(&self.directory.user_pool_id);
        let config = request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        // Without the field, it is unknown whether the pool requires a factor.
        let mode = config.mfa_configuration.ok_or_else(|| Failure::missing(OPERATION, "MfaConfiguration"))?;
        Ok(!matches!(mode, UserPoolMfaType::Off | UserPoolMfaType::Optional))
    }
}

/// A trigger of the old user pool rejected a sign-in. Contains no part of the trigger's text, which can contain personal
/// data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a trigger of the old user pool rejected the sign-in")]
struct RejectedByTrigger;

#[async_trait]
impl OldDirectory for OldUserPool {
    /// The tokens of the sign-in are discarded. Cognito resolves an alias in both calls, so the user is read by the name
    /// in the tokens.
    async fn sign_in(&self, name: &Username, password: &Secret) -> Result<OldUser, LookupError> {
        let (username, password) = (name.clone(), password.clone());
        let credentials = Credentials { username, password, context: ClientContext::default() };
        let signed_in = self.client.sign_in(&credentials).await.map_err(denied_sign_in)?;
        let SignIn::Tokens(tokens) = signed_in else { return Err(Denial::Challenge.into()) };
        let user = self.directory.get_user(&tokens.username).await.map_err(unknown_user)?;
        if user.username != tokens.username.as_str() {
            return Err(LookupError::unavailable("the old user pool returned another user"));
        }
        Ok(to_old_user(user))
    }

    async fn find(&self, name: &Username) -> Result<OldUser, LookupError> {
        let (user, requires_factor) =
            futures::future::join(self.directory.get_user(name), self.requires_second_factor()).await;
        let mut user = to_old_user(user.map_err(unknown_user)?);
        user.has_second_factor |= requires_factor.map_err(LookupError::unavailable)?;
        Ok(user)
    }
}

/// Distinguishes users who do not move from failures of the pool.
fn denied_sign_in(error: UserPoolError) -> LookupError {
    match error.reason {
        _ if code_of(&error) == Some("UserLambdaValidationException") => LookupError::unavailable(RejectedByTrigger),
        _ if has_wrong_secret(&error) => LookupError::unavailable(error),
        // Also a disabled user, and a user with too many failed attempts.
        Reason::InvalidCredentials => Denial::Credentials.into(),
        Reason::UserNotConfirmed | Reason::PasswordResetRequired => Denial::Status.into(),
        _ => LookupError::unavailable(error),
    }
}

/// The failure of the call, whose code is more precise than the reason.
fn failure_of(error: &UserPoolError) -> Option<&Failure> {
    error.source.as_deref().and_then(|source| source.downcast_ref())
}

fn code_of(error: &UserPoolError) -> Option<&str> {
    match &failure_of(error)?.kind {
        Kind::Service { code, .. } => Some(code),
        _ => None,
    }
}

/// Whether the secret of the app client is missing or wrong, which has the code of a wrong password.
fn has_wrong_secret(error: &UserPoolError) -> bool {
    // "Unable to verify secret hash for client …", "Client … is configured with secret but SECRET_HASH was not received",
    // "Client … is configured for secret but secret was not received"
    failure_of(error).is_some_and(|failure| failure.says("secret"))
}

fn unknown_user(error: UserPoolError) -> LookupError {
    match error.reason {
        Reason::UserNotFound => Denial::Credentials.into(),
        _ => LookupError::unavailable(error),
    }
}

fn to_old_user(user: AdminGetUserOutput) -> OldUser {
    // `MFAOptions` contains text messages of users whose preferences were never set
    // (https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminGetUser.html).
    let has_second_factor = !user.user_mfa_setting_list().is_empty() || !user.mfa_options().is_empty();
    let attributes = to_attributes(user.user_attributes.unwrap_or_default());
    let status = user.user_status.as_ref().map_or(UserStatus::Unknown, to_status);
    OldUser { username: user.username, status, enabled: user.enabled, has_second_factor, attributes }
}
