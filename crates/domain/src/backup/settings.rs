//! What a backup contains besides the users.

use serde::{Deserialize, Serialize};

use crate::platform::ClientState;
use crate::spec::Spec;
use crate::user_pool::groups::{Group, GroupDetails, GroupName};

/// The settings, app clients and groups of a pool.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The Region.
    pub region: String,
    /// The id of the pool.
    pub user_pool_id: String,
    /// The name of the pool.
    pub user_pool_name: String,
    /// The spec of the pool, without groups and first administrator.
    pub spec: Spec,
    /// All app clients.
    pub clients: Vec<ClientRecord>,
    /// All groups.
    pub groups: Vec<GroupRecord>,
    /// The settings that the spec does not contain.
    pub not_included: Vec<String>,
}

/// An app client, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientRecord {
    /// The client id.
    pub id: String,
    /// The name.
    pub name: String,
    /// Whether the client has a secret.
    pub has_secret: bool,
    /// Whether the spec contains the client. Other clients are not restored.
    pub in_spec: bool,
    /// The settings that a spec sets.
    pub settings: ClientState,
    /// The names of other settings.
    pub other_settings: Vec<String>,
}

/// The content of `clients.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientsFile {
    pub(super) clients: Vec<ClientRecord>,
}

/// A group, one line of `groups.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRecord {
    /// The name.
    pub name: GroupName,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The precedence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precedence: Option<u32>,
    /// The IAM role, which is not restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
}

impl GroupRecord {
    /// The fields that a restore sets.
    pub(super) fn details(&self) -> GroupDetails {
        GroupDetails { description: self.description.clone(), precedence: self.precedence }
    }
}

impl From<Group> for GroupRecord {
    fn from(Group { name, description, precedence, role_arn, created_at: _, modified_at: _ }: Group) -> Self {
        // The emulator returns an empty description for a group without one.
        Self { name, description: description.filter(|text| !text.is_empty()), precedence, role_arn }
    }
}
