//! Handles one invocation: a custom-resource request or a direct invocation.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use domain::error_chain::causes;
use domain::invitation::{InvitationKeys, KeyId, KeyName, KeyOwner};
use domain::passable_roles::PassableRoles;
use domain::platform::{MemberPage, Platform, PlatformError, UserPoolState};
use domain::provision::{Action, Deployment, GroupMembers, Outcome, Receipt};
use domain::retry::{Clock, Rights, Situation, retry};
use domain::roles::Roles;
use domain::spec::{NO_FUNCTION, PoolName, Spec};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::{Value, json};
use thiserror::Error;

use crate::custom_resource::{CustomResource, Invocation, Task};
use crate::invitation_key;
use crate::reply::{Data, ISSUER, JWKS, Replies, Reply, ReplyError, RequestIds, attributes, key_attributes};
use crate::request::{RequestError, parse_direct_invocation, parse_key_properties, parse_properties};
use crate::run::{Bootstrap, Job, Log, RunError, step_summary, within_deadline};
use crate::token_keys::{self, PublicKeys};

/// Handles invocations.
#[derive(Clone)]
pub struct Handler {
    platform: Arc<dyn Platform>,
    keys: Arc<dyn InvitationKeys>,
    replies: Arc<dyn Replies>,
    passable_roles: PassableRoles,
    boundary: Option<String>,
    public_keys: Option<Arc<dyn PublicKeys>>,
}

/// A failed invocation. The operator who invoked the function receives the text.
#[derive(Debug, Error)]
#[error("{text}")]
pub struct InvocationError {
    kind: &'static str,
    text: String,
}

impl From<RequestError> for InvocationError {
    fn from(error: RequestError) -> Self {
        Self { kind: "InvalidRequest", text: error.to_string() }
    }
}

impl From<RunError> for InvocationError {
    fn from(error: RunError) -> Self {
        let kind = match error {
            RunError::Failed(_) | RunError::NoPlan(_) | RunError::NoKey(_) => "ActionFailed",
            RunError::OutOfTime(_) => "OutOfTime",
            RunError::Panicked | RunError::NoRandomness(_) => "InternalError",
        };
        Self { kind, text: error.to_string() }
    }
}

impl From<ReplyError> for InvocationError {
    fn from(error: ReplyError) -> Self {
        let kind = if matches!(error, ReplyError::Untrusted) { "InvalidRequest" } else { "ReplyNotDelivered" };
        Self { kind, text: error.to_string() }
    }
}

impl From<InvocationError> for Diagnostic {
    fn from(error: InvocationError) -> Self {
        Self { error_type: error.kind.to_owned(), error_message: error.text }
    }
}

impl Handler {
    /// Creates a handler. `passable_roles` are the roles that the function has permission to pass, besides those that
    /// it creates.
    #[must_use]
    pub fn new(
        platform: Arc<dyn Platform>,
        keys: Arc<dyn InvitationKeys>,
        replies: Arc<dyn Replies>,
        passable_roles: PassableRoles,
    ) -> Self {
        Self { platform, keys, replies, passable_roles, boundary: None, public_keys: None }
    }

    /// Sets the permissions boundary for the roles of all specs. The function's own role requires this boundary.
    #[must_use]
    pub fn with_boundary(self, boundary: Option<String>) -> Self {
        Self { boundary, ..self }
    }

    /// Sets where the public keys of pools are read. By default, replies contain no keys.
    #[must_use]
    pub fn with_public_keys(self, public_keys: Arc<dyn PublicKeys>) -> Self {
        Self { public_keys: Some(public_keys), ..self }
    }

    fn bootstrap(&self, rights: Rights) -> Bootstrap {
        let (platform, passable_roles) = (Arc::clone(&self.platform), self.passable_roles.clone());
        Bootstrap { platform, passable_roles, rights, deployment: None, boundary: self.boundary.clone() }
    }

    /// Handles one invocation. A custom-resource request receives one reply, and a direct invocation returns a receipt.
    ///
    /// # Errors
    ///
    /// Returns an error if a direct invocation fails, or if a reply cannot be delivered, so that Lambda retries the
    /// request.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, InvocationError> {
        let deadline = event.context.deadline();
        let result = match Invocation::of(event.payload) {
            Invocation::Direct(payload) => self.direct(payload, deadline).await,
            Invocation::CustomResource { response_url, request } => {
                self.custom_resource(&response_url, request, deadline).await
            }
        };
        if let Err(error) = &result {
            tracing::error!(error = %error, kind = error.kind, "invocation failed");
        }
        result
    }

    async fn direct(&self, payload: Value, deadline: SystemTime) -> Result<Value, InvocationError> {
        let invocation = parse_direct_invocation(payload)?;
        let job = match invocation.action {
            Action::Plan => return Ok(json!(self.bootstrap(Rights::Settled).plan(invocation.spec, deadline).await?)),
            Action::Apply => Job::Apply,
            Action::Verify => Job::Verify,
            Action::Destroy => Job::Destroy,
        };
        Ok(json!(self.bootstrap(Rights::Settled).run(job, invocation.spec, deadline).await?))
    }

    async fn custom_resource(
        &self,
        response_url: &str,
        request: Result<Box<CustomResource>, Option<(RequestIds, String)>>,
        deadline: SystemTime,
    ) -> Result<Value, InvocationError> {
        // Check the URL first, so that a request with any other reply URL than CloudFormation's changes nothing.
        self.replies.check(response_url)?;
        let reply = match request {
            Ok(resource) => self.answer(&resource, deadline).await,
            // The parser's message may contain secrets.
            Err(Some((ids, id))) => {
                tracing::error!(kind = "InvalidRequest", "invalid custom resource request");
                Reply::failure(ids, id, UNREADABLE)
            }
            Err(None) => return Err(InvocationError { kind: "InvalidRequest", text: UNREADABLE.to_owned() }),
        };
        self.replies.deliver(response_url, &reply).await?;
        Ok(Value::Null)
    }

    async fn answer(&self, resource: &CustomResource, deadline: SystemTime) -> Reply {
        let ids = resource.ids.clone();
        let completed = match &resource.task {
            Task::Nothing(reason) => {
                return Reply::success(ids, resource.id_after_failure(), reason, Data::new());
            }
            Task::UnknownType => return Reply::failure(ids, resource.id_after_failure(), UNKNOWN_TYPE),
            Task::Apply => self.apply(resource, deadline).await,
            Task::Verify => self.verify(resource, deadline).await,
            Task::Destroy => self.destroy(resource, deadline).await,
            Task::EnsureKey => self.ensure_key(resource, deadline).await,
            Task::DeleteKey(name) => self.delete_key(resource, name, deadline).await,
        };
        match completed {
            Ok(Completed { physical_resource_id, reason, data }) => {
                Reply::success(ids, physical_resource_id, &reason, data)
            }
            Err(error) => {
                tracing::error!(error = %error, kind = error.kind, "custom resource failed");
                Reply::failure(ids, resource.id_after_failure(), &error.to_string())
            }
        }
    }

    /// Checks the roles of the admin API before any change, because its function cannot start with wrong roles.
    async fn apply(&self, resource: &CustomResource, deadline: SystemTime) -> Result<Completed, InvocationError> {
        let mut properties = parse_properties(resource.properties.clone())?;
        // Without a value, a trigger that the stack did not set is kept.
        if properties.spec.user_migration_function_arn.is_none() && resource.had_user_migration() {
            properties.spec.user_migration_function_arn = Some(NO_FUNCTION.to_owned());
        }
        let roles = properties.roles()?;
        let returns_jwks = properties.returns_jwks()?;
        let deployment = properties.deployment(&resource.ids.stack_id)?;
        if let Some(rename) = resource.rename() {
            let job = Job::ApplyRenamed(rename);
            let completed = self.provision(resource, properties.spec, job, deployment, deadline).await?;
            return Ok(self.add_jwks(returns_jwks, completed).await);
        }
        if let Some(group) = self.unknown_group(resource, &properties.spec, &roles, deadline).await? {
            return Err(RequestError::unknown_group(&group).into());
        }
        let completed = self.provision(resource, properties.spec, Job::Apply, deployment, deadline).await?;
        let completed = self.add_jwks(returns_jwks, completed).await;
        let members =
            self.members_with_new_permissions(resource, &roles, &completed.physical_resource_id, deadline).await;
        Ok(Completed {
            reason: [completed.reason].into_iter().chain(members).collect::<Vec<_>>().join("; "),
            ..completed
        })
    }

    async fn add_jwks(&self, returns_jwks: bool, mut completed: Completed) -> Completed {
        let issuer = completed.data.get(ISSUER).filter(|_| returns_jwks);
        if let (Some(keys), Some(issuer)) = (&self.public_keys, issuer) {
            let jwks = token_keys::jwks(&**keys, issuer).await;
            completed.data.insert(JWKS.to_owned(), jwks);
        }
        completed
    }

    /// Lists the members of groups that had fewer permissions until now. Any caller with `users:groups` may have added
    /// them.
    async fn members_with_new_permissions(
        &self,
        resource: &CustomResource,
        roles: &Roles,
        user_pool_id: &str,
        deadline: SystemTime,
    ) -> Vec<String> {
        let previous = resource.previous_roles().and_then(|roles| roles.parse().ok()).unwrap_or_default();
        let groups: Vec<_> = roles.widened(&previous).map(str::to_owned).collect();
        let bootstrap = self.bootstrap(Rights::JustGranted);
        match bootstrap.members(user_pool_id.to_owned(), groups, deadline).await {
            Ok(all) => {
                for GroupMembers { group, members } in &all {
                    let MemberPage { usernames, is_last } = members;
                    tracing::warn!(
                        group,
                        ?usernames,
                        is_complete = is_last,
                        "the parameter Roles grants the group new permissions"
                    );
                }
                all.iter().map(|members| format!("the parameter Roles grants new permissions: {members}")).collect()
            }
            // A failure would roll back a successful deployment.
            Err(error) => {
                tracing::warn!(%error, "cannot read the members of groups with new permissions");
                vec![format!("cannot read the members of groups that receive new permissions from Roles: {error}")]
            }
        }
    }

    /// Returns a group in the new roles that does not exist. A deleted group in the deployed roles must not fail an
    /// unrelated update. The rollback of an update with wrong roles must never fail.
    async fn unknown_group(
        &self,
        resource: &CustomResource,
        spec: &Spec,
        roles: &Roles,
        deadline: SystemTime,
    ) -> Result<Option<String>, InvocationError> {
        let unknown = async |groups: BTreeSet<String>| {
            let bootstrap = self.bootstrap(Rights::JustGranted);
            Ok::<_, RunError>(bootstrap.unknown_groups(spec.clone(), groups, deadline).await?.pop_first())
        };
        let names = |roles: &Roles| roles.groups().map(str::to_owned).collect::<BTreeSet<_>>();
        let Some(previous) = resource.previous_roles() else { return Ok(unknown(names(roles)).await?) };
        let Ok(previous) = previous.parse::<Roles>() else { return Ok(None) };
        let (groups, previous) = (names(roles), names(&previous));
        let added: BTreeSet<_> = groups.difference(&previous).cloned().collect();
        if added.is_empty() {
            return Ok(None);
        }
        match unknown(added).await? {
            // This is the rollback of an update that was rejected because of its groups.
            Some(_) if unknown(previous).await?.is_some() => Ok(None),
            found => Ok(found),
        }
    }

    async fn verify(&self, resource: &CustomResource, deadline: SystemTime) -> Result<Completed, InvocationError> {
        let properties = parse_properties(resource.properties.clone())?;
        let deployment = properties.deployment(&resource.ids.stack_id)?;
        self.provision(resource, properties.spec, Job::Verify, deployment, deadline).await
    }

    /// Deletes only a pool that the stack owns, and removes the stack's user migration trigger from a retained pool. An
    /// invalid sign-up policy does not prevent the deletion.
    async fn destroy(&self, resource: &CustomResource, deadline: SystemTime) -> Result<Completed, InvocationError> {
        let job = resource.physical_resource_id.clone().map_or(Job::Destroy, Job::DestroyOnly);
        let spec = parse_properties(resource.properties.clone())?.spec;
        let stack_id = resource.ids.stack_id.clone();
        let deployment = Deployment { stack_id, sign_up_policy: None, confirms_wider_sign_up: false };
        let trigger = resource.physical_resource_id.clone().zip(spec.user_migration_function_arn.clone());
        let name = spec.name.clone();
        let mut completed = self.provision(resource, spec, job, deployment, deadline).await?;
        if let Some((user_pool_id, function)) = trigger {
            completed.reason.extend(self.remove_migration_trigger(name, user_pool_id, function, deadline).await);
        }
        Ok(completed)
    }

    /// Removes this user migration trigger from the pool, because CloudFormation deletes its function next. Returns what it
    /// did. A failure is no error, because it would block the deletion of the stack.
    async fn remove_migration_trigger(
        &self,
        name: PoolName,
        user_pool_id: String,
        function: String,
        deadline: SystemTime,
    ) -> Option<&'static str> {
        let platform = Arc::clone(&self.platform);
        let work = move |clock: Arc<dyn Clock>| async move {
            let remove = || remove_migration_trigger(&*platform, &name, &user_pool_id, &function);
            let removed = retry(&clock, Situation::Settled.with(Rights::JustGranted), remove, &Log).await;
            removed.map(|removed| removed.value).map_err(|error| causes(&error))
        };
        let error = match within_deadline(work, deadline).await {
            Ok(Ok(is_removed)) => return is_removed.then_some("; user migration trigger removed"),
            Ok(Err(error)) => error,
            Err(error) => causes(&error),
        };
        tracing::warn!(error, "the user migration trigger could not be removed from the retained pool");
        Some("; the user migration trigger could not be removed from the retained pool")
    }

    async fn provision(
        &self,
        resource: &CustomResource,
        spec: Spec,
        job: Job,
        deployment: Deployment,
        deadline: SystemTime,
    ) -> Result<Completed, InvocationError> {
        let name = spec.name.to_string();
        // CloudFormation may have just changed the function's role.
        let bootstrap = Bootstrap { deployment: Some(deployment), ..self.bootstrap(Rights::JustGranted) };
        let receipt = bootstrap.run(job, spec, deadline).await?;
        Ok(Completed {
            physical_resource_id: physical_id(resource.physical_resource_id.as_deref(), &receipt, &name),
            reason: step_summary(&receipt),
            data: attributes(receipt),
        })
    }

    /// Ensures the key. Another version of the key has another physical id, so CloudFormation deletes the old key.
    async fn ensure_key(&self, resource: &CustomResource, deadline: SystemTime) -> Result<Completed, InvocationError> {
        let properties = parse_key_properties(resource.properties.clone())?;
        let current: Option<KeyId> = resource.physical_resource_id.as_deref().and_then(|id| id.parse().ok());
        if let Some(current) = &current {
            properties.check_pool_of(&current.name)?;
        }
        let name = properties.key_name(&resource.ids.stack_id)?;
        let owner = KeyOwner {
            pool: properties.pool_name,
            stack_id: resource.ids.stack_id.clone(),
            request_id: resource.ids.request_id.clone(),
        };
        let ensured = invitation_key::ensure(&self.keys, &name, owner, current.clone(), deadline).await?;
        let left_behind = current.as_ref().and_then(|current| resource.key_of_failed_update(current));
        if let Some(left_behind) = left_behind
            && let Err(error) = self.delete_key(resource, &left_behind, deadline).await
        {
            // A failed rollback blocks the stack, and the key is unused.
            tracing::warn!(%error, key = %left_behind, "the key of the failed update could not be deleted");
        }
        let data = key_attributes(&name, &ensured.public_key);
        let id = match current {
            Some(current) if current.name == name => current,
            _ => KeyId { name, public_key: Some(ensured.public_key) },
        };
        Ok(Completed {
            physical_resource_id: id.to_string(),
            reason: format!("invitation_key {}", ensured.outcome),
            data,
        })
    }

    async fn delete_key(
        &self,
        resource: &CustomResource,
        name: &KeyName,
        deadline: SystemTime,
    ) -> Result<Completed, InvocationError> {
        let stack_id = resource.ids.stack_id.clone();
        let outcome = invitation_key::remove(&self.keys, name.clone(), stack_id, deadline).await?;
        let reason = match outcome {
            Outcome::Retained => format!("invitation_key {outcome} ({name} is not tagged with this stack)"),
            _ => format!("invitation_key {outcome}"),
        };
        Ok(Completed { physical_resource_id: resource.id_after_failure(), reason, data: Data::new() })
    }
}

/// Removes this user migration trigger from the pool with this id, and not from another pool that has the name now.
/// Returns whether the pool had the trigger.
async fn remove_migration_trigger(
    platform: &dyn Platform,
    name: &PoolName,
    user_pool_id: &str,
    function: &str,
) -> Result<bool, PlatformError> {
    let pool = platform.user_pools(name).await?.into_iter().find(|pool| pool.id == user_pool_id);
    let pool = pool.filter(|pool| pool.state.user_migration_function_arn.as_deref() == Some(function));
    let Some(pool) = pool else { return Ok(false) };
    let state = UserPoolState { user_migration_function_arn: None, ..pool.state };
    platform.update_user_pool(&pool.id, &state).await?;
    Ok(true)
}

/// The successful result of a custom-resource request.
struct Completed {
    physical_resource_id: String,
    reason: String,
    data: Data,
}

/// The reason for an unknown resource type.
const UNKNOWN_TYPE: &str = "unknown resource type; must be `Custom::PoolkeeperUserPool`, \
                            `Custom::PoolkeeperVerification` or `Custom::PoolkeeperInvitationKey`";

/// The reason for a malformed request or an unknown request type.
const UNREADABLE: &str = "invalid custom resource request; must be a CloudFormation Create, Update or Delete request";

/// The physical id: the pool id after an apply, so that CloudFormation deletes a replaced pool. Other resources keep
/// their id.
fn physical_id(current: Option<&str>, receipt: &Receipt, name: &str) -> String {
    match (receipt.action, current) {
        (Action::Apply, _) => receipt.user_pool_id.clone().unwrap_or_default(),
        (Action::Plan | Action::Verify | Action::Destroy, Some(current)) => current.to_owned(),
        (Action::Plan | Action::Verify | Action::Destroy, None) => format!("verification-of-{name}"),
    }
}
