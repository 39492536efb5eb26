//! The identity providers of a user pool. Only the attribute mapping is read, because the details of a provider contain
//! secrets.

use std::collections::BTreeSet;

use super::user_pools::{PAGE, UserPools};
use super::{Answer, none_if_absent};
use crate::failure::Failure;

impl UserPools {
    pub(crate) async fn mapped_attributes(&self, user_pool_id: &str) -> Answer<BTreeSet<String>> {
        let mut mapped = BTreeSet::new();
        for name in self.identity_providers(user_pool_id).await? {
            // A provider can be deleted between the two calls.
            mapped.extend(none_if_absent(self.mapping(user_pool_id, &name).await)?.unwrap_or_default());
        }
        Ok(mapped)
    }

    /// The names of all identity providers.
    pub(super) async fn identity_providers(&self, user_pool_id: &str) -> Answer<Vec<String>> {
        let request = self.client.list_identity_providers().user_pool_id(user_pool_id).max_results(PAGE);
        let mut pages = request.into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::of("ListIdentityProviders", &error))?;
            names.extend(page.providers.into_iter().filter_map(|provider| provider.provider_name));
        }
        Ok(names)
    }

    async fn mapping(&self, user_pool_id: &str, provider: &str) -> Answer<BTreeSet<String>> {
        let request = self.client.describe_identity_provider().user_pool_id(user_pool_id).provider_name(provider);
        let answer = request.send().await.map_err(|error| Failure::of("DescribeIdentityProvider", &error))?;
        let mapping = answer.identity_provider.and_then(|provider| provider.attribute_mapping);
        Ok(mapping.unwrap_or_default().into_keys().collect())
    }
}
