//! The port for provisioning: user pools, app clients, identity pools, IAM policies and roles, and what `verify` needs.
//!
//! What is ours carries the tag [`TAG_KEY`] with the pool's name as its value. App clients and groups carry no tags: they are
//! ours when their pool is.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use time::OffsetDateTime;

use crate::retry::{Classified, ErrorClass};
use crate::secret::Secret;
use crate::spec::{
    Alias, AuthFlow, ClientKind, ClientSpec, CustomAttribute, MfaMode, PasswordPolicy, PoolAttributes, PoolName,
    SignInWith, Spec, Verifiable,
};
use crate::user_pool::directory::Directory;
use crate::user_pool::sessions::Sessions;

/// The key of the tag on everything that is ours. Its value is the pool's name.
pub const TAG_KEY: &str = "poolkeeper:pool";

/// A failed call to AWS.
#[derive(Debug, Error)]
#[error("{operation} {}", self.in_words())]
pub struct PlatformError {
    /// The operation, as AWS names it.
    pub operation: &'static str,
    /// What the failure means.
    pub class: ErrorClass,
    /// AWS's id of the request.
    pub request_id: Option<String>,
    /// What AWS said.
    pub source: Box<dyn Error + Send + Sync>,
}

impl PlatformError {
    fn in_words(&self) -> &'static str {
        match self.class {
            ErrorClass::Forbidden => {
                "is not allowed; look whether the credentials are the right ones, and add the permission to whom they belong to"
            }
            ErrorClass::QuotaExceeded => {
                "ran into a quota of the account; delete what is not needed, or have it raised"
            }
            _ => "failed",
        }
    }
}

impl Classified for PlatformError {
    fn class(&self) -> ErrorClass {
        self.class
    }
}

/// What a spec decides about a user pool. Fields in the order and with the names of the spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserPoolState {
    /// Cannot be changed.
    pub sign_in: SignInWith,
    /// Cannot be changed.
    pub aliases: BTreeSet<Alias>,
    /// Cannot be changed.
    pub case_sensitive: bool,
    /// What Cognito verifies at sign-up.
    pub auto_verified: BTreeSet<Verifiable>,
    /// What a password must have.
    pub password_policy: PasswordPolicy,
    /// Whether users sign in with a second factor. [`Platform::set_mfa`] changes it.
    pub mfa: MfaMode,
    /// Whether people can sign themselves up.
    pub self_sign_up: bool,
    /// The trigger.
    pub pre_sign_up_function_arn: Option<String>,
    /// Whether AWS refuses to delete the pool.
    pub deletion_protection: bool,
}

impl UserPoolState {
    /// The fields that can only be given at creation.
    pub const IMMUTABLE: [&'static str; 3] = ["sign_in", "aliases", "case_sensitive"];

    /// The field that [`Platform::set_mfa`] changes.
    pub const MFA: &'static str = "mfa";

    /// What the spec wants.
    #[must_use]
    pub fn wanted(spec: &Spec) -> Self {
        Self {
            sign_in: spec.sign_in,
            aliases: spec.aliases.clone(),
            case_sensitive: spec.case_sensitive,
            auto_verified: spec.auto_verified.clone(),
            password_policy: spec.password_policy,
            mfa: spec.mfa,
            self_sign_up: spec.self_sign_up,
            pre_sign_up_function_arn: spec.pre_sign_up_function_arn.clone(),
            deletion_protection: spec.deletion_protection,
        }
    }
}

/// A user pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPool {
    /// E.g. `eu-west-1_aBcDeFgHi`.
    pub id: String,
    /// The ARN.
    pub arn: String,
    /// The issuer of its tokens.
    pub issuer: String,
    /// The role that Cognito sends text messages with. An update passes it.
    pub sms_role_arn: Option<String>,
    /// What a spec decides about it.
    pub state: UserPoolState,
    /// The custom attributes that it has.
    pub custom_attributes: Vec<CustomAttribute>,
    /// The attributes that its schema requires of every user.
    pub required_attributes: BTreeSet<String>,
    /// Its tags whose keys begin with `poolkeeper:`.
    pub tags: BTreeMap<String, String>,
    /// When it was created.
    pub created_at: Option<OffsetDateTime>,
}

/// The first members of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPage {
    /// Their user names, at most 60.
    pub usernames: Vec<String>,
    /// Whether these are all members.
    pub is_last: bool,
}

/// What a spec decides about an app client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientState {
    /// How the client may sign people in.
    pub auth_flows: BTreeSet<AuthFlow>,
    /// How long an access token lives.
    pub access_token_minutes: u32,
    /// How long an ID token lives.
    pub id_token_minutes: u32,
    /// How long a refresh token lives.
    pub refresh_token_days: u32,
    /// Whether a sign-in with an unknown name looks like one with a wrong password.
    pub prevent_user_existence_errors: bool,
    /// The attributes that users can write through the client.
    pub write_attributes: BTreeSet<String>,
    /// The attributes that the client can read.
    pub read_attributes: BTreeSet<String>,
}

impl ClientState {
    /// What the spec wants of the client of this kind.
    #[must_use]
    pub fn wanted(kind: ClientKind, spec: &ClientSpec, pool: &PoolAttributes) -> Self {
        Self {
            auth_flows: if spec.auth_flows.is_empty() { kind.default_auth_flows() } else { spec.auth_flows.clone() },
            access_token_minutes: spec.access_token_minutes,
            id_token_minutes: spec.id_token_minutes,
            refresh_token_days: spec.refresh_token_days,
            prevent_user_existence_errors: spec.prevent_user_existence_errors,
            write_attributes: spec.writable(pool),
            read_attributes: spec.readable(pool),
        }
    }
}

/// An app client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppClient {
    /// The client id.
    pub id: String,
    /// Whether it has a secret. Cannot be changed.
    pub has_secret: bool,
    /// What a spec decides about it.
    pub state: ClientState,
    /// When it was created.
    pub created_at: Option<OffsetDateTime>,
}

/// A user pool's client that an identity pool takes tokens from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Provider {
    /// The user pool.
    pub user_pool_id: String,
    /// The app client.
    pub client_id: String,
    /// Whether the identity pool asks the user pool if the user was signed out or disabled.
    pub server_side_token_check: bool,
}

/// What a spec decides about an identity pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IdentityPoolState {
    /// Whether people who are not signed in get an identity.
    pub guests: bool,
    /// Whether the basic (classic) flow is allowed.
    pub classic_flow: bool,
    /// Where tokens may come from.
    pub providers: BTreeSet<Provider>,
}

/// An identity pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityPool {
    /// E.g. `eu-west-1:0e6f3f3b-…`.
    pub id: String,
    /// What a spec decides about it.
    pub state: IdentityPoolState,
}

/// An IAM role or policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IamEntity {
    /// The ARN.
    pub arn: String,
    /// The trust policy of a role, the default version of a policy.
    pub document: Value,
    /// The ARN of the permissions boundary of a role.
    pub boundary: Option<String>,
    /// The value of our tag, where it has one.
    pub tagged: Option<String>,
    /// When it was created, where that is known.
    pub created_at: Option<OffsetDateTime>,
}

/// Temporary AWS credentials of a signed-in person.
#[derive(Debug, Clone)]
pub struct PersonCredentials {
    /// The key's id.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: Secret,
    /// The session token.
    pub session_token: Secret,
}

/// AWS, as far as provisioning needs it, in one region and account.
///
/// Creates are sent once: where the answer is lost they MUST fail with [`ErrorClass::OutcomeUnknown`], and the caller looks.
/// Deletes MUST fail with [`ErrorClass::NotFound`] for what is gone. Everything else is safe to repeat.
#[async_trait]
pub trait Platform: Send + Sync {
    /// The region.
    fn region(&self) -> &str;

    /// The number of the account.
    async fn account_id(&self) -> Result<String, PlatformError>;

    /// All user pools of this name that carry our tag.
    async fn user_pools(&self, name: &PoolName) -> Result<Vec<UserPool>, PlatformError>;

    /// Creates a user pool with the tag [`TAG_KEY`] and these tags, without MFA.
    async fn create_user_pool(
        &self,
        name: &PoolName,
        state: &UserPoolState,
        custom_attributes: &[CustomAttribute],
        tags: &BTreeMap<String, String>,
    ) -> Result<UserPool, PlatformError>;

    /// Sets tags of the user pool with this ARN beside [`TAG_KEY`], and keeps its other tags.
    async fn tag_user_pool(
        &self,
        arn: &str,
        name: &PoolName,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), PlatformError>;

    /// Changes what can be changed, except MFA, and keeps every other field that the service returns.
    async fn update_user_pool(&self, id: &str, state: &UserPoolState) -> Result<(), PlatformError>;

    /// Sets whether users sign in with a second factor, and keeps every factor that Cognito lets a pool keep.
    async fn set_mfa(&self, id: &str, mfa: MfaMode) -> Result<(), PlatformError>;

    /// The attributes that the identity providers of a user pool map.
    async fn mapped_attributes(&self, user_pool_id: &str) -> Result<BTreeSet<String>, PlatformError>;

    /// Adds custom attributes.
    async fn add_custom_attributes(&self, id: &str, attributes: &[CustomAttribute]) -> Result<(), PlatformError>;

    /// Deletes a user pool with its clients, groups and users.
    async fn delete_user_pool(&self, id: &str) -> Result<(), PlatformError>;

    /// All app clients of this name in a pool.
    async fn clients(&self, user_pool_id: &str, name: &str) -> Result<Vec<AppClient>, PlatformError>;

    /// Creates an app client.
    async fn create_client(
        &self,
        user_pool_id: &str,
        name: &str,
        with_secret: bool,
        state: &ClientState,
    ) -> Result<AppClient, PlatformError>;

    /// Changes an app client, and keeps every other field that the service returns.
    async fn update_client(&self, user_pool_id: &str, id: &str, state: &ClientState) -> Result<(), PlatformError>;

    /// Deletes an app client.
    async fn delete_client(&self, user_pool_id: &str, id: &str) -> Result<(), PlatformError>;

    /// The names of all groups of a pool.
    async fn groups(&self, user_pool_id: &str) -> Result<BTreeSet<String>, PlatformError>;

    /// The first members of a group. MUST answer [`ErrorClass::NotFound`] for a group that does not exist.
    async fn members(&self, user_pool_id: &str, group: &str) -> Result<MemberPage, PlatformError>;

    /// Creates a group.
    async fn create_group(&self, user_pool_id: &str, name: &str) -> Result<(), PlatformError>;

    /// All identity pools of this name that carry our tag.
    async fn identity_pools(&self, name: &PoolName) -> Result<Vec<IdentityPool>, PlatformError>;

    /// Creates an identity pool with our tag.
    async fn create_identity_pool(
        &self,
        name: &PoolName,
        state: &IdentityPoolState,
    ) -> Result<IdentityPool, PlatformError>;

    /// Changes an identity pool, and keeps every other field that the service returns.
    async fn update_identity_pool(&self, id: &str, state: &IdentityPoolState) -> Result<(), PlatformError>;

    /// Deletes an identity pool with its identities.
    async fn delete_identity_pool(&self, id: &str) -> Result<(), PlatformError>;

    /// The ARN of the role that signed-in people get from an identity pool.
    async fn authenticated_role(&self, identity_pool_id: &str) -> Result<Option<String>, PlatformError>;

    /// Sets the role that signed-in people get, and keeps every other role and mapping.
    async fn set_authenticated_role(&self, identity_pool_id: &str, role_arn: &str) -> Result<(), PlatformError>;

    /// A policy of this account by ARN.
    async fn policy(&self, arn: &str) -> Result<Option<IamEntity>, PlatformError>;

    /// Creates a policy with our tag.
    async fn create_policy(&self, name: &str, document: &Value, pool: &PoolName) -> Result<IamEntity, PlatformError>;

    /// Makes a new default version of a policy, and makes room for it by deleting the oldest.
    async fn update_policy(&self, arn: &str, document: &Value) -> Result<(), PlatformError>;

    /// Deletes a policy with all its versions.
    async fn delete_policy(&self, arn: &str) -> Result<(), PlatformError>;

    /// A role by name.
    async fn role(&self, name: &str) -> Result<Option<IamEntity>, PlatformError>;

    /// Creates a role with the tag [`TAG_KEY`] and this permissions boundary.
    async fn create_role(
        &self,
        name: &str,
        trust: &Value,
        pool: &PoolName,
        boundary: Option<&str>,
    ) -> Result<IamEntity, PlatformError>;

    /// Sets the permissions boundary of a role.
    async fn set_boundary(&self, role_name: &str, policy_arn: &str) -> Result<(), PlatformError>;

    /// Replaces the trust policy of a role.
    async fn update_trust(&self, role_name: &str, trust: &Value) -> Result<(), PlatformError>;

    /// The ARNs of the policies that are attached to a role.
    async fn attached_policies(&self, role_name: &str) -> Result<BTreeSet<String>, PlatformError>;

    /// Attaches a policy to a role.
    async fn attach_policy(&self, role_name: &str, policy_arn: &str) -> Result<(), PlatformError>;

    /// Detaches a policy from a role.
    async fn detach_policy(&self, role_name: &str, policy_arn: &str) -> Result<(), PlatformError>;

    /// Deletes a role that has no policies attached.
    async fn delete_role(&self, name: &str) -> Result<(), PlatformError>;

    /// The identity of a signed-in person, made where there is none.
    async fn identity(
        &self,
        identity_pool_id: &str,
        user_pool_id: &str,
        id_token: &Secret,
    ) -> Result<String, PlatformError>;

    /// AWS credentials for an identity. MUST fail with [`ErrorClass::RoleNotAssumable`] while the role cannot be taken.
    async fn credentials(
        &self,
        identity_id: &str,
        user_pool_id: &str,
        id_token: &Secret,
    ) -> Result<PersonCredentials, PlatformError>;

    /// The ARN that AWS knows the owner of these credentials by.
    async fn caller_arn(&self, credentials: &PersonCredentials) -> Result<String, PlatformError>;

    /// Deletes an identity.
    async fn delete_identity(&self, identity_id: &str) -> Result<(), PlatformError>;

    /// The code that an authenticator app with this Base32 secret shows at a time (RFC 6238). `None` if the secret is malformed.
    fn authenticator_code(&self, secret: &Secret, at: OffsetDateTime) -> Option<Secret>;

    /// The users of a pool.
    fn directory(&self, user_pool_id: &str) -> Box<dyn Directory>;

    /// Sign-up and sign-in through a client of a pool.
    fn sessions(&self, user_pool_id: &str, client_id: &str) -> Box<dyn Sessions>;
}
