//! Invitation signing keys in an in-memory parameter store. In records and faults, the calls are named
//! `read_invitation_key`, `tags_of_invitation_key`, `create_invitation_key` and `delete_invitation_key`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::invitation::{InvitationKeys, KeyName, SigningKey, StoredKey};
use domain::retry::ErrorClass;

use super::{Answer, InMemoryPlatform};

/// A parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The key; none if the value is something else.
    pub key: Option<SigningKey>,
    /// The version, from 1.
    pub version: u32,
    /// The tags.
    pub tags: BTreeMap<String, String>,
}

#[async_trait]
impl InvitationKeys for InMemoryPlatform {
    async fn read(&self, name: &KeyName) -> Answer<Option<StoredKey>> {
        self.call("read_invitation_key", |state| {
            let Some(parameter) = state.parameters.get(name.as_str()) else { return Ok(None) };
            let key = parameter.key.clone().ok_or(ErrorClass::Invalid)?;
            Ok(Some(StoredKey { key, is_original: parameter.version == 1 }))
        })
        .await
    }

    async fn tags(&self, name: &KeyName) -> Answer<Option<BTreeMap<String, String>>> {
        self.call("tags_of_invitation_key", |state| {
            Ok(state.parameters.get(name.as_str()).map(|parameter| parameter.tags.clone()))
        })
        .await
    }

    async fn create(&self, name: &KeyName, tags: &BTreeMap<String, String>, key: &SigningKey) -> Answer<()> {
        self.call("create_invitation_key", |state| {
            if state.parameters.contains_key(name.as_str()) {
                return Err(ErrorClass::AlreadyExists);
            }
            let parameter = Parameter { key: Some(key.clone()), version: 1, tags: tags.clone() };
            state.parameters.insert(name.to_string(), parameter);
            Ok(())
        })
        .await
    }

    async fn delete(&self, name: &KeyName) -> Answer<()> {
        self.call("delete_invitation_key", |state| {
            state.parameters.remove(name.as_str()).map(|_| ()).ok_or(ErrorClass::NotFound)
        })
        .await
    }
}
