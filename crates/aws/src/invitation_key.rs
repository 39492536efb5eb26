//! The private key of invitations, for whoever issues them: one parameter of Systems Manager's parameter store, read once.

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

/// The key in the parameter of one name.
#[derive(Debug)]
pub struct SsmInvitationKey {
    client: Client,
    name: String,
    /// Read at the first call; a failure is not kept.
    key: OnceCell<SigningKey>,
}

/// There is no key under the name. Says what is to be done, and nothing of what there is.
#[derive(Debug, Error)]
pub(crate) enum NoKey {
    #[error("there is no parameter {0}; deploy with another InvitationKeyVersion, which makes a new key")]
    Absent(String),
    #[error(
        "the parameter {0} holds something else than an Ed25519 private key (PKCS#8 PEM, as a SecureString); deploy with another \
         InvitationKeyVersion, which makes a new key"
    )]
    SomethingElse(String),
}

impl SsmInvitationKey {
    pub(crate) fn new(client: Client, name: &str) -> Self {
        Self { client, name: name.to_owned(), key: OnceCell::new() }
    }

    async fn read(&self) -> Result<SigningKey, UserPoolError> {
        let request = self.client.get_parameter().name(&self.name).with_decryption(true);
        match request.send().await.map_err(|error| Failure::of(OPERATION, &error)) {
            Ok(answer) => key_in(answer.parameter, &self.name).map_err(|no_key| UserPoolError {
                source: Some(Box::new(no_key)),
                ..UserPoolError::new(OPERATION, Reason::Internal)
            }),
            Err(failure) if class(&failure) == ErrorClass::NotFound => {
                let source = Some(NoKey::Absent(self.name.clone()).into());
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

/// The key that a parameter holds. One that is kept in clear is none: whoever may read parameters could have read it.
pub(crate) fn key_in(parameter: Option<Parameter>, name: &str) -> Result<SigningKey, NoKey> {
    let encrypted = parameter.filter(|parameter| parameter.r#type == Some(ParameterType::SecureString));
    let pem = encrypted.and_then(|parameter| parameter.value).map(Secret::new);
    pem.and_then(|pem| SigningKey::from_pem(&pem).ok()).ok_or_else(|| NoKey::SomethingElse(name.to_owned()))
}
