//! Groups of a pool and the port for them. [`crate::user_pool::directory::Directory`] changes memberships.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;

use crate::user_pool::directory::{Page, PageRequest};
use crate::user_pool::error::UserPoolError;
use crate::user_pool::user::User;

/// The name of a group: 1 to 128 characters without whitespace or control characters (Cognito's limits).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(String);

/// The text is not the name of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1–128 characters without whitespace or control characters")]
pub struct InvalidGroupName;

impl GroupName {
    /// The maximum length in characters.
    pub const MAX_CHARS: usize = 128;

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for GroupName {
    type Error = InvalidGroupName;

    fn try_from(text: String) -> Result<Self, InvalidGroupName> {
        let fits = (1..=Self::MAX_CHARS).contains(&text.chars().count());
        let clean = !text.chars().any(|character| character.is_whitespace() || character.is_control());
        if fits && clean { Ok(Self(text)) } else { Err(InvalidGroupName) }
    }
}

impl std::str::FromStr for GroupName {
    type Err = InvalidGroupName;

    fn from_str(text: &str) -> Result<Self, InvalidGroupName> {
        Self::try_from(text.to_owned())
    }
}

impl From<GroupName> for String {
    fn from(name: GroupName) -> Self {
        name.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name, which never changes.
    pub name: GroupName,
    /// The description.
    pub description: Option<String>,
    /// Determines the role of a user with several groups: the lowest number takes precedence.
    pub precedence: Option<u32>,
    /// The IAM role that members can assume through an identity pool. The admin API does not set it.
    pub role_arn: Option<String>,
    /// When the group was created.
    pub created_at: OffsetDateTime,
    /// When the group was last changed.
    pub modified_at: OffsetDateTime,
}

/// A group that a user is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The name of the group.
    pub group: String,
    /// The IAM role that members can assume through an identity pool.
    pub role_arn: Option<String>,
}

impl Membership {
    /// The names of the groups.
    pub fn names(memberships: &[Self]) -> impl Iterator<Item = &str> {
        memberships.iter().map(|membership| membership.group.as_str())
    }
}

/// The fields of a group that can be set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupDetails {
    /// The description, at most 2048 characters.
    pub description: Option<String>,
    /// The precedence, from 0 to 2^31 - 1.
    pub precedence: Option<u32>,
}

/// The groups of one pool. Every method with a name returns [`Reason::GroupNotFound`](crate::user_pool::error::Reason)
/// for an unknown one.
#[async_trait]
pub trait Groups: Send + Sync {
    /// Returns a page of all groups.
    async fn list_groups(&self, page: &PageRequest) -> Result<Page<Group>, UserPoolError>;

    /// Returns a group.
    async fn group(&self, name: &GroupName) -> Result<Group, UserPoolError>;

    /// Creates a group. MUST return `GroupExists` for an existing name.
    async fn create_group(&self, name: &GroupName, details: &GroupDetails) -> Result<Group, UserPoolError>;

    /// Sets the given fields and leaves the others, including the role, unchanged. Safe to repeat.
    async fn update_group(&self, name: &GroupName, details: &GroupDetails) -> Result<Group, UserPoolError>;

    /// Deletes a group, but not its members. MUST return `GroupNotFound` if the group does not exist.
    async fn delete_group(&self, name: &GroupName) -> Result<(), UserPoolError>;

    /// Returns a page of the users in a group. Eventually consistent.
    async fn members(&self, name: &GroupName, page: &PageRequest) -> Result<Page<User>, UserPoolError>;
}
