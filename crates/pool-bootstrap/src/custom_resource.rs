//! What a CloudFormation request asks for, and which physical id the resource has afterwards.

use aws_lambda_events::cloudformation::CloudFormationCustomResourceRequest as Request;
use domain::invitation::{KeyId, KeyName};
use domain::provision::Renaming;
use serde_json::Value;

use crate::reply::Addressee;
use crate::request::{KeyProperties, key_properties};

/// The physical id of a resource whose creation failed. CloudFormation sends a Delete for it. Of a pool that must touch nothing: the next
/// Create goes on from what stands. Of a key it takes away what may have been made: nobody has it.
pub(crate) const FAILED_CREATE: &str = "poolkeeper-failed-create";

/// The resource that stands for the pool and all that belongs to it.
const USER_POOL: &str = "Custom::PoolkeeperUserPool";

/// The resource that stands for the proof that it works. Of its own, because the proof needs the trigger's permission, which
/// needs the pool.
const VERIFICATION: &str = "Custom::PoolkeeperVerification";

/// The resource that stands for the private key of the pool's invitations. Of its own, because the trigger needs the public half of the key
/// and the pool needs the trigger. Its physical id is a [`KeyId`].
const INVITATION_KEY: &str = "Custom::PoolkeeperInvitationKey";

/// A request, taken apart.
pub(crate) struct CustomResource {
    pub(crate) to: Addressee,
    /// A secret.
    pub(crate) response_url: String,
    pub(crate) task: Task,
    /// The id so far; none at a Create.
    pub(crate) physical_resource_id: Option<String>,
    pub(crate) properties: Value,
    /// The properties before an Update.
    pub(crate) old_properties: Option<Value>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Task {
    /// Bring the user pool into its state.
    Apply,
    /// Prove that it works.
    Verify,
    /// Take away the user pool that the resource stands for.
    Destroy,
    /// See that there is an invitation key.
    EnsureKey,
    /// Delete the invitation key of this name.
    RemoveKey(KeyName),
    /// Say yes, with the reason why nothing is to be done.
    Nothing(&'static str),
    /// Say no: the resource type is none of ours.
    UnknownType,
}

impl CustomResource {
    /// Takes a request apart; none for a kind of request that does not exist today.
    pub(crate) fn of(request: Request) -> Option<Self> {
        let (to, response_url, resource_type, physical_resource_id, properties, old_properties, deletes) = match request
        {
            Request::Create(it) => {
                let to = addressee(it.stack_id, it.request_id, it.logical_resource_id);
                (to, it.response_url, it.resource_type, None, it.resource_properties, None, false)
            }
            Request::Update(it) => {
                let to = addressee(it.stack_id, it.request_id, it.logical_resource_id);
                let (id, old) = (Some(it.physical_resource_id), Some(it.old_resource_properties));
                (to, it.response_url, it.resource_type, id, it.resource_properties, old, false)
            }
            Request::Delete(it) => {
                let to = addressee(it.stack_id, it.request_id, it.logical_resource_id);
                let id = Some(it.physical_resource_id);
                (to, it.response_url, it.resource_type, id, it.resource_properties, None, true)
            }
            _ => return None,
        };
        let failed_before = physical_resource_id.as_deref() == Some(FAILED_CREATE);
        let task = match (resource_type.as_str(), deletes) {
            (INVITATION_KEY, true) => key_to_remove(physical_resource_id.as_deref(), &properties, &to.stack_id)
                .map_or(Task::Nothing("nothing says which key this was; nothing was touched"), Task::RemoveKey),
            (_, true) if failed_before => {
                Task::Nothing("the creation had failed; what it had made was left for the next one")
            }
            (USER_POOL, true) => Task::Destroy,
            (USER_POOL, false) => Task::Apply,
            (VERIFICATION, true) => Task::Nothing("a verification leaves nothing behind"),
            (VERIFICATION, false) => Task::Verify,
            (INVITATION_KEY, false) => Task::EnsureKey,
            // Only a failed creation can have made it, so there is nothing to delete.
            (_, true) => Task::Nothing("not a resource of ours"),
            (_, false) => Task::UnknownType,
        };
        Some(Self { to, response_url, task, physical_resource_id, properties, old_properties })
    }

    /// The change of name, where an Update is one.
    pub(crate) fn renaming(&self) -> Option<Renaming> {
        let before = self.old_properties.as_ref()?.pointer("/Spec/name")?.as_str()?;
        let after = self.properties.pointer("/Spec/name")?.as_str()?;
        let user_pool_id = self.physical_resource_id.clone()?;
        (before != after).then(|| Renaming { before: before.to_owned(), user_pool_id })
    }

    /// The value of `Roles` before an Update, as the template had it.
    pub(crate) fn previous_roles(&self) -> Option<&str> {
        self.old_properties.as_ref()?.get("Roles")?.as_str()
    }

    /// The key that an update has left behind that failed and is rolled back now. CloudFormation never received the key's id, so it does
    /// not delete the key.
    pub(crate) fn key_of_failed_update(&self, current: &KeyId) -> Option<KeyName> {
        let before = key_properties(self.old_properties.clone()?).ok()?;
        let now = key_properties(self.properties.clone()).ok()?;
        let name = |properties: &KeyProperties| properties.key_name(&self.to.stack_id).ok();
        let left_behind = name(&before)?;
        let is_used = left_behind == current.name || Some(&left_behind) == name(&now).as_ref();
        (before.pool_name == now.pool_name && !is_used).then_some(left_behind)
    }

    /// The id after a failure: the one that it had, so that CloudFormation does not take it for replaced.
    pub(crate) fn id_after_failure(&self) -> String {
        self.physical_resource_id.clone().unwrap_or_else(|| FAILED_CREATE.to_owned())
    }
}

/// The key that a Delete means: the one that its id names. Where the creation had failed or was never answered, the id names none, and it is the
/// one that the creation would have made. None where the properties are what the creation could not read.
fn key_to_remove(physical_resource_id: Option<&str>, properties: &Value, stack_id: &str) -> Option<KeyName> {
    let named = physical_resource_id.and_then(|id| id.parse().ok()).map(|id: KeyId| id.name);
    named.or_else(|| key_properties(properties.clone()).ok()?.key_name(stack_id).ok())
}

fn addressee(stack_id: String, request_id: String, logical_resource_id: String) -> Addressee {
    Addressee { stack_id, request_id, logical_resource_id }
}

/// Where the reply to a request that cannot be read goes, and as what: CloudFormation would wait for an hour without one.
pub(crate) fn return_address(payload: &Value) -> Option<(String, Addressee, String)> {
    let text = |name: &str| Some(payload.get(name)?.as_str()?.to_owned());
    let to = addressee(text("StackId")?, text("RequestId")?, text("LogicalResourceId")?);
    let id = text("PhysicalResourceId").unwrap_or_else(|| FAILED_CREATE.to_owned());
    Some((text("ResponseURL")?, to, id))
}
