//! The spec: the desired state of one user pool and its app clients, identity pool, role and groups.
//!
//! Defaults are secure. Unknown fields are rejected. Booleans and numbers are also accepted as strings, because
//! CloudFormation sends every scalar as a string.

mod check;
mod client_attributes;
mod from_text;
mod mfa;
#[cfg(feature = "schema")]
mod schema;
mod statement;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};
use thiserror::Error;

use crate::user_pool::user::CREATION_ATTRIBUTE;
pub use client_attributes::{PoolAttributes, STANDARD_ATTRIBUTES};
use from_text::{flag, number};
pub use mfa::MfaMode;
#[cfg(feature = "schema")]
pub use schema::schema;

/// The desired state of a user pool and its resources.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each a field of the spec")]
pub struct Spec {
    /// The name of the pool, which is also part of the names of its resources.
    pub name: PoolName,
    /// What users sign in with. Cannot be changed later.
    #[serde(default)]
    pub sign_in: SignInWith,
    /// What users can sign in with besides the user name. Requires `sign_in: username`. Cannot be changed later.
    #[serde(default)]
    pub aliases: BTreeSet<Alias>,
    /// What Cognito verifies with a code at sign-up.
    #[serde(default)]
    pub auto_verified: BTreeSet<Verifiable>,
    /// Whether user names are case-sensitive. Cannot be changed later.
    #[serde(default, deserialize_with = "flag")]
    pub case_sensitive: bool,
    /// The password policy.
    #[serde(default)]
    pub password_policy: PasswordPolicy,
    /// Custom attributes, without the prefix `custom:`. Can be added later, but not changed or removed.
    #[serde(default)]
    pub custom_attributes: Vec<CustomAttribute>,
    /// Whether users sign in with a second factor.
    #[serde(default)]
    pub mfa: MfaMode,
    /// Whether users can sign up themselves.
    #[serde(default, deserialize_with = "flag")]
    pub self_sign_up: bool,
    /// The app clients.
    #[serde(default)]
    pub clients: Clients,
    /// The identity pool.
    #[serde(default)]
    pub identity_pool: IdentityPoolSpec,
    /// The AWS permissions of authenticated users. If empty, the policy has one statement, which grants nothing beyond
    /// what every caller can do.
    #[serde(default)]
    pub authenticated_policy: Vec<Statement>,
    /// The ARN of the IAM policy that is the permissions boundary of the role of authenticated users. If omitted, the
    /// boundary is left unchanged.
    #[serde(default)]
    pub permissions_boundary: Option<String>,
    /// The ARN of the pre-sign-up trigger.
    #[serde(default)]
    pub pre_sign_up_function_arn: Option<String>,
    /// The ARN of the user migration trigger, or `none`. If omitted, the trigger is left unchanged.
    #[serde(default)]
    pub user_migration_function_arn: Option<String>,
    /// Groups to create if they do not exist.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(inner(length(min = 1, max = 128), regex(pattern = "^\\S+$"))))]
    pub groups: BTreeSet<String>,
    /// The e-mail address of the first administrator, who is created in the group `admins`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(email))]
    pub first_admin: Option<String>,
    /// Whether deletion protection is enabled.
    #[serde(default = "default_true", deserialize_with = "flag")]
    pub deletion_protection: bool,
    /// Whether `destroy` deletes the resources.
    #[serde(default)]
    pub on_delete: OnDelete,
    /// Whether `apply` verifies the result by a sign-in.
    #[serde(default = "default_true", deserialize_with = "flag")]
    pub verify: bool,
}

/// The value of a trigger's field that removes the trigger.
pub const NO_FUNCTION: &str = "none";

/// The prefix of custom attribute names.
pub const CUSTOM: &str = "custom:";

/// The group of the first administrator.
pub const ADMINS: &str = "admins";

/// The name of a pool: 1 to 36 letters, digits and hyphens, with single dots between them.
///
/// The name of a stack's own pool has no dot; `NAME.suffix` is a further pool of the stack `NAME`. The limit keeps
/// `poolkeeper.NAME.REGION` within the 64 characters of an IAM role name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("pattern" = "^[A-Za-z0-9-]+([.][A-Za-z0-9-]+)*$", "maxLength" = 36)))]
#[serde(try_from = "String", into = "String")]
pub struct PoolName(String);

impl PoolName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name `user-pool`, for a pool whose name has no allowed characters.
impl Default for PoolName {
    fn default() -> Self {
        Self("user-pool".to_owned())
    }
}

impl TryFrom<String> for PoolName {
    type Error = SpecError;

    fn try_from(text: String) -> Result<Self, SpecError> {
        let is_label =
            |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if text.len() <= 36 && text.split('.').all(is_label) {
            Ok(Self(text))
        } else {
            let problem = "must be 1–36 letters, digits and hyphens, with single dots between them".to_owned();
            Err(SpecError { field: "name", problem })
        }
    }
}

impl From<PoolName> for String {
    fn from(name: PoolName) -> Self {
        name.0
    }
}

impl fmt::Display for PoolName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What users sign in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SignInWith {
    /// The e-mail address is the user name.
    #[default]
    Email,
    /// A separate user name.
    Username,
}

/// An attribute that users can sign in with besides the user name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Alias {
    /// The verified e-mail address.
    Email,
    /// The verified phone number.
    PhoneNumber,
    /// The preferred user name.
    PreferredUsername,
}

/// An attribute that Cognito can verify with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verifiable {
    /// The e-mail address.
    Email,
    /// The phone number. Each verification costs an SMS.
    PhoneNumber,
}

/// The password policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "four independent switches of Cognito's password policy")]
pub struct PasswordPolicy {
    /// The minimum length, 6 to 99 characters.
    #[serde(deserialize_with = "number")]
    #[cfg_attr(feature = "schema", schemars(range(min = 6, max = 99)))]
    pub minimum_length: u32,
    /// Whether a lowercase letter is required.
    #[serde(deserialize_with = "flag")]
    pub require_lowercase: bool,
    /// Whether an uppercase letter is required.
    #[serde(deserialize_with = "flag")]
    pub require_uppercase: bool,
    /// Whether a digit is required.
    #[serde(deserialize_with = "flag")]
    pub require_numbers: bool,
    /// Whether a symbol is required.
    #[serde(deserialize_with = "flag")]
    pub require_symbols: bool,
    /// The validity of temporary passwords, 1 to 365 days.
    #[serde(deserialize_with = "number")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 365)))]
    pub temporary_password_validity_days: u32,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            minimum_length: 12,
            require_lowercase: true,
            require_uppercase: true,
            require_numbers: true,
            require_symbols: true,
            temporary_password_validity_days: 7,
        }
    }
}

/// A custom attribute. A name alone declares a mutable string.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "CustomAttributeText")]
pub struct CustomAttribute {
    /// The name, without `custom:`.
    pub name: String,
    /// The type of the attribute's values.
    #[serde(rename = "type")]
    pub kind: AttributeKind,
    /// Whether it can be changed after the user was created.
    pub mutable: bool,
}

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AttributeKind {
    /// Text.
    #[default]
    String,
    /// A whole number.
    Number,
    /// A type that a pool can have but a spec cannot declare.
    #[serde(skip_deserializing)]
    Other,
}

/// The name of a mutable string, or an attribute with its type.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CustomAttribute"))]
#[serde(untagged, expecting = "must be a name, or an object with `name`, `type` (string, number) and `mutable`")]
enum CustomAttributeText {
    /// The name, without `custom:`, of a mutable string.
    Name(#[cfg_attr(feature = "schema", schemars(length(min = 1, max = 20)))] String),
    /// An attribute with its type.
    Full(FullCustomAttribute),
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct FullCustomAttribute {
    /// The name, without `custom:`.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 20)))]
    name: String,
    /// The type of the attribute's values.
    #[serde(rename = "type", default)]
    kind: AttributeKind,
    /// Whether it can be changed after the user was created.
    #[serde(default = "default_true", deserialize_with = "flag")]
    mutable: bool,
}

impl From<CustomAttributeText> for CustomAttribute {
    fn from(text: CustomAttributeText) -> Self {
        match text {
            CustomAttributeText::Name(name) => Self { name, kind: AttributeKind::String, mutable: true },
            CustomAttributeText::Full(full) => Self { name: full.name, kind: full.kind, mutable: full.mutable },
        }
    }
}

/// The app clients. If `clients` is present, only the listed clients exist.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// The client for back ends, with a secret. The admin API uses it.
    #[serde(default)]
    pub backend: Option<ClientSpec>,
    /// The client for front ends, without a secret.
    #[serde(default)]
    pub web: Option<ClientSpec>,
}

impl Default for Clients {
    fn default() -> Self {
        Self { backend: Some(ClientSpec::default()), web: Some(ClientSpec::default()) }
    }
}

/// One app client.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ClientSpec {
    /// The authentication flows of the client. If empty, the client has the flows that its kind needs.
    pub auth_flows: BTreeSet<AuthFlow>,
    /// The validity of access tokens: 5 minutes to 1 day.
    #[serde(deserialize_with = "number")]
    #[cfg_attr(feature = "schema", schemars(range(min = 5, max = 1440)))]
    pub access_token_minutes: u32,
    /// The validity of ID tokens: 5 minutes to 1 day.
    #[serde(deserialize_with = "number")]
    #[cfg_attr(feature = "schema", schemars(range(min = 5, max = 1440)))]
    pub id_token_minutes: u32,
    /// The validity of refresh tokens: 1 day to 10 years.
    #[serde(deserialize_with = "number")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 3650)))]
    pub refresh_token_days: u32,
    /// Whether Cognito returns the same error for an unknown user as for a wrong password.
    #[serde(deserialize_with = "flag")]
    pub prevent_user_existence_errors: bool,
    /// The attributes that users can write through the client. If empty, the standard attributes. The attributes that
    /// the pool requires or maps from identity providers are always added.
    pub write_attributes: BTreeSet<String>,
    /// The attributes that the client can read. If empty, the standard attributes and all of `custom_attributes`.
    pub read_attributes: BTreeSet<String>,
}

impl Default for ClientSpec {
    fn default() -> Self {
        Self {
            auth_flows: BTreeSet::new(),
            access_token_minutes: 60,
            id_token_minutes: 60,
            refresh_token_days: 30,
            prevent_user_existence_errors: true,
            write_attributes: BTreeSet::new(),
            read_attributes: BTreeSet::new(),
        }
    }
}

/// An authentication flow, as Cognito spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuthFlow {
    /// The back end sends the password.
    AllowAdminUserPasswordAuth,
    /// Triggers define the challenges.
    AllowCustomAuth,
    /// The front end sends the password.
    AllowUserPasswordAuth,
    /// The front end proves that it knows the password, without sending the password (SRP).
    AllowUserSrpAuth,
    /// The user chooses among the factors that the pool offers.
    AllowUserAuth,
    /// The front end or back end sends a refresh token and receives new tokens.
    AllowRefreshTokenAuth,
}

/// What an app client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum ClientKind {
    /// For back ends, with a secret.
    Backend,
    /// For front ends, without a secret.
    Web,
}

impl ClientKind {
    /// All kinds.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in resource names and results.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The flows that a client of this kind needs.
    #[must_use]
    pub fn default_auth_flows(self) -> BTreeSet<AuthFlow> {
        match self {
            Self::Backend => BTreeSet::from([AuthFlow::AllowAdminUserPasswordAuth, AuthFlow::AllowRefreshTokenAuth]),
            Self::Web => {
                BTreeSet::from([AuthFlow::AllowUserSrpAuth, AuthFlow::AllowUserAuth, AuthFlow::AllowRefreshTokenAuth])
            }
        }
    }
}

/// The identity pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct IdentityPoolSpec {
    /// Whether unauthenticated users receive an identity.
    #[serde(deserialize_with = "flag")]
    pub guests: bool,
    /// Whether the basic (classic) flow is allowed, in which the client chooses the role.
    #[serde(deserialize_with = "flag")]
    pub classic_flow: bool,
    /// Whether the identity pool checks with the user pool that the user was not signed out or disabled.
    #[serde(deserialize_with = "flag")]
    pub server_side_token_check: bool,
}

impl Default for IdentityPoolSpec {
    fn default() -> Self {
        Self { guests: false, classic_flow: false, server_side_token_check: true }
    }
}

/// A statement of the policy of authenticated users. Its effect is always `Allow`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// IAM actions, such as `s3:GetObject`, without wildcards. Actions of account, iam, organizations and sts are
    /// rejected.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub actions: Vec<String>,
    /// ARNs that name a resource. A wildcard is allowed only after the complete name of a resource that contains other
    /// resources.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub resources: Vec<String>,
}

/// Whether `destroy` deletes the resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnDelete {
    /// Retains all resources, so that deleting a stack does not delete users.
    #[default]
    Retain,
    /// Deletes the resources that this pool owns.
    Delete,
}

fn default_true() -> bool {
    true
}

/// A wrong value in a spec.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("spec.{field}: {problem}")]
pub struct SpecError {
    /// The path of the field.
    pub field: &'static str,
    /// What is wrong, and what was expected.
    pub problem: String,
}

impl Spec {
    /// The declared clients with their kinds.
    pub fn clients(&self) -> impl Iterator<Item = (ClientKind, &ClientSpec)> {
        let backend = self.clients.backend.iter().map(|client| (ClientKind::Backend, client));
        let web = self.clients.web.iter().map(|client| (ClientKind::Web, client));
        backend.chain(web)
    }

    /// The user name of the first administrator: the address in a pool with e-mail sign-in, otherwise `admin`, because
    /// a user name must not have the form of an address if e-mail is an alias.
    #[must_use]
    pub fn first_admin_username(&self) -> Option<&str> {
        let address = self.first_admin.as_deref()?;
        Some(match self.sign_in {
            SignInWith::Email => address,
            SignInWith::Username => "admin",
        })
    }

    /// All custom attributes of the pool: the declared ones and the reserved [`CREATION_ATTRIBUTE`].
    #[must_use]
    pub fn all_custom_attributes(&self) -> Vec<CustomAttribute> {
        let reserved = CREATION_ATTRIBUTE.strip_prefix(CUSTOM).unwrap_or(CREATION_ATTRIBUTE);
        let reserved = CustomAttribute { name: reserved.to_owned(), kind: AttributeKind::String, mutable: false };
        self.custom_attributes.iter().cloned().chain([reserved]).collect()
    }

    /// All groups to create: the declared ones, and [`ADMINS`] if there is a first administrator.
    #[must_use]
    pub fn all_groups(&self) -> BTreeSet<&str> {
        let admins = self.first_admin.is_some().then_some(ADMINS);
        self.groups.iter().map(String::as_str).chain(admins).collect()
    }
}

#[cfg(test)]
mod tests;
