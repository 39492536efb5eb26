//! What is there against what the spec wants: pure, and the same for `plan`, which shows it, and for `apply`, which does it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::discover::{FirstAdmin, Found, client_name};
use super::field_difference::{Difference, differences};
use super::first_admin::Record;
use super::plan::{Planned, Verdict};
use super::{ProvisionError, Resource, Step};
use crate::platform::{
    AppClient, ClientState, IamEntity, IdentityPool, IdentityPoolState, Provider, UserPool, UserPoolState,
};
use crate::policy_document::{access_policy, trust_policy};
use crate::spec::{ADMINS, AttributeKind, ClientKind, CustomAttribute, PoolAttributes, SignInWith, Spec};

/// Stands in a plan for an id that AWS has not given yet.
const KNOWN_LATER: &str = "(known after apply)";

/// Why something is adopted, in plans and receipts.
pub(super) const LEFT_BEHIND: &str = "ours, and nothing refers to it: an interrupted run left it";

/// What is to be done about every resource, in the order of `apply`.
///
/// # Errors
///
/// What `apply` refuses to do: the change of something that cannot be changed, a stranger as first administrator.
pub(super) fn all(spec: &Spec, found: &Found) -> Result<Vec<Planned>, ProvisionError> {
    let mut planned = vec![planned_user_pool(spec, found)?];
    for kind in ClientKind::ALL {
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
        return Ok(created(step, format!("there is no user pool {} with our tag", spec.name)));
    };
    let change = user_pool(spec, pool)?;
    let wanted_clients = spec.clients().count();
    let alone = wanted_clients > 0 && !spec.clients().any(|(kind, _)| found.clients.contains_key(&kind));
    Ok(there(step, &pool.id, change.differences(), alone))
}

fn planned_client(spec: &Spec, found: &Found, kind: ClientKind) -> Result<Option<Planned>, ProvisionError> {
    let step = step_of(kind);
    let wanted = spec.clients().find(|(wanted, _)| *wanted == kind).map(|(_, client)| client);
    Ok(match (wanted, found.clients.get(&kind)) {
        (None, None) => None,
        (None, Some(client)) => Some(Planned {
            step,
            verdict: Verdict::Leave,
            id: Some(client.id.clone()),
            reason: "the spec does not name it (any more): it stays, without a part in the identity pool".to_owned(),
            differences: Vec::new(),
        }),
        (Some(_), None) => {
            Some(created(step, format!("the user pool has no client {}", client_name(&spec.name, kind))))
        }
        (Some(wanted), Some(client)) => {
            let providers = found.identity_pool.iter().flat_map(|pool| &pool.state.providers);
            let alone = !providers.into_iter().any(|provider| provider.client_id == client.id);
            let attributes = pool_attributes(spec, found.user_pool.as_ref(), &found.mapped_attributes);
            let wanted = ClientState::wanted(kind, wanted, &attributes);
            Some(there(step, &client.id, self::client(kind, &wanted, client)?, alone))
        }
    })
}

fn planned_groups(spec: &Spec, found: &Found) -> Planned {
    let missing = missing_groups(spec, &found.groups);
    if missing.is_empty() {
        let reason = if spec.all_groups().is_empty() { "the spec names none" } else { "all are there" };
        return left(Step::Groups, None, reason);
    }
    created(Step::Groups, format!("missing: {}", missing.join(", ")))
}

fn planned_identity_pool(spec: &Spec, found: &Found) -> Planned {
    let step = Step::IdentityPool;
    let Some(pool) = &found.identity_pool else {
        return created(step, format!("there is no identity pool {} with our tag", spec.name));
    };
    let user_pool_id = found.user_pool.as_ref().map_or(KNOWN_LATER, |pool| &pool.id);
    let client_ids = spec.clients().map(|(kind, _)| found.clients.get(&kind).map_or(KNOWN_LATER, |client| &client.id));
    let wanted = wanted_identity_pool(spec, user_pool_id, client_ids);
    there(step, &pool.id, identity_pool(&wanted, pool), found.authenticated_role.is_none())
}

fn planned_policy(spec: &Spec, found: &Found) -> Planned {
    let step = Step::Policy;
    let Some(policy) = &found.policy else {
        return created(step, format!("there is no IAM policy {}", found.names.iam));
    };
    let differing = document("document", &policy.document, &wanted_policy(spec, found));
    there(step, &policy.arn, differing, !found.attached.contains(&policy.arn))
}

fn planned_role(spec: &Spec, found: &Found) -> Planned {
    let step = Step::Role;
    let Some(role) = &found.role else {
        return created(step, format!("there is no IAM role {}", found.names.iam));
    };
    let identity_pool_id = found.identity_pool.as_ref().map_or(KNOWN_LATER, |pool| &pool.id);
    let differing = self::role(spec, &trust_policy(identity_pool_id), role);
    there(step, &role.arn, differing, found.authenticated_role.as_ref() != Some(&role.arn))
}

fn planned_attachment(found: &Found) -> Planned {
    if found.attached.contains(&found.names.policy_arn()) {
        return left(Step::PolicyAttachment, None, "attached");
    }
    created(Step::PolicyAttachment, "the policy is not on the role".to_owned())
}

fn planned_identity_pool_role(found: &Found) -> Planned {
    let step = Step::IdentityPoolRole;
    let wanted = found.names.role_arn();
    match &found.authenticated_role {
        None => created(step, "the identity pool gives signed-in people no role".to_owned()),
        Some(current) if *current == wanted => left(step, None, "set"),
        Some(current) => {
            let field = "authenticated".to_owned();
            let difference = Difference { field, current: current.clone().into(), wanted: wanted.into() };
            there(step, current, vec![difference], false)
        }
    }
}

fn planned_first_admin(spec: &Spec, found: &Found) -> Result<Option<Planned>, ProvisionError> {
    let step = Step::FirstAdmin;
    let (Some(address), Some(username)) = (&spec.first_admin, spec.first_admin_username()) else { return Ok(None) };
    let record = found.user_pool.as_ref().map_or(Record::Absent, |pool| Record::of(pool, address));
    if record == Record::Done {
        return Ok(Some(left(step, None, "was invited before")));
    }
    let Some(there) = &found.first_admin else {
        return Ok(Some(created(step, format!("there is no user {username}: invited into {ADMINS}"))));
    };
    Ok(Some(if first_admin(spec, username, there, &record)? {
        left(step, Some(there.user.username.to_string()), "is an administrator")
    } else {
        Planned {
            step,
            verdict: Verdict::Change,
            id: Some(there.user.username.to_string()),
            reason: format!("was created for the invitation: put into {ADMINS}"),
            differences: Vec::new(),
        }
    }))
}

/// What of a user pool is to be changed.
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
            wanted: in_words(attribute).into(),
        });
        self.fields.iter().cloned().chain(added).collect()
    }
}

fn in_words(attribute: &CustomAttribute) -> String {
    let kind = match attribute.kind {
        AttributeKind::String => "string",
        AttributeKind::Number => "number",
        AttributeKind::Other => "other",
    };
    format!("{kind}, {}", if attribute.mutable { "mutable" } else { "fixed" })
}

/// # Errors
///
/// [`ProvisionError::Immutable`] where something differs that cannot be changed.
pub(super) fn user_pool(spec: &Spec, pool: &UserPool) -> Result<UserPoolChange, ProvisionError> {
    let fields = differences(&pool.state, &UserPoolState::wanted(spec));
    if let Some(fixed) = fields.iter().find(|one| UserPoolState::IMMUTABLE.contains(&one.field.as_str())) {
        return Err(immutable(Resource::UserPool, &pool.id, fixed));
    }
    Ok(UserPoolChange { fields, new_attributes: new_attributes(pool, &spec.all_custom_attributes())? })
}

/// # Errors
///
/// [`ProvisionError::Immutable`] where one has a secret and should not have one, or the other way round.
pub(super) fn client(
    kind: ClientKind,
    wanted: &ClientState,
    client: &AppClient,
) -> Result<Vec<Difference>, ProvisionError> {
    let with_secret = has_secret(kind);
    if client.has_secret != with_secret {
        let field = "secret".to_owned();
        let difference = Difference { field, current: client.has_secret.into(), wanted: with_secret.into() };
        return Err(immutable(Resource::AppClient, &client.id, &difference));
    }
    Ok(differences(&client.state, wanted))
}

/// The attributes of the pool, as far as its clients depend on them.
pub(super) fn pool_attributes(spec: &Spec, pool: Option<&UserPool>, mapped: &BTreeSet<String>) -> PoolAttributes {
    let none = BTreeSet::new();
    PoolAttributes::new(spec, pool.map_or(&none, |pool| &pool.required_attributes), mapped)
}

/// The groups of the spec that the pool does not have.
pub(super) fn missing_groups<'a>(spec: &'a Spec, there: &BTreeSet<String>) -> Vec<&'a str> {
    spec.all_groups().into_iter().filter(|group| !there.contains(*group)).collect()
}

pub(super) fn identity_pool(wanted: &IdentityPoolState, pool: &IdentityPool) -> Vec<Difference> {
    differences(&pool.state, wanted)
}

/// What of a role is to be changed.
pub(super) fn role(spec: &Spec, trust: &Value, role: &IamEntity) -> Vec<Difference> {
    let wanted = spec.permissions_boundary.as_ref().filter(|wanted| role.boundary.as_ref() != Some(wanted));
    let boundary = wanted.map(|wanted| Difference {
        field: "permissions boundary".to_owned(),
        current: role.boundary.clone().into(),
        wanted: wanted.clone().into(),
    });
    boundary.into_iter().chain(document("trust policy", &role.document, trust)).collect()
}

/// Two IAM documents, as one field.
pub(super) fn document(field: &str, current: &Value, wanted: &Value) -> Vec<Difference> {
    if current == wanted {
        return Vec::new();
    }
    vec![Difference { field: field.to_owned(), current: current.clone(), wanted: wanted.clone() }]
}

/// Whether the holder of the first administrator's name is an administrator already. Otherwise the holder is to become one.
///
/// # Errors
///
/// [`ProvisionError::NotTheFirstAdmin`] if the account was not created for the invitation: anyone can sign up under that name, and neither
/// status nor a verified address proves more than that the holder has the mailbox.
pub(super) fn first_admin(
    spec: &Spec,
    username: &str,
    there: &FirstAdmin,
    record: &Record,
) -> Result<bool, ProvisionError> {
    if spec.sign_in == SignInWith::Username && there.user.username.as_str() != username {
        // The name is another user's alias.
        return Err(ProvisionError::NotTheFirstAdmin);
    }
    if there.groups.iter().any(|group| group == ADMINS) {
        return Ok(true);
    }
    if record.proves(&there.user) { Ok(false) } else { Err(ProvisionError::NotTheFirstAdmin) }
}

pub(super) fn wanted_identity_pool<'a>(
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

fn wanted_policy(spec: &Spec, found: &Found) -> Value {
    let identity_pool_id = found.identity_pool.as_ref().map_or(KNOWN_LATER, |pool| &pool.id);
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

fn created(step: Step, reason: String) -> Planned {
    Planned { step, verdict: Verdict::Create, id: None, reason, differences: Vec::new() }
}

fn left(step: Step, id: Option<String>, reason: &str) -> Planned {
    Planned { step, verdict: Verdict::Leave, id, reason: reason.to_owned(), differences: Vec::new() }
}

/// Something that is there; `alone` says that nothing refers to it yet.
fn there(step: Step, id: &str, differences: Vec<Difference>, alone: bool) -> Planned {
    let (verdict, reason) = match (differences.as_slice(), alone) {
        ([], false) => (Verdict::Leave, "as it should be".to_owned()),
        ([], true) => (Verdict::Adopt, LEFT_BEHIND.to_owned()),
        ([one], _) => (Verdict::Change, format!("{} differs", one.field)),
        (several, _) => (Verdict::Change, format!("{} fields differ", several.len())),
    };
    Planned { step, verdict, id: Some(id.to_owned()), reason, differences }
}

fn immutable(resource: Resource, id: &str, difference: &Difference) -> ProvisionError {
    ProvisionError::Immutable { resource, id: id.to_owned(), difference: Box::new(difference.clone()) }
}

/// The attributes of the spec that the pool does not have. One that the pool has otherwise cannot be changed.
fn new_attributes(pool: &UserPool, wanted: &[CustomAttribute]) -> Result<Vec<CustomAttribute>, ProvisionError> {
    let mut missing = Vec::new();
    for attribute in wanted {
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
