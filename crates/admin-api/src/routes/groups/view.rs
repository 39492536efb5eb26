//! A group in responses.

use domain::user_pool::groups::{Group, GroupName};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group, example = Self::example)]
pub(crate) struct GroupView {
    /// The immutable name.
    name: GroupName,
    /// The purpose of the group.
    #[schema(required = true)]
    description: Option<String>,
    /// The group with the lowest value determines the preferred IAM role of a user in several groups.
    #[schema(required = true)]
    precedence: Option<u32>,
    /// The IAM role that members can assume through an identity pool.
    #[schema(required = true)]
    role_arn: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    modified_at: OffsetDateTime,
}

impl GroupView {
    /// Example for the OpenAPI document.
    pub(super) fn example() -> Value {
        json!({
            "name": "support",
            "description": "Answers questions",
            "precedence": 10,
            "role_arn": null,
            "created_at": "2026-01-05T08:00:00.789Z",
            "modified_at": "2026-01-05T08:00:00.789Z",
        })
    }
}

impl From<Group> for GroupView {
    fn from(group: Group) -> Self {
        let Group { name, description, precedence, role_arn, created_at, modified_at } = group;
        Self { name, description, precedence, role_arn, created_at, modified_at }
    }
}
