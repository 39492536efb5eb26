//! An app client with its secret and settings, which are read once per process.

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{FeatureType, UserContextDataType, UserPoolClientType};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::secret::Secret;
use domain::user_pool::cursor_key::CursorKey;
use domain::user_pool::error::UserPoolError;
use domain::user_pool::sessions::ClientContext;
use domain::user_pool::user::Username;
use domain::user_pool::write_attributes::WriteAttributes;
use tokio::sync::OnceCell;

use crate::clients::UserPoolClients;
use crate::failure::Failure;
use crate::secret_hash::{keyed_hash, secret_hash};

const OPERATION: &str = "DescribeUserPoolClient";

/// Context for deriving the cursor key, so that it differs from every other hash made with the secret.
const CURSOR_KEY: &str = "poolkeeper cursor key v1";

/// Context for deriving the key of creation proofs.
const CREATION_KEY: &str = "poolkeeper creation key v1";

/// One Cognito app client. Sign-up and sign-in are in `sessions.rs`, self-service is in `self_service.rs`.
#[derive(Debug)]
pub struct CognitoAppClient {
    pub(crate) client: Client,
    /// Sends the requests that are not safe to repeat.
    pub(crate) once: Client,
    pub(crate) user_pool_id: String,
    pub(crate) client_id: String,
    /// Read at the first call that needs it, and again after a failure.
    settings: OnceCell<Settings>,
}

/// The settings of an app client.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) secret: Option<Secret>,
    /// Whether a refresh returns a new refresh token and invalidates the old one.
    pub(crate) rotates_refresh_tokens: bool,
    /// Whether Cognito accepts user context data in calls without IAM authorization. Otherwise Cognito rejects such a
    /// call.
    takes_user_context: bool,
    pub(crate) write_attributes: WriteAttributes,
}

impl From<UserPoolClientType> for Settings {
    fn from(client: UserPoolClientType) -> Self {
        let rotation = client.refresh_token_rotation.map(|rotation| rotation.feature);
        Self {
            secret: client.client_secret.map(Secret::new),
            rotates_refresh_tokens: rotation == Some(FeatureType::Enabled),
            takes_user_context: client.enable_propagate_additional_user_context_data.unwrap_or_default(),
            // Cognito returns no list for a client without one, and rejects empty lists.
            write_attributes: match client.write_attributes {
                Some(names) if !names.is_empty() => WriteAttributes::Listed(names.into_iter().collect()),
                _ => WriteAttributes::Standard,
            },
        }
    }
}

impl CognitoAppClient {
    pub(crate) fn new(clients: impl Into<UserPoolClients>, user_pool_id: &str, client_id: &str) -> Self {
        let UserPoolClients { client, once } = clients.into();
        Self {
            client,
            once,
            user_pool_id: user_pool_id.to_owned(),
            client_id: client_id.to_owned(),
            settings: OnceCell::new(),
        }
    }

    pub(crate) async fn settings(&self) -> Result<&Settings, UserPoolError> {
        let read = async || {
            let request = self.client.describe_user_pool_client().user_pool_id(&self.user_pool_id);
            let answer = request.client_id(&self.client_id).send().await;
            let answer = answer.map_err(|error| Failure::of(OPERATION, &error))?;
            let client = answer.user_pool_client.ok_or_else(|| Failure::missing(OPERATION, "UserPoolClient"))?;
            Ok(client.into())
        };
        self.settings.get_or_try_init(read).await
    }

    /// Returns the client secret, for calls that take it directly.
    pub(crate) async fn client_secret(&self) -> Result<Option<String>, UserPoolError> {
        Ok(self.settings().await?.secret.as_ref().map(|secret| secret.expose().to_owned()))
    }

    /// Returns `SECRET_HASH`. `username` must be the user name in the same request.
    pub(crate) async fn secret_hash(&self, username: &Username) -> Result<Option<String>, UserPoolError> {
        let secret = self.settings().await?.secret.as_ref();
        Ok(secret.map(|secret| secret_hash(secret, username.as_str(), &self.client_id)))
    }

    /// Returns the user context for calls without IAM authorization.
    pub(crate) async fn user_context(
        &self,
        context: &ClientContext,
    ) -> Result<Option<UserContextDataType>, UserPoolError> {
        let is_known = context.ip_address.is_some() || context.device_data.is_some();
        if !is_known || !self.settings().await?.takes_user_context {
            return Ok(None);
        }
        let data = UserContextDataType::builder()
            .set_ip_address(context.ip_address.clone())
            .set_encoded_data(context.device_data.clone())
            .build();
        Ok(Some(data))
    }
}

/// The key is derived from the client's secret. For a client without a secret, it is derived from the ids of pool and
/// client, which every token contains. Such a key binds cursors to this client, but does not prevent forged cursors.
#[async_trait]
impl CursorKey for CognitoAppClient {
    async fn cursor_key(&self) -> Result<Secret, UserPoolError> {
        let ids = Secret::new(format!("{} {}", self.user_pool_id, self.client_id));
        let key = self.settings().await?.secret.as_ref().unwrap_or(&ids);
        let hash = keyed_hash(key, &[CURSOR_KEY]).ok_or_else(|| Failure::missing(OPERATION, "usable ClientSecret"))?;
        Ok(Secret::new(URL_SAFE_NO_PAD.encode(hash)))
    }

    async fn creation_key(&self) -> Result<Option<Secret>, UserPoolError> {
        let Some(secret) = &self.settings().await?.secret else { return Ok(None) };
        let hash =
            keyed_hash(secret, &[CREATION_KEY]).ok_or_else(|| Failure::missing(OPERATION, "usable ClientSecret"))?;
        Ok(Some(Secret::new(URL_SAFE_NO_PAD.encode(hash))))
    }
}
