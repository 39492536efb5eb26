//! The port for provisioning: user pools, app clients, identity pools, IAM policies and roles, and the calls of
//! `verify`.
//!
//! Resources of a pool have the tag [`TAG_KEY`] with the pool's name. App clients and groups have no tags and belong to
//! their user pool.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use time::OffsetDateTime;

use crate::retry::{Classified, ErrorClass};
use crate::secret::Secret;
use crate::spec::{
    Alias, AuthFlow, ClientKind, ClientSpec, CustomAttribute, MfaMode, NO_FUNCTION, PasswordPolicy, PoolAttributes,
    PoolName, SignInWith, Spec, Verifiable,
};
use crate::user_pool::directory::Directory;
use crate::user_pool::sessions::Sessions;

/// The tag key of the resources of a pool. The value is the pool's name.
pub const TAG_KEY: &str = "poolkeeper:pool";

/// A failed call to AWS.
#[derive(Debug, Error)]
#[error("{operation} {}", self.explanation())]
pub struct PlatformError {
    /// The name of the AWS operation.
    pub operation: &'static str,
    /// The class of the error.
    pub class: ErrorClass,
    /// The AWS request id.
    pub request_id: Option<String>,
    /// The error from AWS.
    pub source: Box<dyn Error + Send + Sync>,
}

impl PlatformError {
    fn explanation(&self) -> &'static str {
        match self.class {
            ErrorClass::Forbidden => {
                "is not allowed; check that these are the intended credentials, and grant them the permission"
            }
            ErrorClass::QuotaExceeded => {
                "exceeded an account quota; delete unused resources, or request a quota increase"
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

/// The state of a user pool that a spec sets. The fields have the order and names of the spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserPoolState {
    /// Cannot be changed.
    pub sign_in: SignInWith,
    /// Cannot be changed.
    pub aliases: BTreeSet<Alias>,
    /// Cannot be changed.
    pub case_sensitive: bool,
    /// The attributes that Cognito verifies at sign-up.
    pub auto_verified: BTreeSet<Verifiable>,
    /// The password policy.
    pub password_policy: PasswordPolicy,
    /// Whether users sign in with a second factor. [`Platform::set_mfa`] sets it.
    pub mfa: MfaMode,
    /// Whether users can sign themselves up.
    pub self_sign_up: bool,
    /// The function of the pre-sign-up trigger.
    pub pre_sign_up_function_arn: Option<String>,
    /// The function of the user migration trigger.
    pub user_migration_function_arn: Option<String>,
    /// Whether deletion protection is enabled.
    pub deletion_protection: bool,
}

impl UserPoolState {
    /// The fields that can only be set at creation.
    pub const IMMUTABLE: [&'static str; 3] = ["sign_in", "aliases", "case_sensitive"];

    /// The field that [`Platform::set_mfa`] sets.
    pub const MFA: &'static str = "mfa";

    /// The desired state of a new pool.
    #[must_use]
    pub fn desired(spec: &Spec) -> Self {
        Self {
            sign_in: spec.sign_in,
            aliases: spec.aliases.clone(),
            case_sensitive: spec.case_sensitive,
            auto_verified: spec.auto_verified.clone(),
            password_policy: spec.password_policy,
            mfa: spec.mfa,
            self_sign_up: spec.self_sign_up,
            pre_sign_up_function_arn: spec.pre_sign_up_function_arn.clone(),
            user_migration_function_arn: spec.user_migration_function_arn.clone().filter(|arn| arn != NO_FUNCTION),
            deletion_protection: spec.deletion_protection,
        }
    }

    /// The desired state of an existing pool. Fields that the spec leaves unchanged have their current value.
    #[must_use]
    pub fn desired_after(&self, spec: &Spec) -> Self {
        let mut desired = Self::desired(spec);
        if spec.user_migration_function_arn.is_none() {
            desired.user_migration_function_arn.clone_from(&self.user_migration_function_arn);
        }
        desired
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
    /// The role with which Cognito sends text messages. An update passes this role to Cognito.
    pub sms_role_arn: Option<String>,
    /// The state that a spec sets.
    pub state: UserPoolState,
    /// The custom attributes.
    pub custom_attributes: Vec<CustomAttribute>,
    /// The attributes that the schema requires of every user.
    pub required_attributes: BTreeSet<String>,
    /// The tags whose keys start with `poolkeeper:`.
    pub tags: BTreeMap<String, String>,
    /// The time of creation.
    pub created_at: Option<OffsetDateTime>,
}

/// The first page of members of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPage {
    /// The user names of at most 60 members.
    pub usernames: Vec<String>,
    /// Whether the group has no further members.
    pub is_last: bool,
}

/// The state of an app client that a spec sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientState {
    /// The authentication flows of the client.
    pub auth_flows: BTreeSet<AuthFlow>,
    /// The validity of access tokens, in minutes.
    pub access_token_minutes: u32,
    /// The validity of ID tokens, in minutes.
    pub id_token_minutes: u32,
    /// The validity of refresh tokens, in days.
    pub refresh_token_days: u32,
    /// Whether Cognito returns the same error for an unknown user as for a wrong password.
    pub prevent_user_existence_errors: bool,
    /// Whether the client supports token revocation. Otherwise its tokens have no claim `origin_jti`, so that services
    /// that check revocations deny them
    /// ([AWS](https://docs.aws.amazon.com/cognito/latest/developerguide/token-revocation.html)).
    pub token_revocation: bool,
    /// The attributes that users can write through the client.
    pub write_attributes: BTreeSet<String>,
    /// The attributes that the client can read.
    pub read_attributes: BTreeSet<String>,
}

impl ClientState {
    /// The desired state of the client of this kind.
    #[must_use]
    pub fn desired(kind: ClientKind, spec: &ClientSpec, pool: &PoolAttributes) -> Self {
        Self {
            auth_flows: if spec.auth_flows.is_empty() { kind.default_auth_flows() } else { spec.auth_flows.clone() },
            access_token_minutes: spec.access_token_minutes,
            id_token_minutes: spec.id_token_minutes,
            refresh_token_days: spec.refresh_token_days,
            prevent_user_existence_errors: spec.prevent_user_existence_errors,
            token_revocation: true,
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
    /// Whether the client has a secret. Cannot be changed.
    pub has_secret: bool,
    /// The state that a spec sets.
    pub state: ClientState,
    /// The time of creation.
    pub created_at: Option<OffsetDateTime>,
}

/// An app client whose tokens an identity pool accepts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Provider {
    /// The user pool.
    pub user_pool_id: String,
    /// The app client.
    pub client_id: String,
    /// Whether the identity pool checks with the user pool that the user is not signed out or disabled.
    pub server_side_token_check: bool,
}

/// The state of an identity pool that a spec sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IdentityPoolState {
    /// Whether unauthenticated users receive an identity.
    pub guests: bool,
    /// Whether the basic (classic) flow is allowed.
    pub classic_flow: bool,
    /// The accepted token providers.
    pub providers: BTreeSet<Provider>,
}

/// An identity pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityPool {
    /// E.g. `eu-west-1:0e6f3f3b-…`.
    pub id: String,
    /// The state that a spec sets.
    pub state: IdentityPoolState,
}

/// An IAM role or policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IamEntity {
    /// The ARN.
    pub arn: String,
    /// The trust policy of a role, or the default version of a policy.
    pub document: Value,
    /// The ARN of the permissions boundary of a role.
    pub boundary: Option<String>,
    /// The value of the tag [`TAG_KEY`], if any.
    pub tagged: Option<String>,
    /// The time of creation, if known.
    pub created_at: Option<OffsetDateTime>,
}

/// Temporary AWS credentials of an authenticated user.
#[derive(Debug, Clone)]
pub struct TemporaryCredentials {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token.
    pub session_token: Secret,
}

/// The AWS operations of provisioning, in one Region and account.
///
/// Create calls are sent once. They MUST fail with [`ErrorClass::OutcomeUnknown`] if the response is lost, so that the
/// caller reads the current state. Delete calls MUST fail with [`ErrorClass::NotFound`] if the resource does not exist.
/// All other calls are safe to repeat.
#[async_trait]
pub trait Platform: Send + Sync {
    /// The Region.
    fn region(&self) -> &str;

    /// The account id.
    async fn account_id(&self) -> Result<String, PlatformError>;

    /// All user pools with this name and the tag [`TAG_KEY`].
    async fn user_pools(&self, name: &PoolName) -> Result<Vec<UserPool>, PlatformError>;

    /// Creates a user pool with the tag [`TAG_KEY`] and these tags, without MFA.
    async fn create_user_pool(
        &self,
        name: &PoolName,
        state: &UserPoolState,
        custom_attributes: &[CustomAttribute],
        tags: &BTreeMap<String, String>,
    ) -> Result<UserPool, PlatformError>;

    /// Sets these tags and [`TAG_KEY`] on the user pool with this ARN, and keeps its other tags.
    async fn tag_user_pool(
        &self,
        arn: &str,
        name: &PoolName,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), PlatformError>;

    /// Updates the mutable fields except MFA, and keeps every other field that the service returns.
    async fn update_user_pool(&self, id: &str, state: &UserPoolState) -> Result<(), PlatformError>;

    /// Sets the MFA mode. Preserves passkeys and, unless MFA is off, the SMS and e-mail factors.
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

    /// Updates an app client, and keeps every other field that the service returns.
    async fn update_client(&self, user_pool_id: &str, id: &str, state: &ClientState) -> Result<(), PlatformError>;

    /// Deletes an app client.
    async fn delete_client(&self, user_pool_id: &str, id: &str) -> Result<(), PlatformError>;

    /// The names of all groups of a pool.
    async fn groups(&self, user_pool_id: &str) -> Result<BTreeSet<String>, PlatformError>;

    /// The first page of members of a group. MUST fail with [`ErrorClass::NotFound`] if the group does not exist.
    async fn members(&self, user_pool_id: &str, group: &str) -> Result<MemberPage, PlatformError>;

    /// Creates a group.
    async fn create_group(&self, user_pool_id: &str, name: &str) -> Result<(), PlatformError>;

    /// All identity pools with this name and the tag [`TAG_KEY`].
    async fn identity_pools(&self, name: &PoolName) -> Result<Vec<IdentityPool>, PlatformError>;

    /// Creates an identity pool with the tag [`TAG_KEY`].
    async fn create_identity_pool(
        &self,
        name: &PoolName,
        state: &IdentityPoolState,
    ) -> Result<IdentityPool, PlatformError>;

    /// Updates an identity pool, and keeps every other field that the service returns.
    async fn update_identity_pool(&self, id: &str, state: &IdentityPoolState) -> Result<(), PlatformError>;

    /// Deletes an identity pool with its identities.
    async fn delete_identity_pool(&self, id: &str) -> Result<(), PlatformError>;

    /// The ARN of the role of authenticated users of an identity pool.
    async fn authenticated_role(&self, identity_pool_id: &str) -> Result<Option<String>, PlatformError>;

    /// Sets the role of authenticated users, and keeps every other role and mapping.
    async fn set_authenticated_role(&self, identity_pool_id: &str, role_arn: &str) -> Result<(), PlatformError>;

    /// A policy of this account by ARN.
    async fn policy(&self, arn: &str) -> Result<Option<IamEntity>, PlatformError>;

    /// Creates a policy with the tag [`TAG_KEY`].
    async fn create_policy(&self, name: &str, document: &Value, pool: &PoolName) -> Result<IamEntity, PlatformError>;

    /// Creates a new default version of a policy, and deletes the oldest version if there are too many.
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

    /// The identity of an authenticated user. Cognito creates it if it does not exist.
    async fn identity(
        &self,
        identity_pool_id: &str,
        user_pool_id: &str,
        id_token: &Secret,
    ) -> Result<String, PlatformError>;

    /// AWS credentials of an identity. MUST fail with [`ErrorClass::RoleNotAssumable`] while the role cannot be
    /// assumed.
    async fn credentials(
        &self,
        identity_id: &str,
        user_pool_id: &str,
        id_token: &Secret,
    ) -> Result<TemporaryCredentials, PlatformError>;

    /// The caller ARN of these credentials, from STS.
    async fn caller_arn(&self, credentials: &TemporaryCredentials) -> Result<String, PlatformError>;

    /// Deletes an identity.
    async fn delete_identity(&self, identity_id: &str) -> Result<(), PlatformError>;

    /// The TOTP code (RFC 6238) of this Base32 secret at this time. `None` if the secret is malformed.
    fn authenticator_code(&self, secret: &Secret, at: OffsetDateTime) -> Option<Secret>;

    /// The users of a pool.
    fn directory(&self, user_pool_id: &str) -> Box<dyn Directory>;

    /// Sign-up and sign-in through a client of a pool.
    fn sessions(&self, user_pool_id: &str, client_id: &str) -> Box<dyn Sessions>;
}
