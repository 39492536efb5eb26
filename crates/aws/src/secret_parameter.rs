//! Reads a secret from a parameter of the SSM parameter store.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::ParameterType;
use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use thiserror::Error;

use crate::failure::Failure;

const OPERATION: &str = "GetParameter";

/// A secret in a `SecureString` parameter.
#[derive(Debug)]
pub struct SecretParameter {
    client: Client,
    name: String,
}

/// The parameter has no secret.
#[derive(Debug, Error)]
#[error("the parameter {0} must be a SecureString")]
struct NotASecret(String);

impl SecretParameter {
    pub(crate) fn new(client: Client, name: &str) -> Self {
        Self { client, name: name.to_owned() }
    }

    /// Reads the secret. Callers cache what they parse from it, so that they read a corrected secret again. An
    /// unencrypted parameter is rejected, because other principals may have read it.
    ///
    /// # Errors
    /// Returns an error if the parameter cannot be read.
    pub async fn secret(&self) -> Result<Secret, UserPoolError> {
        let request = self.client.get_parameter().name(&self.name).with_decryption(true);
        let answer = request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        let encrypted = answer.parameter.filter(|parameter| parameter.r#type == Some(ParameterType::SecureString));
        let value = encrypted.and_then(|parameter| parameter.value).filter(|value| !value.is_empty());
        value.map(Secret::new).ok_or_else(|| UserPoolError {
            source: Some(Box::new(NotASecret(self.name.clone()))),
            ..UserPoolError::new(OPERATION, Reason::Internal)
        })
    }
}
