//! Invitation signing keys in the parameter store of Systems Manager.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{ParameterType, ResourceTypeForTagging, Tag};
use domain::invitation::{InvitationKeys, KeyName, SigningKey, StoredKey};
use domain::platform::PlatformError;
use domain::retry::ErrorClass;

use super::{Answer, none_if_absent};
use crate::failure::{Failure, Kind};
use crate::invitation_key::key_in;

/// Stores invitation signing keys as parameters of type `SecureString`, encrypted with the account's default KMS key
/// for parameters.
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
    async fn read(&self, name: &KeyName) -> Answer<Option<StoredKey>> {
        let answer = self.client.get_parameter().name(name.as_str()).with_decryption(true).send().await;
        let answer = none_if_absent(answer.map_err(|error| Failure::of("GetParameter", &error).into()))?;
        let Some(answer) = answer else { return Ok(None) };
        let is_original = answer.parameter.as_ref().is_some_and(|parameter| parameter.version == 1);
        let key = key_in(answer.parameter, name.as_str()).map_err(|unusable_key| PlatformError {
            operation: "GetParameter",
            class: ErrorClass::Invalid,
            request_id: None,
            source: Box::new(unusable_key),
        })?;
        Ok(Some(StoredKey { key, is_original }))
    }

    async fn tags(&self, name: &KeyName) -> Answer<Option<BTreeMap<String, String>>> {
        let request = self.client.list_tags_for_resource().resource_type(ResourceTypeForTagging::Parameter);
        let answer = request.resource_id(name.as_str()).send().await;
        let answer = none_if_absent(answer.map_err(|error| Failure::of("ListTagsForResource", &error).into()))?;
        let tags = |tags: Vec<Tag>| tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        Ok(answer.map(|answer| tags(answer.tag_list.unwrap_or_default())))
    }

    async fn create(&self, name: &KeyName, tags: &BTreeMap<String, String>, key: &SigningKey) -> Answer<()> {
        let unsent = |cause: &str| Failure {
            operation: "PutParameter",
            kind: Kind::NotSent(cause.to_owned()),
            request_id: None,
        };
        let pem = key.to_pem().map_err(|_| unsent("the key cannot be encoded"))?;
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags = tags.collect::<Result<_, _>>().map_err(|_| unsent("a tag has no key"))?;
        self.client
            .put_parameter()
            .name(name.as_str())
            .description("Invitation signing key of a Poolkeeper user pool")
            .r#type(ParameterType::SecureString)
            .value(pem.expose())
            .overwrite(false)
            .set_tags(Some(tags))
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
