//! Reads the invitation signing key from a parameter of the SSM parameter store, once.

use async_trait::async_trait;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{Parameter, ParameterType};
use domain::invitation::{InvitationKey, SigningKey};
use domain::retry::ErrorClass;
use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use thiserror::Error;
use tokio::sync::OnceCell;

use crate::classify::class;
use crate::failure::Failure;

const OPERATION: &str = "GetParameter";

/// The invitation signing key in one parameter.
#[derive(Debug)]
pub struct SsmInvitationKey {
    client: Client,
    name: String,
    /// Read at the first call, and again after a failure.
    key: OnceCell<SigningKey>,
}

/// The parameter has no usable key. The message contains no part of its value.
#[derive(Debug, Error)]
pub(crate) enum UnusableKey {
    #[error("the parameter {0} does not exist; deploy with another InvitationKeyVersion to create a new key")]
    Absent(String),
    #[error(
        "the parameter {0} is not an Ed25519 private key (PKCS#8 PEM in a SecureString); deploy with another InvitationKeyVersion \
         to create a new key"
    )]
    InvalidKey(String),
}

impl SsmInvitationKey {
    pub(crate) fn new(client: Client, name: &str) -> Self {
        Self { client, name: name.to_owned(), key: OnceCell::new() }
    }

    async fn read(&self) -> Result<SigningKey, UserPoolError> {
        let request = self.client.get_parameter().name(&self.name).with_decryption(true);
        match request.send().await.map_err(|error| Failure::of(OPERATION, &error)) {
            Ok(answer) => key_in(answer.parameter, &self.name).map_err(|unusable_key| UserPoolError {
                source: Some(Box::new(unusable_key)),
                ..UserPoolError::new(OPERATION, Reason::Internal)
            }),
            Err(failure) if class(&failure) == ErrorClass::NotFound => {
                let source = Some(UnusableKey::Absent(self.name.clone()).into());
                Err(UserPoolError { source, ..failure.into() })
            }
            Err(failure) => Err(failure.into()),
        }
    }
}

#[async_trait]
impl InvitationKey for SsmInvitationKey {
    async fn invitation_key(&self) -> Result<SigningKey, UserPoolError> {
        self.key.get_or_try_init(|| self.read()).await.cloned()
    }
}

/// Returns the key in a parameter. An unencrypted key is rejected, because other principals may have read it.
pub(crate) fn key_in(parameter: Option<Parameter>, name: &str) -> Result<SigningKey, UnusableKey> {
    let encrypted = parameter.filter(|parameter| parameter.r#type == Some(ParameterType::SecureString));
    let pem = encrypted.and_then(|parameter| parameter.value).map(Secret::new);
    pem.and_then(|pem| SigningKey::from_pem(&pem).ok()).ok_or_else(|| UnusableKey::InvalidKey(name.to_owned()))
}
