//! The predicates of a search, and the comparison with a user.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;

use crate::user_pool::groups::GroupName;
use crate::user_pool::user::{User, UserStatus, Username};

/// A search term: 1 to 2048 characters, the maximum of attribute values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct SearchTerm(String);

/// The text is empty or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1–{} characters", SearchTerm::MAX_CHARS)]
pub struct InvalidSearchTerm;

impl SearchTerm {
    /// The maximum length in characters.
    pub const MAX_CHARS: usize = 2048;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SearchTerm {
    type Error = InvalidSearchTerm;

    fn try_from(text: String) -> Result<Self, InvalidSearchTerm> {
        if (1..=Self::MAX_CHARS).contains(&text.chars().count()) { Ok(Self(text)) } else { Err(InvalidSearchTerm) }
    }
}

/// A custom attribute and its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CustomAttribute {
    /// The name with its prefix, e.g. `custom:team`.
    pub name: String,
    /// The whole value. An empty value matches users who have the attribute with an empty value.
    pub value: String,
}

/// The predicates of a search, all of which must match. An empty query matches all users.
///
/// Two queries are equal if and only if their serialized forms are equal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Query {
    /// The real user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<Username>,
    /// The whole e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<SearchTerm>,
    /// The beginning of the e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_prefix: Option<SearchTerm>,
    /// The whole phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<SearchTerm>,
    /// The whole attribute `name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<SearchTerm>,
    /// The status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<UserStatus>,
    /// Whether the user is enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// A group that the user is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    /// Custom attributes. Two values for one name match no user.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub custom_attributes: BTreeSet<CustomAttribute>,
    /// Matches users created after this time.
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::timestamp::nanoseconds::option")]
    pub created_after: Option<OffsetDateTime>,
    /// Matches users created before this time.
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::timestamp::nanoseconds::option")]
    pub created_before: Option<OffsetDateTime>,
}

impl Query {
    /// Whether a user matches. `group` is ignored, because users do not contain their groups.
    #[must_use]
    pub fn matches(&self, user: &User) -> bool {
        let attribute = |name: &str| user.attributes.get(name).map(String::as_str);
        let is = |term: &Option<SearchTerm>, found: Option<&str>| {
            term.as_ref().is_none_or(|term| found.is_some_and(|found| folded(found) == folded(term.as_str())))
        };
        let begins = |term: &Option<SearchTerm>, found: Option<&str>| {
            let begins_with = |prefix: &str| found.is_some_and(|found| folded(found).starts_with(&folded(prefix)));
            term.as_ref().is_none_or(|term| begins_with(term.as_str()))
        };
        self.username.as_ref().is_none_or(|username| *username == user.username)
            && is(&self.email, attribute("email"))
            && begins(&self.email_prefix, attribute("email"))
            && is(&self.phone_number, attribute("phone_number"))
            && is(&self.name, attribute("name"))
            && self.status.as_ref().is_none_or(|status| *status == user.status)
            && self.enabled.is_none_or(|enabled| enabled == user.enabled)
            && self.custom_attributes.iter().all(|custom| attribute(&custom.name) == Some(&custom.value))
            && self.created_after.is_none_or(|time| user.created_at > time)
            && self.created_before.is_none_or(|time| user.created_at < time)
    }

    /// Whether the query has no predicates.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Folds A to Z, because Cognito ignores case in addresses and names. The result of a search must not depend on which
/// predicate becomes Cognito's filter.
fn folded(text: &str) -> String {
    text.to_ascii_lowercase()
}
