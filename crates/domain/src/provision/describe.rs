//! Describes an existing pool as a spec, for backups.

mod clients;

use std::collections::BTreeSet;

use serde_json::Value;

use self::clients::{client_spec, declared, kind_of, remove_undeclared};
use super::diff::pool_attributes;
use super::{ProvisionError, Provisioner};
use crate::backup::{DescribedClient, DescribedUserPool, PoolSource};
use crate::platform::{IdentityPool, IdentityPoolState, TAG_KEY, UserPoolState};
use crate::policy_document::{access_policy, check_trust};
use crate::retry::Situation;
use crate::spec::{
    AttributeKind, CUSTOM, ClientKind, Clients, IdentityPoolSpec, MfaMode, OnDelete, PoolName, Spec, Statement,
    Verifiable,
};
use crate::user_pool::user::CREATION_ATTRIBUTE;

/// The settings and resources of a user pool that are never read.
const NOT_READ: &str = "never in a backup: resource servers, branding of the managed login, rules of threat protection, \
                        log delivery, web ACLs, passkeys of users";

/// A pool as a spec.
pub(crate) struct Described {
    /// The name of the pool.
    pub(crate) name: String,
    /// The spec, without groups and first administrator.
    pub(crate) spec: Spec,
    /// All app clients, and whether the spec contains them.
    pub(crate) clients: Vec<(DescribedClient, bool)>,
    /// The settings that the spec does not contain.
    pub(crate) not_included: Vec<String>,
}

impl Provisioner<'_> {
    /// Describes a pool as a spec. `None` if the pool does not exist. Changes nothing.
    ///
    /// # Errors
    ///
    /// Returns an error if the pool or one of its resources cannot be read.
    pub(crate) async fn describe(
        &self,
        source: &dyn PoolSource,
        id: &str,
    ) -> Result<Option<Described>, ProvisionError> {
        let pool = self.call(Situation::Settled, || source.described_user_pool(id)).await?.value;
        let Some(pool) = pool else { return Ok(None) };
        let clients = self.call(Situation::Settled, || source.described_clients(id)).await?.value;
        let mapped = self.call(Situation::Settled, || source.mapped_attributes(id)).await?.value;
        let mut not_included = pool.other_settings.clone();
        let mut spec = pool_spec(&pool, &mut not_included);
        let attributes = pool_attributes(&spec, Some(&pool.pool), &mapped);
        let mut in_spec = BTreeSet::new();
        for client in &clients {
            let Some(kind) = kind_of(&spec.name, client).filter(|kind| declared(&spec, *kind).is_none()) else {
                not_included.push(format!("app client {}", client.name));
                continue;
            };
            let mut described = client_spec(kind, &client.client.state, &attributes);
            not_included.extend(client.other_settings.iter().map(|name| format!("app client {}: {name}", client.name)));
            for name in remove_undeclared(&spec, &mut described) {
                not_included.push(format!("app client {}: attribute {name}", client.name));
            }
            match kind {
                ClientKind::Backend => spec.clients.backend = Some(described),
                ClientKind::Web => spec.clients.web = Some(described),
            }
            in_spec.insert(client.client.id.clone());
        }
        if pool.pool.tags.get(TAG_KEY) == Some(&pool.name) {
            self.describe_access(source, &mut spec, id, &mut not_included).await?;
        } else {
            not_included.push("identity pools: Poolkeeper does not manage the user pool".to_owned());
        }
        not_included.push(NOT_READ.to_owned());
        spec.check()?;
        let clients = clients.into_iter().map(|client| {
            let is_in_spec = in_spec.contains(&client.client.id);
            (client, is_in_spec)
        });
        Ok(Some(Described { name: pool.name, spec, clients: clients.collect(), not_included }))
    }

    /// Adds the identity pool and the permissions of authenticated users. Only permissions that users have are added.
    async fn describe_access(
        &self,
        source: &dyn PoolSource,
        spec: &mut Spec,
        user_pool_id: &str,
        not_included: &mut Vec<String>,
    ) -> Result<(), ProvisionError> {
        let Some(identity_pool) = self.identity_pool(spec).await? else { return Ok(()) };
        let names = self.names(spec).await?;
        let other = self.call(Situation::Settled, || source.other_identity_pool_settings(&identity_pool.id)).await?;
        let prefix = format!("identity pool {}", identity_pool.id);
        not_included.extend(other.value.iter().map(|name| format!("{prefix}: {name}")));
        spec.identity_pool = identity_pool_spec(&identity_pool, user_pool_id, &prefix, not_included);

        let current =
            self.call(Situation::Settled, || self.platform.authenticated_role(&identity_pool.id)).await?.value;
        let role = self.call(Situation::Settled, || self.platform.role(&names.iam)).await?.value;
        let Some(role) = role.filter(|role| current.as_ref() == Some(&role.arn)) else {
            not_included.extend(current.map(|arn| format!("{prefix}: role {arn}")));
            return Ok(());
        };
        let is_provider = identity_pool.state.providers.iter().any(|provider| provider.user_pool_id == user_pool_id);
        // Without app clients, no user receives the permissions before or after a restore.
        if !is_provider && spec.clients().next().is_some() {
            not_included.push(format!("{prefix}: the user pool is not a provider"));
            return Ok(());
        }
        spec.permissions_boundary = role.boundary;
        if check_trust(&role.document, &identity_pool.id).is_err() {
            not_included.push(format!("trust policy of role {}", names.iam));
            return Ok(());
        }
        let own = names.policy_arn();
        let mut attached = self.call(Situation::Settled, || self.platform.attached_policies(&names.iam)).await?.value;
        let is_attached = attached.remove(&own);
        let inline = self.call(Situation::Settled, || source.inline_policies(&names.iam)).await?.value;
        not_included.extend(attached.iter().map(|arn| format!("policy {arn} of role {}", names.iam)));
        not_included.extend(inline.iter().map(|name| format!("inline policy {name} of role {}", names.iam)));
        if !is_attached {
            return Ok(());
        }
        // Role mappings and other policies can deny users what this policy allows.
        let is_alone = other.value.is_empty() && attached.is_empty() && inline.is_empty();
        let document =
            if is_alone { self.call(Situation::Settled, || self.platform.policy(&own)).await?.value } else { None };
        let default = access_policy(&[], &names.identity_pool_arn(&identity_pool.id));
        let statements = document.and_then(|policy| statements(&policy.document, &default));
        let described = statements.map(|statements| Spec { authenticated_policy: statements, ..spec.clone() });
        match described.filter(|described| described.check().is_ok()) {
            Some(described) => *spec = described,
            None => not_included.push(format!("policy {own} of role {}", names.iam)),
        }
        Ok(())
    }
}

/// The name in the spec. Other characters of a pool that Poolkeeper did not create become hyphens.
fn spec_name(name: &str) -> PoolName {
    let label = |label: &str| {
        let is_allowed = |character: char| character.is_ascii_alphanumeric() || character == '-';
        label.chars().map(|character| if is_allowed(character) { character } else { '-' }).collect::<String>()
    };
    let valid = PoolName::try_from(name.to_owned());
    let cut = || PoolName::try_from(label(name).chars().take(36).collect::<String>());
    valid.or_else(|_| cut()).unwrap_or_default()
}

fn pool_spec(described: &DescribedUserPool, not_included: &mut Vec<String>) -> Spec {
    let UserPoolState {
        sign_in,
        aliases,
        case_sensitive,
        mut auto_verified,
        mut password_policy,
        mfa,
        self_sign_up,
        pre_sign_up_function_arn,
        user_migration_function_arn,
        deletion_protection,
    } = described.pool.state.clone();
    if auto_verified.remove(&Verifiable::PhoneNumber) {
        not_included.push("AutoVerifiedAttributes: phone_number".to_owned());
    }
    if password_policy.temporary_password_validity_days == 0 {
        // Cognito's default.
        password_policy.temporary_password_validity_days = 7;
        not_included.push("AdminCreateUserConfig.UnusedAccountValidityDays".to_owned());
    }
    let mfa = match mfa {
        // Stricter, because a spec cannot distinguish optional and required MFA without TOTP.
        MfaMode::WithoutTotp => {
            not_included.push("MfaConfiguration: factors other than authenticator apps".to_owned());
            MfaMode::Required
        }
        MfaMode::Off | MfaMode::Optional | MfaMode::Required => mfa,
    };
    let creation = CREATION_ATTRIBUTE.strip_prefix(CUSTOM).unwrap_or(CREATION_ATTRIBUTE);
    let mut custom_attributes = Vec::new();
    for attribute in described.pool.custom_attributes.iter().filter(|attribute| attribute.name != creation) {
        let fits = attribute.kind != AttributeKind::Other
            && attribute.name.chars().count() <= 20
            && !attribute.name.eq_ignore_ascii_case(creation);
        if fits {
            custom_attributes.push(attribute.clone());
        } else {
            not_included.push(format!("attribute {CUSTOM}{}", attribute.name));
        }
    }
    custom_attributes.sort();
    let required = described.pool.required_attributes.iter();
    not_included.extend(required.map(|name| format!("attribute {name}: Required")));
    Spec {
        name: spec_name(&described.name),
        sign_in,
        aliases,
        auto_verified,
        case_sensitive,
        password_policy,
        custom_attributes,
        mfa,
        self_sign_up,
        clients: Clients { backend: None, web: None },
        identity_pool: IdentityPoolSpec::default(),
        authenticated_policy: Vec::new(),
        permissions_boundary: None,
        pre_sign_up_function_arn: pre_sign_up_function_arn.filter(|arn| !arn.is_empty()),
        user_migration_function_arn: user_migration_function_arn.filter(|arn| !arn.is_empty()),
        groups: BTreeSet::new(),
        first_admin: None,
        deletion_protection,
        on_delete: OnDelete::Retain,
        verify: false,
    }
}

fn identity_pool_spec(
    pool: &IdentityPool,
    user_pool_id: &str,
    prefix: &str,
    not_included: &mut Vec<String>,
) -> IdentityPoolSpec {
    let IdentityPoolState { guests, classic_flow, providers } = pool.state.clone();
    let (own, others): (Vec<_>, Vec<_>) =
        providers.into_iter().partition(|provider| provider.user_pool_id == user_pool_id);
    if !others.is_empty() {
        not_included.push(format!("{prefix}: other user pools"));
    }
    let checked = own.iter().filter(|provider| provider.server_side_token_check).count();
    if checked > 0 && checked < own.len() {
        not_included.push(format!("{prefix}: app clients without ServerSideTokenCheck"));
    }
    let server_side_token_check = own.is_empty() || checked > 0;
    IdentityPoolSpec { guests, classic_flow, server_side_token_check }
}

/// The statements of a policy, none for the default policy. `None` if a statement has other fields than those of a spec.
fn statements(document: &Value, default: &Value) -> Option<Vec<Statement>> {
    if document == default {
        return Some(Vec::new());
    }
    let statement = |statement: &Value| {
        let fields = statement.as_object()?;
        let known = ["Effect", "Action", "Resource", "Sid"];
        let is_known = fields.keys().all(|key| known.contains(&key.as_str()));
        let list = |key| match fields.get(key)? {
            Value::String(one) => Some(vec![one.clone()]),
            Value::Array(all) => all.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        let is_allow = fields.get("Effect").and_then(Value::as_str) == Some("Allow");
        (is_known && is_allow).then(|| Some(Statement { actions: list("Action")?, resources: list("Resource")? }))?
    };
    match document.get("Statement")? {
        Value::Array(all) => all.iter().map(statement).collect(),
        one => Some(vec![statement(one)?]),
    }
}
