//! Implements [`Platform`] and `InvitationKeys` for provisioning, with one file per service.

#[cfg(any(test, feature = "doctor"))]
mod functions;
pub(crate) mod iam;
pub(crate) mod identity_pools;
mod identity_providers;
#[cfg(any(test, feature = "doctor"))]
mod inspector;
mod invitation_keys;
mod mfa;
#[cfg(any(test, feature = "backup"))]
mod pool_source;
mod sts;
mod update_requests;
pub(crate) mod user_pools;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use domain::platform::{
    AppClient, ClientState, IamEntity, IdentityPool, IdentityPoolState, MemberPage, Platform, PlatformError,
    TemporaryCredentials, UserPool, UserPoolState,
};
use domain::retry::ErrorClass;
use domain::secret::Secret;
use domain::spec::{CustomAttribute, MfaMode, PoolName};
use domain::user_pool::directory::Directory;
use domain::user_pool::sessions::Sessions;
use serde_json::Value;
use time::OffsetDateTime;

use crate::Aws;
use crate::authenticator::authenticator_code;
use crate::classify::class;
use crate::failure::Failure;
use iam::Iam;
use identity_pools::IdentityPools;
use sts::Sts;
use user_pools::UserPools;

pub use invitation_keys::SsmInvitationKeys;

/// The operations of provisioning on AWS.
#[derive(Debug, Clone)]
pub struct AwsPlatform {
    aws: Aws,
    user_pools: UserPools,
    identity_pools: IdentityPools,
    iam: Iam,
    sts: Sts,
}

impl AwsPlatform {
    pub(crate) fn new(aws: &Aws) -> Self {
        let aws = aws.without_retries();
        Self {
            user_pools: UserPools::new(aws.user_pool_client()),
            identity_pools: IdentityPools::new(aws.identity_pools(), aws.region()),
            iam: Iam::new(aws.iam()),
            sts: Sts::new(aws.clone()),
            aws,
        }
    }
}

impl From<Failure> for PlatformError {
    fn from(failure: Failure) -> Self {
        Self {
            operation: failure.operation,
            class: class(&failure),
            request_id: failure.request_id.clone(),
            source: Box::new(failure),
        }
    }
}

type Answer<T> = Result<T, PlatformError>;

/// Converts a "not found" error to `None`.
fn none_if_absent<T>(answer: Answer<T>) -> Answer<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.class == ErrorClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl Platform for AwsPlatform {
    fn region(&self) -> &str {
        self.aws.region()
    }

    async fn account_id(&self) -> Answer<String> {
        self.sts.account_id().await
    }

    async fn user_pools(&self, name: &PoolName) -> Answer<Vec<UserPool>> {
        self.user_pools.find(name).await
    }

    async fn create_user_pool(
        &self,
        name: &PoolName,
        state: &UserPoolState,
        custom_attributes: &[CustomAttribute],
        tags: &BTreeMap<String, String>,
    ) -> Answer<UserPool> {
        self.user_pools.create(name, state, custom_attributes, tags).await
    }

    async fn tag_user_pool(&self, arn: &str, name: &PoolName, tags: &BTreeMap<String, String>) -> Answer<()> {
        self.user_pools.tag(arn, name, tags).await
    }

    async fn update_user_pool(&self, id: &str, state: &UserPoolState) -> Answer<()> {
        self.user_pools.update(id, state).await
    }

    async fn set_mfa(&self, id: &str, mfa: MfaMode) -> Answer<()> {
        self.user_pools.set_mfa(id, mfa).await
    }

    async fn mapped_attributes(&self, user_pool_id: &str) -> Answer<BTreeSet<String>> {
        self.user_pools.mapped_attributes(user_pool_id).await
    }

    async fn add_custom_attributes(&self, id: &str, attributes: &[CustomAttribute]) -> Answer<()> {
        self.user_pools.add_custom_attributes(id, attributes).await
    }

    async fn delete_user_pool(&self, id: &str) -> Answer<()> {
        self.user_pools.delete(id).await
    }

    async fn clients(&self, user_pool_id: &str, name: &str) -> Answer<Vec<AppClient>> {
        self.user_pools.clients(user_pool_id, name).await
    }

    async fn create_client(
        &self,
        user_pool_id: &str,
        name: &str,
        with_secret: bool,
        state: &ClientState,
    ) -> Answer<AppClient> {
        self.user_pools.create_client(user_pool_id, name, with_secret, state).await
    }

    async fn update_client(&self, user_pool_id: &str, id: &str, state: &ClientState) -> Answer<()> {
        self.user_pools.update_client(user_pool_id, id, state).await
    }

    async fn delete_client(&self, user_pool_id: &str, id: &str) -> Answer<()> {
        self.user_pools.delete_client(user_pool_id, id).await
    }

    async fn groups(&self, user_pool_id: &str) -> Answer<BTreeSet<String>> {
        self.user_pools.groups(user_pool_id).await
    }

    async fn members(&self, user_pool_id: &str, group: &str) -> Answer<MemberPage> {
        self.user_pools.members(user_pool_id, group).await
    }

    async fn create_group(&self, user_pool_id: &str, name: &str) -> Answer<()> {
        self.user_pools.create_group(user_pool_id, name).await
    }

    async fn identity_pools(&self, name: &PoolName) -> Answer<Vec<IdentityPool>> {
        self.identity_pools.find(name).await
    }

    async fn create_identity_pool(&self, name: &PoolName, state: &IdentityPoolState) -> Answer<IdentityPool> {
        self.identity_pools.create(name, state).await
    }

    async fn update_identity_pool(&self, id: &str, state: &IdentityPoolState) -> Answer<()> {
        self.identity_pools.update(id, state).await
    }

    async fn delete_identity_pool(&self, id: &str) -> Answer<()> {
        self.identity_pools.delete(id).await
    }

    async fn authenticated_role(&self, identity_pool_id: &str) -> Answer<Option<String>> {
        self.identity_pools.authenticated_role(identity_pool_id).await
    }

    async fn set_authenticated_role(&self, identity_pool_id: &str, role_arn: &str) -> Answer<()> {
        self.identity_pools.set_authenticated_role(identity_pool_id, role_arn).await
    }

    async fn policy(&self, arn: &str) -> Answer<Option<IamEntity>> {
        self.iam.policy(arn).await
    }

    async fn create_policy(&self, name: &str, document: &Value, pool: &PoolName) -> Answer<IamEntity> {
        self.iam.create_policy(name, document, pool).await
    }

    async fn update_policy(&self, arn: &str, document: &Value) -> Answer<()> {
        self.iam.update_policy(arn, document).await
    }

    async fn delete_policy(&self, arn: &str) -> Answer<()> {
        self.iam.delete_policy(arn).await
    }

    async fn role(&self, name: &str) -> Answer<Option<IamEntity>> {
        self.iam.role(name).await
    }

    async fn create_role(
        &self,
        name: &str,
        trust: &Value,
        pool: &PoolName,
        boundary: Option<&str>,
    ) -> Answer<IamEntity> {
        self.iam.create_role(name, trust, pool, boundary).await
    }

    async fn set_boundary(&self, role_name: &str, policy_arn: &str) -> Answer<()> {
        self.iam.set_boundary(role_name, policy_arn).await
    }

    async fn update_trust(&self, role_name: &str, trust: &Value) -> Answer<()> {
        self.iam.update_trust(role_name, trust).await
    }

    async fn attached_policies(&self, role_name: &str) -> Answer<BTreeSet<String>> {
        self.iam.attached_policies(role_name).await
    }

    async fn attach_policy(&self, role_name: &str, policy_arn: &str) -> Answer<()> {
        self.iam.attach_policy(role_name, policy_arn).await
    }

    async fn detach_policy(&self, role_name: &str, policy_arn: &str) -> Answer<()> {
        self.iam.detach_policy(role_name, policy_arn).await
    }

    async fn delete_role(&self, name: &str) -> Answer<()> {
        self.iam.delete_role(name).await
    }

    async fn identity(&self, identity_pool_id: &str, user_pool_id: &str, id_token: &Secret) -> Answer<String> {
        self.identity_pools.identity(identity_pool_id, user_pool_id, id_token).await
    }

    async fn credentials(
        &self,
        identity_id: &str,
        user_pool_id: &str,
        id_token: &Secret,
    ) -> Answer<TemporaryCredentials> {
        self.identity_pools.credentials(identity_id, user_pool_id, id_token).await
    }

    async fn caller_arn(&self, credentials: &TemporaryCredentials) -> Answer<String> {
        self.sts.caller_arn(credentials).await
    }

    async fn delete_identity(&self, identity_id: &str) -> Answer<()> {
        self.identity_pools.delete_identity(identity_id).await
    }

    fn authenticator_code(&self, secret: &Secret, at: OffsetDateTime) -> Option<Secret> {
        authenticator_code(secret, at)
    }

    fn directory(&self, user_pool_id: &str) -> Box<dyn Directory> {
        Box::new(self.aws.directory(user_pool_id))
    }

    fn sessions(&self, user_pool_id: &str, client_id: &str) -> Box<dyn Sessions> {
        Box::new(self.aws.sessions(user_pool_id, client_id))
    }
}
