//! The parameter store of Systems Manager: where private keys of invitations are made, kept and taken away.

use async_trait::async_trait;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{ParameterType, Tag};
use domain::invitation::{InvitationKeys, KeyName, SigningKey};
use domain::platform::{PlatformError, TAG_KEY};
use domain::retry::ErrorClass;
use domain::spec::PoolName;

use super::{Answer, if_there};
use crate::failure::{Failure, Kind};
use crate::invitation_key::key_in;

/// Private keys as parameters of type `SecureString`, encrypted with the account's default key for parameters, which needs no right of its
/// own.
#[derive(Debug, Clone)]
pub struct SsmInvitationKeys {
    client: Client,
}

impl SsmInvitationKeys {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl InvitationKeys for SsmInvitationKeys {
    async fn read(&self, name: &KeyName) -> Answer<Option<SigningKey>> {
        let answer = self.client.get_parameter().name(name.as_str()).with_decryption(true).send().await;
        let answer = if_there(answer.map_err(|error| Failure::of("GetParameter", &error).into()))?;
        let Some(answer) = answer else { return Ok(None) };
        let key = key_in(answer.parameter, name.as_str()).map_err(|no_key| PlatformError {
            operation: "GetParameter",
            class: ErrorClass::Invalid,
            request_id: None,
            source: Box::new(no_key),
        })?;
        Ok(Some(key))
    }

    async fn create(&self, name: &KeyName, pool: &PoolName, key: &SigningKey) -> Answer<()> {
        let unsent =
            |why: &str| Failure { operation: "PutParameter", kind: Kind::NotSent(why.to_owned()), request_id: None };
        let pem = key.to_pem().map_err(|_| unsent("the key cannot be written down"))?;
        let tag = Tag::builder().key(TAG_KEY).value(pool.as_str()).build();
        self.client
            .put_parameter()
            .name(name.as_str())
            .description(format!("Signs invitations into user pool {pool}"))
            .r#type(ParameterType::SecureString)
            .value(pem.expose())
            .overwrite(false)
            .tags(tag.map_err(|_| unsent("the tag has no key"))?)
            .send()
            .await
            .map_err(|error| Failure::of("PutParameter", &error))?;
        Ok(())
    }

    async fn delete(&self, name: &KeyName) -> Answer<()> {
        let answer = self.client.delete_parameter().name(name.as_str()).send().await;
        answer.map_err(|error| Failure::of("DeleteParameter", &error))?;
        Ok(())
    }
}
