//! Distinguishes the kinds of invocations, and maps a CloudFormation request to a task and a physical resource id.

use aws_lambda_events::cloudformation::CloudFormationCustomResourceRequest as Request;
use domain::invitation::{KeyId, KeyName};
use domain::provision::Rename;
use serde::Deserialize as _;
use serde_json::Value;

use crate::reply::RequestIds;
use crate::request::{KeyProperties, parse_key_properties};

/// The physical id of a resource whose creation failed. CloudFormation sends a Delete for it. The Delete of a pool
/// changes nothing, so that the next Create continues. The Delete of a key deletes a key that the Create may have
/// created.
pub(crate) const FAILED_CREATE: &str = "poolkeeper-failed-create";

/// The resource type of the pool and its related resources.
const USER_POOL: &str = "Custom::PoolkeeperUserPool";

/// The resource type of the verification. It is a separate resource, because the verification needs the trigger's
/// permission, which needs the pool.
const VERIFICATION: &str = "Custom::PoolkeeperVerification";

/// The resource type of the invitation signing key. It is a separate resource, because the trigger needs the public key
/// and the pool needs the trigger. The physical id is a [`KeyId`].
const INVITATION_KEY: &str = "Custom::PoolkeeperInvitationKey";

/// An invocation of the function.
pub(crate) enum Invocation {
    /// A direct invocation by an operator.
    Direct(Value),
    /// A custom-resource request from CloudFormation.
    CustomResource {
        /// The URL for the reply, which is secret because it is presigned. Empty if the field is not a string.
        response_url: String,
        /// The request, or the ids for the reply to an unreadable request. `None` if an id or the URL is missing.
        request: Result<Box<CustomResource>, Option<(RequestIds, String)>>,
    },
}

impl Invocation {
    /// Parses the payload of an invocation. Only requests of CloudFormation have a `ResponseURL`.
    pub(crate) fn of(payload: Value) -> Self {
        let Some(url) = payload.get("ResponseURL") else { return Self::Direct(payload) };
        let request = Request::deserialize(&payload).ok().and_then(CustomResource::of);
        let ids = || url.as_str().and_then(|_| reply_ids(&payload));
        let response_url = url.as_str().unwrap_or_default().to_owned();
        Self::CustomResource { response_url, request: request.map(Box::new).ok_or_else(ids) }
    }
}

/// A parsed request.
pub(crate) struct CustomResource {
    pub(crate) ids: RequestIds,
    pub(crate) task: Task,
    /// The current id. `None` for a Create.
    pub(crate) physical_resource_id: Option<String>,
    pub(crate) properties: Value,
    /// The properties before an Update.
    pub(crate) old_properties: Option<Value>,
}

/// The task of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Task {
    /// Bring the user pool into the desired state.
    Apply,
    /// Verify that the pool works.
    Verify,
    /// Delete the user pool of the resource.
    Destroy,
    /// Ensure that the invitation signing key exists.
    EnsureKey,
    /// Delete the invitation signing key with this name.
    DeleteKey(KeyName),
    /// Reply with success and this reason, without any change.
    Nothing(&'static str),
    /// Reply with failure, because the resource type is unknown.
    UnknownType,
}

impl CustomResource {
    /// Parses a request. `None` for an unknown request type.
    fn of(request: Request) -> Option<Self> {
        let (ids, resource_type, physical_resource_id, properties, old_properties, deletes) = match request {
            Request::Create(it) => {
                let ids = request_ids(it.stack_id, it.request_id, it.logical_resource_id);
                (ids, it.resource_type, None, it.resource_properties, None, false)
            }
            Request::Update(it) => {
                let ids = request_ids(it.stack_id, it.request_id, it.logical_resource_id);
                let (id, old) = (Some(it.physical_resource_id), Some(it.old_resource_properties));
                (ids, it.resource_type, id, it.resource_properties, old, false)
            }
            Request::Delete(it) => {
                let ids = request_ids(it.stack_id, it.request_id, it.logical_resource_id);
                (ids, it.resource_type, Some(it.physical_resource_id), it.resource_properties, None, true)
            }
            _ => return None,
        };
        let creation_failed = physical_resource_id.as_deref() == Some(FAILED_CREATE);
        let task = match (resource_type.as_str(), deletes) {
            (INVITATION_KEY, true) => key_to_delete(physical_resource_id.as_deref(), &properties, &ids.stack_id)
                .map_or(Task::Nothing("the request does not identify a key; nothing was changed"), Task::DeleteKey),
            (_, true) if creation_failed => {
                Task::Nothing("the creation failed; its resources are kept for the next creation")
            }
            (USER_POOL, true) => Task::Destroy,
            (USER_POOL, false) => Task::Apply,
            (VERIFICATION, true) => Task::Nothing("nothing to delete, because a verification keeps no resources"),
            (VERIFICATION, false) => Task::Verify,
            (INVITATION_KEY, false) => Task::EnsureKey,
            // The creation of this resource must have failed.
            (_, true) => Task::Nothing("nothing to delete, because the resource type is unknown"),
            (_, false) => Task::UnknownType,
        };
        Some(Self { ids, task, physical_resource_id, properties, old_properties })
    }

    /// The changed name of the pool, if the request is an Update that changes it.
    pub(crate) fn rename(&self) -> Option<Rename> {
        let before = self.old_properties.as_ref()?.pointer("/Spec/name")?.as_str()?;
        let after = self.properties.pointer("/Spec/name")?.as_str()?;
        let user_pool_id = self.physical_resource_id.clone()?;
        (before != after).then(|| Rename { before: before.to_owned(), user_pool_id })
    }

    /// Whether the stack set the user migration trigger before an Update.
    pub(crate) fn had_user_migration(&self) -> bool {
        let spec = self.old_properties.as_ref().and_then(|properties| properties.get("Spec"));
        let function = spec.and_then(|spec| spec.get("user_migration_function_arn")).and_then(Value::as_str);
        function.is_some_and(|arn| !arn.is_empty())
    }

    /// The value of `Roles` before an Update.
    pub(crate) fn previous_roles(&self) -> Option<&str> {
        self.old_properties.as_ref()?.get("Roles")?.as_str()
    }

    /// The key of a failed update that this request rolls back. CloudFormation never received the key's id and
    /// therefore does not delete the key.
    pub(crate) fn key_of_failed_update(&self, current: &KeyId) -> Option<KeyName> {
        let before = parse_key_properties(self.old_properties.clone()?).ok()?;
        let now = parse_key_properties(self.properties.clone()).ok()?;
        let name = |properties: &KeyProperties| properties.key_name(&self.ids.stack_id).ok();
        let left_behind = name(&before)?;
        let is_used = left_behind == current.name || Some(&left_behind) == name(&now).as_ref();
        (before.pool_name == now.pool_name && !is_used).then_some(left_behind)
    }

    /// The id after a failure. An existing id stays the same, so that CloudFormation does not replace the resource.
    pub(crate) fn id_after_failure(&self) -> String {
        self.physical_resource_id.clone().unwrap_or_else(|| FAILED_CREATE.to_owned())
    }
}

/// The name of the key that a Delete request identifies by the physical id. If the creation failed or its reply was
/// lost, the id contains no name, so the properties determine the key. `None` if the properties are invalid.
fn key_to_delete(physical_resource_id: Option<&str>, properties: &Value, stack_id: &str) -> Option<KeyName> {
    let named = physical_resource_id.and_then(|id| id.parse().ok()).map(|id: KeyId| id.name);
    named.or_else(|| parse_key_properties(properties.clone()).ok()?.key_name(stack_id).ok())
}

fn request_ids(stack_id: String, request_id: String, logical_resource_id: String) -> RequestIds {
    RequestIds { stack_id, request_id, logical_resource_id }
}

/// The ids for the reply to an unreadable request. Without a reply, CloudFormation waits until the resource's timeout.
fn reply_ids(payload: &Value) -> Option<(RequestIds, String)> {
    let text = |name: &str| Some(payload.get(name)?.as_str()?.to_owned());
    let ids = request_ids(text("StackId")?, text("RequestId")?, text("LogicalResourceId")?);
    let id = text("PhysicalResourceId").unwrap_or_else(|| FAILED_CREATE.to_owned());
    Some((ids, id))
}
