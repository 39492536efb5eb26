//! Identity pools: their settings, their role, and the credentials of authenticated users.

use std::collections::HashMap;

use aws_sdk_cognitoidentity::Client;
use aws_sdk_cognitoidentity::operation::describe_identity_pool::DescribeIdentityPoolOutput;
use aws_sdk_cognitoidentity::types::CognitoIdentityProvider;
use domain::platform::{IdentityPool, IdentityPoolState, Provider, TAG_KEY, TemporaryCredentials};
use domain::secret::Secret;
use domain::spec::PoolName;

use super::{Answer, none_if_absent};
use crate::failure::Failure;

/// Maximum page size of `ListIdentityPools`.
const PAGE: i32 = 60;

/// Cognito's name for the role of authenticated users.
const AUTHENTICATED: &str = "authenticated";

#[derive(Debug, Clone)]
pub(crate) struct IdentityPools {
    client: Client,
    region: String,
}

impl IdentityPools {
    pub(crate) fn new(client: Client, region: &str) -> Self {
        Self { client, region: region.to_owned() }
    }

    pub(crate) async fn find(&self, name: &PoolName) -> Answer<Vec<IdentityPool>> {
        let named = self.described(|pool| pool == name.as_str()).await?;
        let is_owned = |pool: &DescribeIdentityPoolOutput| {
            let tags = pool.identity_pool_tags.as_ref();
            tags.and_then(|tags| tags.get(TAG_KEY)).is_some_and(|value| value == name.as_str())
        };
        let owned = named.into_iter().filter(is_owned);
        Ok(owned.map(|pool| IdentityPool { state: to_state(&pool), id: pool.identity_pool_id }).collect())
    }

    /// All identity pools with an accepted name.
    pub(super) async fn described(
        &self,
        accepts_name: impl Fn(&str) -> bool + Send,
    ) -> Answer<Vec<DescribeIdentityPoolOutput>> {
        let mut pages = self.client.list_identity_pools().max_results(PAGE).into_paginator().send();
        let mut described = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::of("ListIdentityPools", &error))?;
            let named = page.identity_pools.unwrap_or_default().into_iter();
            let named = named.filter(|pool| pool.identity_pool_name.as_deref().is_some_and(&accepts_name));
            for id in named.filter_map(|pool| pool.identity_pool_id) {
                // An identity pool can be deleted between the two calls.
                described.extend(none_if_absent(self.describe(&id).await)?);
            }
        }
        Ok(described)
    }

    async fn describe(&self, id: &str) -> Answer<DescribeIdentityPoolOutput> {
        let answer = self.client.describe_identity_pool().identity_pool_id(id).send().await;
        answer.map_err(|error| Failure::of("DescribeIdentityPool", &error).into())
    }

    pub(crate) async fn create(&self, name: &PoolName, state: &IdentityPoolState) -> Answer<IdentityPool> {
        let answer = self
            .client
            .create_identity_pool()
            .identity_pool_name(name.as_str())
            .allow_unauthenticated_identities(state.guests)
            .allow_classic_flow(state.classic_flow)
            .set_cognito_identity_providers(Some(self.to_providers(state)))
            .identity_pool_tags(TAG_KEY, name.as_str())
            .send()
            .await
            .map_err(|error| Failure::of("CreateIdentityPool", &error))?;
        Ok(IdentityPool { id: answer.identity_pool_id, state: state.clone() })
    }

    pub(crate) async fn update(&self, id: &str, state: &IdentityPoolState) -> Answer<()> {
        let current = self.describe(id).await?;
        self.client
            .update_identity_pool()
            .identity_pool_id(id)
            .identity_pool_name(current.identity_pool_name)
            .allow_unauthenticated_identities(state.guests)
            .allow_classic_flow(state.classic_flow)
            .set_cognito_identity_providers(Some(self.to_providers(state)))
            // Settings outside the spec are preserved. Cognito rejects an empty name.
            .set_supported_login_providers(current.supported_login_providers)
            .set_developer_provider_name(current.developer_provider_name.filter(|name| !name.is_empty()))
            .set_open_id_connect_provider_arns(current.open_id_connect_provider_arns)
            .set_saml_provider_arns(current.saml_provider_arns)
            .set_identity_pool_tags(current.identity_pool_tags)
            .send()
            .await
            .map_err(|error| Failure::of("UpdateIdentityPool", &error))?;
        Ok(())
    }

    pub(crate) async fn delete(&self, id: &str) -> Answer<()> {
        let answer = self.client.delete_identity_pool().identity_pool_id(id).send().await;
        answer.map_err(|error| Failure::of("DeleteIdentityPool", &error))?;
        Ok(())
    }

    pub(crate) async fn authenticated_role(&self, id: &str) -> Answer<Option<String>> {
        Ok(self.roles(id).await?.remove(AUTHENTICATED))
    }

    /// The role ARNs, by `authenticated` and `unauthenticated`.
    pub(super) async fn roles(&self, id: &str) -> Answer<HashMap<String, String>> {
        let answer = self.client.get_identity_pool_roles().identity_pool_id(id).send().await;
        let answer = answer.map_err(|error| Failure::of("GetIdentityPoolRoles", &error))?;
        Ok(answer.roles.unwrap_or_default())
    }

    /// The names of the settings that a spec cannot contain.
    #[cfg(any(test, feature = "backup"))]
    pub(super) async fn other_settings(&self, id: &str) -> Answer<Vec<String>> {
        let pool = self.describe(id).await?;
        let answer = self.client.get_identity_pool_roles().identity_pool_id(id).send().await;
        let roles = answer.map_err(|error| Failure::of("GetIdentityPoolRoles", &error))?;
        let is_other = |key: &String| key != TAG_KEY && !key.starts_with("aws:");
        let settings = [
            ("SupportedLoginProviders", pool.supported_login_providers.is_some_and(|it| !it.is_empty())),
            ("DeveloperProviderName", pool.developer_provider_name.is_some_and(|it| !it.is_empty())),
            ("OpenIdConnectProviderARNs", pool.open_id_connect_provider_arns.is_some_and(|it| !it.is_empty())),
            ("SamlProviderARNs", pool.saml_provider_arns.is_some_and(|it| !it.is_empty())),
            ("IdentityPoolTags", pool.identity_pool_tags.is_some_and(|it| it.keys().any(is_other))),
            ("Roles: unauthenticated", roles.roles.is_some_and(|it| it.keys().any(|kind| kind != AUTHENTICATED))),
            ("RoleMappings", roles.role_mappings.is_some_and(|it| !it.is_empty())),
        ];
        Ok(settings.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name.to_owned()).collect())
    }

    pub(crate) async fn set_authenticated_role(&self, id: &str, role_arn: &str) -> Answer<()> {
        let current = self.client.get_identity_pool_roles().identity_pool_id(id).send().await;
        let current = current.map_err(|error| Failure::of("GetIdentityPoolRoles", &error))?;
        // `SetIdentityPoolRoles` replaces everything, so the guest role and the role mappings are sent unchanged.
        let mut roles = current.roles.unwrap_or_default();
        roles.insert(AUTHENTICATED.to_owned(), role_arn.to_owned());
        self.client
            .set_identity_pool_roles()
            .identity_pool_id(id)
            .set_roles(Some(roles))
            .set_role_mappings(current.role_mappings)
            .send()
            .await
            .map_err(|error| Failure::of("SetIdentityPoolRoles", &error))?;
        Ok(())
    }

    pub(crate) async fn identity(&self, id: &str, user_pool_id: &str, id_token: &Secret) -> Answer<String> {
        let answer = self
            .client
            .get_id()
            .identity_pool_id(id)
            .set_logins(Some(self.logins(user_pool_id, id_token)))
            .send()
            .await
            .map_err(|error| Failure::of("GetId", &error))?;
        answer.identity_id.ok_or_else(|| Failure::missing("GetId", "IdentityId").into())
    }

    pub(crate) async fn credentials(
        &self,
        identity_id: &str,
        user_pool_id: &str,
        id_token: &Secret,
    ) -> Answer<TemporaryCredentials> {
        const OPERATION: &str = "GetCredentialsForIdentity";
        let answer = self
            .client
            .get_credentials_for_identity()
            .identity_id(identity_id)
            .set_logins(Some(self.logins(user_pool_id, id_token)))
            .send()
            .await
            .map_err(|error| Failure::of(OPERATION, &error))?;
        let missing = |field| Failure::missing(OPERATION, field);
        let credentials = answer.credentials.ok_or_else(|| missing("Credentials"))?;
        Ok(TemporaryCredentials {
            access_key_id: credentials.access_key_id.ok_or_else(|| missing("AccessKeyId"))?,
            secret_access_key: Secret::new(credentials.secret_key.ok_or_else(|| missing("SecretKey"))?),
            session_token: Secret::new(credentials.session_token.ok_or_else(|| missing("SessionToken"))?),
        })
    }

    pub(crate) async fn delete_identity(&self, identity_id: &str) -> Answer<()> {
        let answer = self.client.delete_identities().identity_ids_to_delete(identity_id).send().await;
        answer.map_err(|error| Failure::of("DeleteIdentities", &error))?;
        Ok(())
    }

    fn provider_name(&self, user_pool_id: &str) -> String {
        format!("cognito-idp.{}.amazonaws.com/{user_pool_id}", self.region)
    }

    fn logins(&self, user_pool_id: &str, id_token: &Secret) -> HashMap<String, String> {
        HashMap::from([(self.provider_name(user_pool_id), id_token.expose().to_owned())])
    }

    fn to_providers(&self, state: &IdentityPoolState) -> Vec<CognitoIdentityProvider> {
        let to_provider = |provider: &Provider| {
            CognitoIdentityProvider::builder()
                .provider_name(self.provider_name(&provider.user_pool_id))
                .client_id(&provider.client_id)
                .server_side_token_check(provider.server_side_token_check)
                .build()
        };
        state.providers.iter().map(to_provider).collect()
    }
}

pub(super) fn to_state(pool: &DescribeIdentityPoolOutput) -> IdentityPoolState {
    let to_provider = |provider: &CognitoIdentityProvider| {
        let name = provider.provider_name.as_deref()?;
        Some(Provider {
            user_pool_id: name.rsplit('/').next()?.to_owned(),
            client_id: provider.client_id.clone()?,
            server_side_token_check: provider.server_side_token_check.unwrap_or_default(),
        })
    };
    IdentityPoolState {
        guests: pool.allow_unauthenticated_identities,
        classic_flow: pool.allow_classic_flow.unwrap_or_default(),
        providers: pool.cognito_identity_providers().iter().filter_map(to_provider).collect(),
    }
}
