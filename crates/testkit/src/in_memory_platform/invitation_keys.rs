//! The parameter store, as far as keys of invitations are in it. The calls are named `read_invitation_key`, `create_invitation_key` and
//! `delete_invitation_key`, for faults as well.

use async_trait::async_trait;
use domain::invitation::{InvitationKeys, KeyName, SigningKey};
use domain::retry::ErrorClass;
use domain::spec::PoolName;

use super::{Answer, InMemoryPlatform};

/// What stands under a name in the parameter store.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The key; none where something else stands there.
    pub key: Option<SigningKey>,
    /// The value of our tag.
    pub tag: Option<String>,
}

#[async_trait]
impl InvitationKeys for InMemoryPlatform {
    async fn read(&self, name: &KeyName) -> Answer<Option<SigningKey>> {
        self.call("read_invitation_key", |state| match state.parameters.get(name.as_str()) {
            None => Ok(None),
            Some(parameter) => parameter.key.clone().map(Some).ok_or(ErrorClass::Invalid),
        })
        .await
    }

    async fn create(&self, name: &KeyName, pool: &PoolName, key: &SigningKey) -> Answer<()> {
        self.call("create_invitation_key", |state| {
            if state.parameters.contains_key(name.as_str()) {
                return Err(ErrorClass::AlreadyExists);
            }
            let parameter = Parameter { key: Some(key.clone()), tag: Some(pool.to_string()) };
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
