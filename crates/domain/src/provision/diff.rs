//! Compares the current state with the spec, for `plan` and `apply`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::discover::{Found, client_name};
use super::field_difference::{Difference, differences};
use super::first_admin::record::Record;
use super::plan::{Planned, Verdict};
use super::{ProvisionError, Resource, Step};
use crate::platform::{
    AppClient, ClientState, IamEntity, IdentityPool, IdentityPoolState, Provider, UserPool, UserPoolState,
};
use crate::policy_document::{access_policy, trust_policy};
use crate::spec::{ADMINS, AttributeKind, ClientKind, CustomAttribute, PoolAttributes, Spec};

/// The placeholder in a plan for an id that AWS has not assigned yet.
const KNOWN_AFTER_APPLY: &str = "(known after apply)";

/// The reason for an adoption, in plans and receipts.
pub(super) const UNUSED: &str = "owned by this pool but unused, because an interrupted run created it";

/// Plans the change of every resource, in the order of `apply`.
///
/// # Errors
///
/// Returns an error if an immutable field would change, or if another user has the first administrator's name.
pub(super) fn all(spec: &Spec, found: &Found) -> Result<Vec<Planned>, ProvisionError> {
    let mut planned = vec![planned_user_pool(spec, found)?];
    for kind in ClientKind::ALL.iter().copied() {
        planned.extend(planned_client(spec, found, kind)?);
    }
    planned.push(planned_groups(spec, found));
    planned.push(planned_identity_pool(spec, found));
    planned.push(planned_role(spec, found));
    planned.push(planned_policy(spec, found));
    planned.push(planned_attachment(found));
    planned.push(planned_identity_pool_role(found));
    planned.extend(planned_first_admin(spec, found)?);
    Ok(planned)
}

fn planned_user_pool(spec: &Spec, found: &Found) -> Result<Planned, ProvisionError> {
    let step = Step::UserPool;
    let Some(pool) = &found.user_pool else {
        return Ok(create(step, format!("no user pool {} has this pool's tag", spec.name)));
    };
    let change = user_pool(spec, pool)?;
    let desired_clients = spec.clients().count();
    let is_unused = desired_clients > 0 && !spec.clients().any(|(kind, _)| found.clients.contains_key(&kind));
    Ok(existing(step, &pool.id, change.differences(), is_unused))
}

fn planned_client(spec: &Spec, found: &Found, kind: ClientKind) -> Result<Option<Planned>, ProvisionError> {
    let step = step_of(kind);
    let desired = spec.clients().find(|(desired, _)| *desired == kind).map(|(_, client)| client);
    Ok(match (desired, found.clients.get(&kind)) {
        (None, None) => None,
        (None, Some(client)) => Some(Planned {
            step,
            verdict: Verdict::Leave,
            id: Some(client.id.clone()),
            reason: "not in the spec; kept, but removed from the identity pool".to_owned(),
            differences: Vec::new(),
        }),
        (Some(_), None) => Some(create(step, format!("the user pool has no client {}", client_name(&spec.name, kind)))),
        (Some(desired), Some(client)) => {
            let providers = found.identity_pool.iter().flat_map(|pool| &pool.state.providers);
            let is_unused = !providers.into_iter().any(|provider| provider.client_id == client.id);
            let attributes = pool_attributes(spec, found.user_pool.as_ref(), &found.mapped_attributes);
            let desired = ClientState::desired(kind, desired, &attributes);
            Some(existing(step, &client.id, self::client(kind, &desired, client)?, is_unused))
        }
    })
}

fn planned_groups(spec: &Spec, found: &Found) -> Planned {
    let missing = missing_groups(spec, &found.groups);
    if missing.is_empty() {
        let reason = if spec.all_groups().is_empty() { "the spec lists no groups" } else { "all groups exist" };
        return leave(Step::Groups, None, reason);
    }
    create(Step::Groups, format!("missing: {}", missing.join(", ")))
}

fn planned_identity_pool(spec: &Spec, found: &Found) -> Planned {
    let step = Step::IdentityPool;
    let Some(pool) = &found.identity_pool else {
        return create(step, format!("no identity pool {} has this pool's tag", spec.name));
    };
    let user_pool_id = found.user_pool.as_ref().map_or(KNOWN_AFTER_APPLY, |pool| &pool.id);
    let client_ids =
        spec.clients().map(|(kind, _)| found.clients.get(&kind).map_or(KNOWN_AFTER_APPLY, |client| &client.id));
    let desired = desired_identity_pool(spec, user_pool_id, client_ids);
    existing(step, &pool.id, identity_pool(&desired, pool), found.authenticated_role.is_none())
}

fn planned_policy(spec: &Spec, found: &Found) -> Planned {
    let step = Step::Policy;
    let Some(policy) = &found.policy else {
        return create(step, format!("IAM policy {} does not exist", found.names.iam));
    };
    let differing = document("document", &policy.document, &desired_policy(spec, found));
    existing(step, &policy.arn, differing, !found.attached.contains(&policy.arn))
}

fn planned_role(spec: &Spec, found: &Found) -> Planned {
    let step = Step::Role;
    let Some(role) = &found.role else {
        return create(step, format!("IAM role {} does not exist", found.names.iam));
    };
    let identity_pool_id = found.identity_pool.as_ref().map_or(KNOWN_AFTER_APPLY, |pool| &pool.id);
    let differing = self::role(spec, &trust_policy(identity_pool_id), role);
    existing(step, &role.arn, differing, found.authenticated_role.as_ref() != Some(&role.arn))
}

fn planned_attachment(found: &Found) -> Planned {
    if found.attached.contains(&found.names.policy_arn()) {
        return leave(Step::PolicyAttachment, None, "attached");
    }
    create(Step::PolicyAttachment, "the policy is not attached to the role".to_owned())
}

fn planned_identity_pool_role(found: &Found) -> Planned {
    let step = Step::IdentityPoolRole;
    let desired = found.names.role_arn();
    match &found.authenticated_role {
        None => create(step, "the identity pool has no authenticated role".to_owned()),
        Some(current) if *current == desired => leave(step, None, "set"),
        Some(current) => {
            let field = "authenticated".to_owned();
            let difference = Difference { field, current: current.clone().into(), wanted: desired.into() };
            existing(step, current, vec![difference], false)
        }
    }
}

fn planned_first_admin(spec: &Spec, found: &Found) -> Result<Option<Planned>, ProvisionError> {
    let step = Step::FirstAdmin;
    let (Some(address), Some(username)) = (&spec.first_admin, spec.first_admin_username()) else { return Ok(None) };
    let record = found.user_pool.as_ref().map_or(Record::Absent, |pool| Record::of(pool, address));
    if record == Record::Done {
        return Ok(Some(leave(step, None, "already invited")));
    }
    let Some(holder) = &found.first_admin else {
        return Ok(Some(create(
            step,
            format!("user {username} does not exist; will be invited and added to {ADMINS}"),
        )));
    };
    Ok(Some(if holder.is_admin(spec, username, &record)? {
        leave(step, Some(holder.user.username.to_string()), "already an administrator")
    } else {
        Planned {
            step,
            verdict: Verdict::Change,
            id: Some(holder.user.username.to_string()),
            reason: format!("created by Poolkeeper; will be added to {ADMINS}"),
            differences: Vec::new(),
        }
    }))
}

/// The changes of a user pool.
#[derive(Debug)]
pub(super) struct UserPoolChange {
    pub(super) fields: Vec<Difference>,
    pub(super) new_attributes: Vec<CustomAttribute>,
}

impl UserPoolChange {
    pub(super) fn changes_mfa(&self) -> bool {
        self.fields.iter().any(|one| one.field == UserPoolState::MFA)
    }

    pub(super) fn changes_other_fields(&self) -> bool {
        self.fields.iter().any(|one| one.field != UserPoolState::MFA)
    }

    pub(super) fn differences(&self) -> Vec<Difference> {
        let added = self.new_attributes.iter().map(|attribute| Difference {
            field: format!("custom_attributes.{}", attribute.name),
            current: Value::Null,
            wanted: describe(attribute).into(),
        });
        self.fields.iter().cloned().chain(added).collect()
    }
}

fn describe(attribute: &CustomAttribute) -> String {
    let kind = match attribute.kind {
        AttributeKind::String => "string",
        AttributeKind::Number => "number",
        AttributeKind::Other => "other",
    };
    format!("{kind}, {}", if attribute.mutable { "mutable" } else { "fixed" })
}

/// Compares a user pool with the spec.
///
/// # Errors
///
/// Returns [`ProvisionError::Immutable`] if an immutable field differs.
pub(super) fn user_pool(spec: &Spec, pool: &UserPool) -> Result<UserPoolChange, ProvisionError> {
    let fields = differences(&pool.state, &pool.state.desired_after(spec));
    if let Some(fixed) = fields.iter().find(|one| UserPoolState::IMMUTABLE.contains(&one.field.as_str())) {
        return Err(immutable(Resource::UserPool, &pool.id, fixed));
    }
    Ok(UserPoolChange { fields, new_attributes: new_attributes(pool, &spec.all_custom_attributes())? })
}

/// Compares an app client with the desired state.
///
/// # Errors
///
/// Returns [`ProvisionError::Immutable`] if the client has a secret and must not have one, or the reverse.
pub(super) fn client(
    kind: ClientKind,
    desired: &ClientState,
    client: &AppClient,
) -> Result<Vec<Difference>, ProvisionError> {
    let with_secret = has_secret(kind);
    if client.has_secret != with_secret {
        let field = "secret".to_owned();
        let difference = Difference { field, current: client.has_secret.into(), wanted: with_secret.into() };
        return Err(immutable(Resource::AppClient, &client.id, &difference));
    }
    Ok(differences(&client.state, desired))
}

/// The pool attributes that determine the attributes of clients.
pub(super) fn pool_attributes(spec: &Spec, pool: Option<&UserPool>, mapped: &BTreeSet<String>) -> PoolAttributes {
    let none = BTreeSet::new();
    PoolAttributes::new(spec, pool.map_or(&none, |pool| &pool.required_attributes), mapped)
}

/// The groups of the spec that do not exist in the pool.
pub(super) fn missing_groups<'a>(spec: &'a Spec, existing: &BTreeSet<String>) -> Vec<&'a str> {
    spec.all_groups().into_iter().filter(|group| !existing.contains(*group)).collect()
}

pub(super) fn identity_pool(desired: &IdentityPoolState, pool: &IdentityPool) -> Vec<Difference> {
    differences(&pool.state, desired)
}

/// The changes of a role.
pub(super) fn role(spec: &Spec, trust: &Value, role: &IamEntity) -> Vec<Difference> {
    let desired = spec.permissions_boundary.as_ref().filter(|desired| role.boundary.as_ref() != Some(desired));
    let boundary = desired.map(|desired| Difference {
        field: "permissions boundary".to_owned(),
        current: role.boundary.clone().into(),
        wanted: desired.clone().into(),
    });
    boundary.into_iter().chain(document("trust policy", &role.document, trust)).collect()
}

/// Compares two IAM documents as one field.
pub(super) fn document(field: &str, current: &Value, desired: &Value) -> Vec<Difference> {
    if current == desired {
        return Vec::new();
    }
    vec![Difference { field: field.to_owned(), current: current.clone(), wanted: desired.clone() }]
}

pub(super) fn desired_identity_pool<'a>(
    spec: &Spec,
    user_pool_id: &str,
    client_ids: impl Iterator<Item = &'a str>,
) -> IdentityPoolState {
    let provider = |client_id: &str| Provider {
        user_pool_id: user_pool_id.to_owned(),
        client_id: client_id.to_owned(),
        server_side_token_check: spec.identity_pool.server_side_token_check,
    };
    IdentityPoolState {
        guests: spec.identity_pool.guests,
        classic_flow: spec.identity_pool.classic_flow,
        providers: client_ids.map(provider).collect(),
    }
}

fn desired_policy(spec: &Spec, found: &Found) -> Value {
    let identity_pool_id = found.identity_pool.as_ref().map_or(KNOWN_AFTER_APPLY, |pool| &pool.id);
    access_policy(&spec.authenticated_policy, &found.names.identity_pool_arn(identity_pool_id))
}

pub(super) fn has_secret(kind: ClientKind) -> bool {
    kind == ClientKind::Backend
}

pub(super) fn step_of(kind: ClientKind) -> Step {
    match kind {
        ClientKind::Backend => Step::BackendClient,
        ClientKind::Web => Step::WebClient,
    }
}

fn create(step: Step, reason: String) -> Planned {
    Planned { step, verdict: Verdict::Create, id: None, reason, differences: Vec::new() }
}

fn leave(step: Step, id: Option<String>, reason: &str) -> Planned {
    Planned { step, verdict: Verdict::Leave, id, reason: reason.to_owned(), differences: Vec::new() }
}

/// The plan for a resource that exists. `is_unused` means that no other resource refers to it.
fn existing(step: Step, id: &str, differences: Vec<Difference>, is_unused: bool) -> Planned {
    let (verdict, reason) = match (differences.as_slice(), is_unused) {
        ([], false) => (Verdict::Leave, "up to date".to_owned()),
        ([], true) => (Verdict::Adopt, UNUSED.to_owned()),
        ([one], _) => (Verdict::Change, format!("{} differs", one.field)),
        (several, _) => (Verdict::Change, format!("{} fields differ", several.len())),
    };
    Planned { step, verdict, id: Some(id.to_owned()), reason, differences }
}

fn immutable(resource: Resource, id: &str, difference: &Difference) -> ProvisionError {
    ProvisionError::Immutable { resource, id: id.to_owned(), difference: Box::new(difference.clone()) }
}

/// The attributes of the spec that the pool does not have. Fails if the pool has an attribute with other properties.
fn new_attributes(pool: &UserPool, desired: &[CustomAttribute]) -> Result<Vec<CustomAttribute>, ProvisionError> {
    let mut missing = Vec::new();
    for attribute in desired {
        match pool.custom_attributes.iter().find(|current| current.name == attribute.name) {
            None => missing.push(attribute.clone()),
            Some(current) if current == attribute => {}
            Some(current) => {
                let found = differences(current, attribute);
                let Some(first) = found.first() else { continue };
                let field = format!("custom_attributes.{}.{}", attribute.name, first.field);
                let difference = Difference { field, ..first.clone() };
                return Err(immutable(Resource::UserPool, &pool.id, &difference));
            }
        }
    }
    Ok(missing)
}
