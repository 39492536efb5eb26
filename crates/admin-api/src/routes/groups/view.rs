//! A group in an answer.

use domain::group::{Group, GroupName};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group)]
pub(super) struct GroupView {
    /// Never changes.
    name: GroupName,
    /// What it is for.
    description: Option<String>,
    /// Whose role counts for a user of several groups: the smallest number wins.
    precedence: Option<u32>,
    /// The IAM role that members can take through an identity pool.
    role_arn: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    modified_at: OffsetDateTime,
}

impl From<Group> for GroupView {
    fn from(group: Group) -> Self {
        let Group { name, description, precedence, role_arn, created_at, modified_at } = group;
        Self { name, description, precedence, role_arn, created_at, modified_at }
    }
}
