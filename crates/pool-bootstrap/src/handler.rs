//! One invocation: tells the two kinds apart, and answers each in its way.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use aws_lambda_events::cloudformation::CloudFormationCustomResourceRequest;
use domain::invitation::{InvitationKeys, KeyId, KeyName, KeyOwner};
use domain::passable_roles::PassableRoles;
use domain::platform::{MemberPage, Platform};
use domain::provision::{Action, Deployment, GroupMembers, Outcome, Receipt};
use domain::retry::Rights;
use domain::roles::Roles;
use domain::spec::Spec;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::{Value, json};
use thiserror::Error;

use crate::custom_resource::{CustomResource, Task, return_address};
use crate::invitation_key;
use crate::reply::{Data, Replies, Reply, ReplyError, attributes, key_attributes};
use crate::request::{RequestError, key_properties, order, properties};
use crate::run::{Bootstrap, Job, RunError, in_words};

/// Handles invocations.
#[derive(Clone)]
pub struct Handler {
    platform: Arc<dyn Platform>,
    keys: Arc<dyn InvitationKeys>,
    replies: Arc<dyn Replies>,
    passable_roles: PassableRoles,
    boundary: Option<String>,
}

/// An invocation that failed. The text goes to whoever invoked the function: an operator.
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
    /// Works on `platform`, keeps invitation keys in `keys`, answers CloudFormation through `replies`. `passable_roles` are the roles that
    /// the function may pass beside those that it creates.
    #[must_use]
    pub fn new(
        platform: Arc<dyn Platform>,
        keys: Arc<dyn InvitationKeys>,
        replies: Arc<dyn Replies>,
        passable_roles: PassableRoles,
    ) -> Self {
        Self { platform, keys, replies, passable_roles, boundary: None }
    }

    /// Gives the role of every spec this permissions boundary, which the function's own role requires.
    #[must_use]
    pub fn with_boundary(self, boundary: Option<String>) -> Self {
        Self { boundary, ..self }
    }

    fn bootstrap(&self, rights: Rights) -> Bootstrap {
        let (platform, passable_roles) = (Arc::clone(&self.platform), self.passable_roles.clone());
        Bootstrap { platform, passable_roles, rights, deployment: None, boundary: self.boundary.clone() }
    }

    /// Handles one invocation: a custom-resource request gets its one reply, a direct invocation a receipt.
    ///
    /// # Errors
    ///
    /// A direct invocation that fails; and a reply that cannot be delivered, which makes Lambda try the whole request again.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, InvocationError> {
        let deadline = event.context.deadline();
        let is_custom_resource = event.payload.get("ResponseURL").is_some();
        let result = if is_custom_resource {
            self.custom_resource(event.payload, deadline).await
        } else {
            self.direct(event.payload, deadline).await
        };
        if let Err(error) = &result {
            tracing::error!(error = %error, kind = error.kind, "invocation failed");
        }
        result
    }

    async fn direct(&self, payload: Value, deadline: SystemTime) -> Result<Value, InvocationError> {
        let order = order(payload)?;
        let job = match order.action {
            Action::Plan => return Ok(json!(self.bootstrap(Rights::Settled).plan(order.spec, deadline).await?)),
            Action::Apply => Job::Apply,
            Action::Verify => Job::Verify,
            Action::Destroy => Job::Destroy,
        };
        Ok(json!(self.bootstrap(Rights::Settled).run(job, order.spec, deadline).await?))
    }

    async fn custom_resource(&self, payload: Value, deadline: SystemTime) -> Result<Value, InvocationError> {
        // Checked before anything is done, so that a request with a foreign address changes nothing.
        self.replies.check(payload.get("ResponseURL").and_then(Value::as_str).unwrap_or_default())?;
        let return_address = return_address(&payload);
        let request: Option<CloudFormationCustomResourceRequest> = serde_json::from_value(payload).ok();
        let (url, reply) = match (request.and_then(CustomResource::of), return_address) {
            (Some(resource), _) => {
                let reply = self.answer(&resource, deadline).await;
                (resource.response_url, reply)
            }
            (None, Some((url, to, id))) => {
                tracing::error!(kind = "InvalidRequest", "unreadable custom-resource request");
                (url, Reply::failure(to, id, UNREADABLE))
            }
            // Nobody knows whom to answer. The parser's own words would quote the URL.
            (None, None) => {
                return Err(InvocationError { kind: "InvalidRequest", text: UNREADABLE.to_owned() });
            }
        };
        self.replies.deliver(&url, &reply).await?;
        Ok(Value::Null)
    }

    async fn answer(&self, resource: &CustomResource, deadline: SystemTime) -> Reply {
        let to = resource.to.clone();
        let done = match &resource.task {
            Task::Nothing(reason) => {
                return Reply::success(to, resource.id_after_failure(), reason, Data::new());
            }
            Task::UnknownType => return Reply::failure(to, resource.id_after_failure(), UNKNOWN_TYPE),
            Task::Apply => self.apply(resource, deadline).await,
            Task::Verify => self.verify(resource, deadline).await,
            Task::Destroy => self.destroy(resource, deadline).await,
            Task::EnsureKey => self.ensure_key(resource, deadline).await,
            Task::RemoveKey(name) => self.remove_key(resource, name, deadline).await,
        };
        match done {
            Ok(Done { physical_resource_id, reason, data }) => Reply::success(to, physical_resource_id, &reason, data),
            Err(error) => {
                tracing::error!(error = %error, kind = error.kind, "custom resource failed");
                Reply::failure(to, resource.id_after_failure(), &error.to_string())
            }
        }
    }

    /// Checks the roles of the admin API before anything is touched: its function would start with none of its own, and answer every
    /// request with an error.
    async fn apply(&self, resource: &CustomResource, deadline: SystemTime) -> Result<Done, InvocationError> {
        let wanted = properties(resource.properties.clone())?;
        let roles = wanted.roles()?;
        let deployment = wanted.deployment(&resource.to.stack_id)?;
        if let Some(renaming) = resource.renaming() {
            return self.provision(resource, wanted.spec, Job::ApplyRenamed(renaming), deployment, deadline).await;
        }
        if let Some(group) = self.unknown_group(resource, &wanted.spec, &roles, deadline).await? {
            return Err(RequestError::unknown_group(&group).into());
        }
        let done = self.provision(resource, wanted.spec, Job::Apply, deployment, deadline).await?;
        let members = self.members_with_new_permissions(resource, &roles, &done.physical_resource_id, deadline).await;
        Ok(Done { reason: [done.reason].into_iter().chain(members).collect::<Vec<_>>().join("; "), ..done })
    }

    /// Who receives permissions from the new roles without being granted them: the members of groups that had fewer or none until now. Any
    /// holder of `users:groups` can have put them there.
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
                    tracing::warn!(group, ?usernames, is_complete = is_last, "Roles gives the group new permissions");
                }
                all.iter().map(|members| format!("Roles gives new permissions: {members}")).collect()
            }
            // The deployment is done. Its failure would roll back what works.
            Err(error) => {
                tracing::warn!(%error, "the members of groups with new permissions are unknown");
                vec![format!("the members of groups to which Roles gives new permissions are unknown: {error}")]
            }
        }
    }

    /// A group of new roles that does not exist. Roles that were deployed once may name a group that was deleted since. An unrelated update
    /// must not fail for that, and the rollback of an update with wrong roles must not fail at all.
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
            // The update that this one rolls back was rejected for its own groups.
            Some(_) if unknown(previous).await?.is_some() => Ok(None),
            found => Ok(found),
        }
    }

    async fn verify(&self, resource: &CustomResource, deadline: SystemTime) -> Result<Done, InvocationError> {
        let wanted = properties(resource.properties.clone())?;
        let deployment = wanted.deployment(&resource.to.stack_id)?;
        self.provision(resource, wanted.spec, Job::Verify, deployment, deadline).await
    }

    /// A stack deletes only a pool that it owns. Its sign-up policy does not matter then, not even one that is wrong.
    async fn destroy(&self, resource: &CustomResource, deadline: SystemTime) -> Result<Done, InvocationError> {
        let job = resource.physical_resource_id.clone().map_or(Job::Destroy, Job::DestroyOnly);
        let spec = properties(resource.properties.clone())?.spec;
        let stack_id = resource.to.stack_id.clone();
        let deployment = Deployment { stack_id, sign_up_policy: None, confirms_wider_sign_up: false };
        self.provision(resource, spec, job, deployment, deadline).await
    }

    async fn provision(
        &self,
        resource: &CustomResource,
        spec: Spec,
        job: Job,
        deployment: Deployment,
        deadline: SystemTime,
    ) -> Result<Done, InvocationError> {
        let name = spec.name.to_string();
        // CloudFormation may have changed the function's role moments ago.
        let bootstrap = Bootstrap { deployment: Some(deployment), ..self.bootstrap(Rights::JustGranted) };
        let receipt = bootstrap.run(job, spec, deadline).await?;
        Ok(Done {
            physical_resource_id: physical_id(resource.physical_resource_id.as_deref(), &receipt, &name),
            reason: in_words(&receipt),
            data: attributes(receipt),
        })
    }

    /// A key is its name: another version is another resource, and CloudFormation then deletes the old one.
    async fn ensure_key(&self, resource: &CustomResource, deadline: SystemTime) -> Result<Done, InvocationError> {
        let wanted = key_properties(resource.properties.clone())?;
        let current: Option<KeyId> = resource.physical_resource_id.as_deref().and_then(|id| id.parse().ok());
        if let Some(current) = &current {
            wanted.check_pool_of(&current.name)?;
        }
        let name = wanted.key_name(&resource.to.stack_id)?;
        let owner = KeyOwner {
            pool: wanted.pool_name,
            stack_id: resource.to.stack_id.clone(),
            request_id: resource.to.request_id.clone(),
        };
        let kept = invitation_key::ensure(&self.keys, &name, owner, current.clone(), deadline).await?;
        let left_behind = current.as_ref().and_then(|current| resource.key_of_failed_update(current));
        if let Some(left_behind) = left_behind
            && let Err(error) = self.remove_key(resource, &left_behind, deadline).await
        {
            // A rollback that fails leaves the stack stuck. The key is used by nothing.
            tracing::warn!(%error, key = %left_behind, "the key of the failed update could not be deleted");
        }
        let data = key_attributes(&name, &kept.public_key);
        let id = match current {
            Some(current) if current.name == name => current,
            _ => KeyId { name, public_key: Some(kept.public_key) },
        };
        Ok(Done { physical_resource_id: id.to_string(), reason: format!("invitation_key {}", kept.outcome), data })
    }

    async fn remove_key(
        &self,
        resource: &CustomResource,
        name: &KeyName,
        deadline: SystemTime,
    ) -> Result<Done, InvocationError> {
        let stack_id = resource.to.stack_id.clone();
        let outcome = invitation_key::remove(&self.keys, name.clone(), stack_id, deadline).await?;
        let reason = match outcome {
            Outcome::Retained => format!("invitation_key {outcome} ({name} has no tag of this stack)"),
            _ => format!("invitation_key {outcome}"),
        };
        Ok(Done { physical_resource_id: resource.id_after_failure(), reason, data: Data::new() })
    }
}

/// What became of a custom resource.
struct Done {
    physical_resource_id: String,
    reason: String,
    data: Data,
}

/// What is said of a resource type that is none of ours.
const UNKNOWN_TYPE: &str =
    "expected `Custom::PoolkeeperUserPool`, `Custom::PoolkeeperVerification` or `Custom::PoolkeeperInvitationKey`";

/// What is said of a request that is none of CloudFormation's, or none that this version knows.
const UNREADABLE: &str = "this is not a custom-resource request that the bootstrap can read";

/// A pool is its id: another pool is another resource, and CloudFormation then deletes the old one. Everything else keeps its id.
fn physical_id(current: Option<&str>, receipt: &Receipt, name: &str) -> String {
    match (receipt.action, current) {
        (Action::Apply, _) => receipt.user_pool_id.clone().unwrap_or_default(),
        (Action::Plan | Action::Verify | Action::Destroy, Some(current)) => current.to_owned(),
        (Action::Plan | Action::Verify | Action::Destroy, None) => format!("verification-of-{name}"),
    }
}
