//! Groups of a pool, and the port for them. Who is in which group is the [`crate::user_pool::directory::Directory`]'s to change.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;

use crate::user_pool::directory::{Page, PageRequest};
use crate::user_pool::error::UserPoolError;
use crate::user_pool::user::User;

/// The name of a group: 1 to 128 characters, no control characters and no blanks (Cognito's own limits).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(String);

/// The text is not the name of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the name of a group has 1 to 128 characters, without blanks and control characters")]
pub struct NotAGroupName;

impl GroupName {
    /// The longest name in characters.
    pub const MAX_CHARS: usize = 128;

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for GroupName {
    type Error = NotAGroupName;

    fn try_from(text: String) -> Result<Self, NotAGroupName> {
        let fits = (1..=Self::MAX_CHARS).contains(&text.chars().count());
        let clean = !text.chars().any(|character| character.is_whitespace() || character.is_control());
        if fits && clean { Ok(Self(text)) } else { Err(NotAGroupName) }
    }
}

impl std::str::FromStr for GroupName {
    type Err = NotAGroupName;

    fn from_str(text: &str) -> Result<Self, NotAGroupName> {
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
    /// What it is for.
    pub description: Option<String>,
    /// Which group's role a user of several gets: the smallest number wins.
    pub precedence: Option<u32>,
    /// The IAM role that members can take through an identity pool. Set past this API.
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

/// What is said about a group when it is created or changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupDetails {
    /// What it is for, at most 2048 characters.
    pub description: Option<String>,
    /// Which group's role a user of several gets, from 0 to 2^31 - 1.
    pub precedence: Option<u32>,
}

/// The groups of one pool. Every method with a name answers [`Reason::GroupNotFound`](crate::user_pool::error::Reason) for an
/// unknown one.
#[async_trait]
pub trait Groups: Send + Sync {
    /// One page of all groups.
    async fn list_groups(&self, page: &PageRequest) -> Result<Page<Group>, UserPoolError>;

    /// Looks a group up.
    async fn group(&self, name: &GroupName) -> Result<Group, UserPoolError>;

    /// Creates a group. MUST answer `GroupExists` for a name that is taken.
    async fn create_group(&self, name: &GroupName, details: &GroupDetails) -> Result<Group, UserPoolError>;

    /// Changes what is given and leaves the rest (the role included) as it is. Safe to repeat.
    async fn update_group(&self, name: &GroupName, details: &GroupDetails) -> Result<Group, UserPoolError>;

    /// Deletes a group; its members stay. MUST answer `GroupNotFound` for one that is not (or no longer) there.
    async fn delete_group(&self, name: &GroupName) -> Result<(), UserPoolError>;

    /// One page of the users in a group. Lags writes by moments.
    async fn members(&self, name: &GroupName, page: &PageRequest) -> Result<Page<User>, UserPoolError>;
}
