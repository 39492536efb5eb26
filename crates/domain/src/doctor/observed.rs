//! The observed state of a pool and its related resources, and the port that reads it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde_json::Value;

use crate::platform::{AppClient, IdentityPool, Platform, PlatformError, TAG_KEY, UserPool};
use crate::provision::{Plan, ProvisionError, STACK_TAG};
use crate::spec::Verifiable;

/// The observed state.
#[derive(Debug)]
pub struct Observed {
    /// The Region.
    pub region: String,
    /// The user pool.
    pub user_pool: ObservedUserPool,
    /// All app clients of the pool.
    pub clients: Vec<ObservedClient>,
    /// The number of groups.
    pub groups: usize,
    /// The number of identity providers.
    pub identity_providers: usize,
    /// The identity pools that accept tokens of the pool.
    pub identity_pools: Vec<ObservedIdentityPool>,
    /// The triggers of the pool.
    pub triggers: Vec<Trigger>,
    /// The comparison with a spec.
    pub drift: Option<Drift>,
}

/// The comparison of a deployment with its spec.
#[derive(Debug)]
pub struct Drift {
    /// The name of the spec's file.
    pub file: String,
    /// The plan, or the reason why `apply` would fail.
    pub plan: Result<Plan, ProvisionError>,
}

/// A user pool.
#[derive(Debug, Clone)]
pub struct ObservedUserPool {
    /// The fields that provisioning reads as well.
    pub pool: UserPool,
    /// The addresses that users sign in with, as user names or aliases.
    pub sign_in_attributes: BTreeSet<Verifiable>,
    /// The attributes whose new value is verified before it replaces the current one.
    pub verified_before_update: BTreeSet<Verifiable>,
    /// The first recovery option, if any is set.
    pub recovery: Option<Recovery>,
    /// The sender of e-mail messages.
    pub mail_sender: MailSender,
    /// The approximate number of users.
    pub estimated_users: u64,
    /// The function ARN of each trigger.
    pub triggers: BTreeMap<&'static str, String>,
}

impl ObservedUserPool {
    /// The name of the stack that owns the pool.
    pub(super) fn stack(&self) -> Option<&str> {
        self.pool.tags.get(STACK_TAG).and_then(|id| stack_name(id))
    }

    /// Whether Poolkeeper manages the pool.
    pub(super) fn is_managed(&self) -> bool {
        self.pool.tags.contains_key(TAG_KEY)
    }
}

/// Returns the name in `arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/UUID`.
pub(super) fn stack_name(stack_id: &str) -> Option<&str> {
    stack_id.split('/').nth(1)
}

/// The preferred way to recover an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// A code by text message.
    Phone,
    /// A code by e-mail, or an administrator.
    Other,
}

/// The sender of e-mail messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSender {
    /// The sender of Cognito, with a daily quota.
    CognitoDefault,
    /// Amazon SES, or a function.
    Own,
}

/// An app client.
#[derive(Debug, Clone)]
pub struct ObservedClient {
    /// The name.
    pub name: String,
    /// The fields that provisioning reads as well.
    pub client: AppClient,
    /// The authentication flows, as Cognito spells them.
    pub auth_flows: BTreeSet<String>,
    /// Whether the OAuth endpoints accept the client.
    pub uses_oauth: bool,
    /// The OAuth grants, as Cognito spells them.
    pub oauth_flows: BTreeSet<String>,
    /// The callback URLs.
    pub callback_urls: Vec<String>,
}

/// An identity pool.
#[derive(Debug, Clone)]
pub struct ObservedIdentityPool {
    /// The name.
    pub name: String,
    /// The fields that provisioning reads as well.
    pub pool: IdentityPool,
    /// The role ARN of authenticated users.
    pub authenticated_role_arn: Option<String>,
    /// The role ARN of guests.
    pub guest_role_arn: Option<String>,
    /// The roles with these ARNs.
    pub roles: BTreeMap<String, AssignedRole>,
}

/// A role of an identity pool.
#[derive(Debug, Clone)]
pub struct AssignedRole {
    /// The trust policy. `None` if the role does not exist.
    pub trust: Option<Value>,
    /// The ARNs of the attached policies.
    pub policies: BTreeSet<String>,
}

/// A trigger of a user pool.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// The name in `LambdaConfig`.
    pub name: &'static str,
    /// The ARN of the function.
    pub function_arn: String,
    /// The function. `None` if it does not exist.
    pub function: Option<Function>,
}

/// A Lambda function.
#[derive(Debug, Clone)]
pub struct Function {
    /// The state, as Lambda spells it.
    pub state: Option<String>,
    /// The status of the last update, as Lambda spells it.
    pub last_update_status: Option<String>,
    /// The reserved concurrency, if any.
    pub reserved_concurrency: Option<i32>,
    /// The resource-based policy. Null if there is none.
    pub policy: Value,
}

/// The reads of the checks, in addition to those of provisioning.
#[async_trait]
pub trait Inspector: Platform {
    /// All user pools with the tag `poolkeeper:stack`.
    async fn user_pools_of_stacks(&self) -> Result<Vec<UserPool>, PlatformError>;

    /// A user pool by id.
    async fn observed_user_pool(&self, id: &str) -> Result<Option<ObservedUserPool>, PlatformError>;

    /// All app clients of a pool.
    async fn observed_clients(&self, user_pool_id: &str) -> Result<Vec<ObservedClient>, PlatformError>;

    /// The number of identity providers of a pool.
    async fn identity_provider_count(&self, user_pool_id: &str) -> Result<usize, PlatformError>;

    /// The identity pools that accept tokens of this user pool, without their [`ObservedIdentityPool::roles`].
    async fn observed_identity_pools(&self, user_pool_id: &str) -> Result<Vec<ObservedIdentityPool>, PlatformError>;

    /// A function by ARN.
    async fn function(&self, arn: &str) -> Result<Option<Function>, PlatformError>;
}
