//! The port [`Platform`]. Each call is recorded under its name, so that faults can be planned for it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use domain::platform::{
    AppClient, ClientState, IamEntity, IdentityPool, IdentityPoolState, MemberPage, Platform, TemporaryCredentials,
    UserPool, UserPoolState,
};
use domain::retry::Clock;
use domain::secret::Secret;
use domain::spec::{CustomAttribute, MfaMode, PoolName};
use domain::user_pool::directory::Directory;
use domain::user_pool::sessions::Sessions;
use serde_json::Value;
use time::OffsetDateTime;

use super::state::Owned;
use super::users::Faulty;
use super::{ACCOUNT_ID, Answer, InMemoryPlatform, REGION};
use crate::in_memory::{AUTHENTICATOR_SECRET, FACTOR_CODE};

#[async_trait]
impl Platform for InMemoryPlatform {
    fn region(&self) -> &str {
        REGION
    }

    async fn account_id(&self) -> Answer<String> {
        self.call("account_id", |_| Ok(ACCOUNT_ID.to_owned())).await
    }

    async fn user_pools(&self, name: &PoolName) -> Answer<Vec<UserPool>> {
        self.call("user_pools", |state| Ok(Owned::ours(&state.user_pools, name, self.clock.now()))).await
    }

    async fn create_user_pool(
        &self,
        name: &PoolName,
        wanted: &UserPoolState,
        custom_attributes: &[CustomAttribute],
        tags: &BTreeMap<String, String>,
    ) -> Answer<UserPool> {
        let listed_at = self.clock.now() + self.lag();
        self.call("create_user_pool", |state| {
            Ok(state.create_user_pool(name, wanted, custom_attributes, tags, listed_at))
        })
        .await
    }

    async fn update_user_pool(&self, id: &str, wanted: &UserPoolState) -> Answer<()> {
        self.call("update_user_pool", |state| state.update_user_pool(id, wanted)).await
    }

    async fn set_mfa(&self, id: &str, mfa: MfaMode) -> Answer<()> {
        self.call("set_mfa", |state| state.set_mfa(id, mfa)).await
    }

    async fn tag_user_pool(&self, arn: &str, _: &PoolName, tags: &BTreeMap<String, String>) -> Answer<()> {
        self.call("tag_user_pool", |state| state.tag_user_pool(arn, tags)).await
    }

    async fn mapped_attributes(&self, user_pool_id: &str) -> Answer<BTreeSet<String>> {
        self.call("mapped_attributes", |state| state.mapped_attributes(user_pool_id)).await
    }

    async fn add_custom_attributes(&self, id: &str, attributes: &[CustomAttribute]) -> Answer<()> {
        self.call("add_custom_attributes", |state| state.add_custom_attributes(id, attributes)).await
    }

    async fn delete_user_pool(&self, id: &str) -> Answer<()> {
        self.call("delete_user_pool", |state| state.delete_user_pool(id)).await
    }

    async fn clients(&self, user_pool_id: &str, name: &str) -> Answer<Vec<AppClient>> {
        self.call("clients", |state| state.clients(user_pool_id, name)).await
    }

    async fn create_client(
        &self,
        user_pool_id: &str,
        name: &str,
        with_secret: bool,
        wanted: &ClientState,
    ) -> Answer<AppClient> {
        self.call("create_client", |state| state.create_client(user_pool_id, name, with_secret, wanted)).await
    }

    async fn update_client(&self, _user_pool_id: &str, id: &str, wanted: &ClientState) -> Answer<()> {
        self.call("update_client", |state| state.update_client(id, wanted)).await
    }

    async fn delete_client(&self, user_pool_id: &str, id: &str) -> Answer<()> {
        self.call("delete_client", |state| state.delete_client(user_pool_id, id)).await
    }

    async fn groups(&self, user_pool_id: &str) -> Answer<BTreeSet<String>> {
        self.call("groups", |state| Ok(state.groups(user_pool_id))).await
    }

    async fn members(&self, user_pool_id: &str, group: &str) -> Answer<MemberPage> {
        self.call("members", |state| state.members(user_pool_id, group)).await
    }

    async fn create_group(&self, user_pool_id: &str, name: &str) -> Answer<()> {
        self.call("create_group", |state| state.create_group(user_pool_id, name)).await
    }

    async fn identity_pools(&self, name: &PoolName) -> Answer<Vec<IdentityPool>> {
        self.call("identity_pools", |state| Ok(Owned::ours(&state.identity_pools, name, self.clock.now()))).await
    }

    async fn create_identity_pool(&self, name: &PoolName, wanted: &IdentityPoolState) -> Answer<IdentityPool> {
        let listed_at = self.clock.now() + self.lag();
        self.call("create_identity_pool", |state| Ok(state.create_identity_pool(name, wanted, listed_at))).await
    }

    async fn update_identity_pool(&self, id: &str, wanted: &IdentityPoolState) -> Answer<()> {
        self.call("update_identity_pool", |state| state.update_identity_pool(id, wanted)).await
    }

    async fn delete_identity_pool(&self, id: &str) -> Answer<()> {
        self.call("delete_identity_pool", |state| state.delete_identity_pool(id)).await
    }

    async fn authenticated_role(&self, identity_pool_id: &str) -> Answer<Option<String>> {
        self.call("authenticated_role", |state| Ok(state.authenticated_roles.get(identity_pool_id).cloned())).await
    }

    async fn set_authenticated_role(&self, identity_pool_id: &str, role_arn: &str) -> Answer<()> {
        self.call("set_authenticated_role", |state| {
            state.set_authenticated_role(identity_pool_id, role_arn);
            Ok(())
        })
        .await
    }

    async fn policy(&self, arn: &str) -> Answer<Option<IamEntity>> {
        self.call("policy", |state| Ok(state.policies.get(arn).cloned())).await
    }

    async fn create_policy(&self, name: &str, document: &Value, pool: &PoolName) -> Answer<IamEntity> {
        self.call("create_policy", |state| state.create_policy(name, document, pool)).await
    }

    async fn update_policy(&self, arn: &str, document: &Value) -> Answer<()> {
        self.call("update_policy", |state| state.update_policy(arn, document)).await
    }

    async fn delete_policy(&self, arn: &str) -> Answer<()> {
        self.call("delete_policy", |state| state.delete_policy(arn)).await
    }

    async fn role(&self, name: &str) -> Answer<Option<IamEntity>> {
        self.call("role", |state| Ok(state.roles.get(name).map(|role| role.entity.clone()))).await
    }

    async fn set_boundary(&self, role_name: &str, policy_arn: &str) -> Answer<()> {
        self.call("set_boundary", |state| state.set_boundary(role_name, policy_arn)).await
    }

    async fn create_role(
        &self,
        name: &str,
        trust: &Value,
        pool: &PoolName,
        boundary: Option<&str>,
    ) -> Answer<IamEntity> {
        let assumable_at = self.clock.now() + self.propagation;
        self.call("create_role", |state| state.create_role(name, trust, pool, boundary, assumable_at)).await
    }

    async fn update_trust(&self, role_name: &str, trust: &Value) -> Answer<()> {
        self.call("update_trust", |state| state.update_trust(role_name, trust)).await
    }

    async fn attached_policies(&self, role_name: &str) -> Answer<BTreeSet<String>> {
        self.call("attached_policies", |state| state.attached_policies(role_name)).await
    }

    async fn attach_policy(&self, role_name: &str, policy_arn: &str) -> Answer<()> {
        self.call("attach_policy", |state| state.attach_policy(role_name, policy_arn)).await
    }

    async fn detach_policy(&self, role_name: &str, policy_arn: &str) -> Answer<()> {
        self.call("detach_policy", |state| state.detach_policy(role_name, policy_arn)).await
    }

    async fn delete_role(&self, name: &str) -> Answer<()> {
        self.call("delete_role", |state| state.delete_role(name)).await
    }

    async fn identity(&self, identity_pool_id: &str, user_pool_id: &str, id_token: &Secret) -> Answer<String> {
        self.call("identity", |state| state.identity(identity_pool_id, user_pool_id, id_token)).await
    }

    async fn credentials(&self, identity_id: &str, _: &str, _: &Secret) -> Answer<TemporaryCredentials> {
        let now = self.clock.now();
        self.call("credentials", |state| state.credentials(identity_id, now)).await
    }

    async fn caller_arn(&self, credentials: &TemporaryCredentials) -> Answer<String> {
        let role = credentials.access_key_id.rsplit('/').next().unwrap_or_default().to_owned();
        self.call("caller_arn", |_| {
            Ok(format!("arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role}/CognitoIdentityCredentials"))
        })
        .await
    }

    async fn delete_identity(&self, identity_id: &str) -> Answer<()> {
        self.call("delete_identity", |state| state.delete_identity(identity_id)).await
    }

    fn authenticator_code(&self, secret: &Secret, _at: OffsetDateTime) -> Option<Secret> {
        (secret.expose() == AUTHENTICATOR_SECRET).then(|| Secret::new(FACTOR_CODE))
    }

    fn directory(&self, user_pool_id: &str) -> Box<dyn Directory> {
        let directory = self.state().users.get(user_pool_id).cloned().unwrap_or_default().directory();
        Box::new(Faulty::new(self, directory))
    }

    fn sessions(&self, user_pool_id: &str, _client_id: &str) -> Box<dyn Sessions> {
        let sessions = self.state().users.get(user_pool_id).cloned().unwrap_or_default().sessions();
        Box::new(Faulty::new(self, sessions))
    }
}
