//! Groups of a pool and the port for them. [`crate::user_pool::directory::Directory`] changes memberships.

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::user_pool::error::UserPoolError;
use crate::user_pool::name::name;
use crate::user_pool::page::{Page, PageRequest};
use crate::user_pool::user::User;

name! {
    /// The name of a group: 1 to 128 characters without whitespace or control characters (Cognito's limits).
    GroupName
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
/// for an unknown group.
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
