//! The port [`PoolSource`]: what the platform keeps, in which all settings have a field in a spec.

use async_trait::async_trait;
use domain::backup::{DescribedClient, DescribedUserPool, PoolSource};
use domain::platform::TAG_KEY;

use super::{Answer, InMemoryPlatform};

#[async_trait]
impl PoolSource for InMemoryPlatform {
    async fn described_user_pool(&self, id: &str) -> Answer<Option<DescribedUserPool>> {
        self.call("described_user_pool", |state| {
            let found = state.user_pools.iter().find(|owned| owned.thing.id == id);
            Ok(found.map(|owned| {
                let mut pool = owned.thing.clone();
                pool.tags.extend(owned.tag.iter().map(|tag| (TAG_KEY.to_owned(), tag.clone())));
                DescribedUserPool { name: owned.name.clone(), pool, other_settings: Vec::new() }
            }))
        })
        .await
    }

    async fn described_clients(&self, user_pool_id: &str) -> Answer<Vec<DescribedClient>> {
        self.call("described_clients", |state| {
            let clients = state.clients.iter().filter(|named| named.user_pool_id == user_pool_id);
            let described = clients.map(|named| DescribedClient {
                name: named.name.clone(),
                client: named.client.clone(),
                other_settings: Vec::new(),
            });
            Ok(described.collect())
        })
        .await
    }

    async fn other_identity_pool_settings(&self, _id: &str) -> Answer<Vec<String>> {
        self.call("other_identity_pool_settings", |state| Ok(state.other_identity_pool_settings.clone())).await
    }

    async fn inline_policies(&self, _role_name: &str) -> Answer<Vec<String>> {
        self.call("inline_policies", |state| Ok(state.inline_policies.clone())).await
    }
}
