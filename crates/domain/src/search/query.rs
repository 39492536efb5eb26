//! What is asked for, and whom it is true of.

use std::collections::BTreeSet;

use serde::Serialize;
use thiserror::Error;
use time::OffsetDateTime;

use crate::user_pool::groups::GroupName;
use crate::user_pool::user::{User, UserStatus, Username};

/// A text that is looked for: 1 to 2048 characters, as values of attributes have at the most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SearchTerm(String);

/// Nothing to look for, or too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it has 1 to {} characters", SearchTerm::MAX_CHARS)]
pub struct InvalidSearchTerm;

impl SearchTerm {
    /// The longest text in characters.
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
    /// The whole value. An empty one is a value too: it finds those who have the attribute.
    pub value: String,
}

/// Whom to find: users of whom all of this is true. Of nothing at all, everybody.
///
/// Serialized, two queries look the same exactly when they are the same.
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
    /// Whether an administrator lets the user sign in at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// A group that the user is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    /// Custom attributes; of one name with two values nobody can be found.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub custom_attributes: BTreeSet<CustomAttribute>,
    /// Created later than this.
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::timestamp::nanoseconds::option")]
    pub created_after: Option<OffsetDateTime>,
    /// Created earlier than this.
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::timestamp::nanoseconds::option")]
    pub created_before: Option<OffsetDateTime>,
}

impl Query {
    /// Whether this is true of a user. Groups do not count: which ones they are in, users do not say.
    #[must_use]
    pub fn matches(&self, user: &User) -> bool {
        let attribute = |name: &str| user.attributes.get(name).map(String::as_str);
        let is = |asked: &Option<SearchTerm>, found: Option<&str>| {
            asked.as_ref().is_none_or(|asked| found.is_some_and(|found| folded(found) == folded(asked.as_str())))
        };
        let begins = |asked: &Option<SearchTerm>, found: Option<&str>| {
            let begins_with = |asked: &str| found.is_some_and(|found| folded(found).starts_with(&folded(asked)));
            asked.as_ref().is_none_or(|asked| begins_with(asked.as_str()))
        };
        self.username.as_ref().is_none_or(|username| *username == user.username)
            && is(&self.email, attribute("email"))
            && begins(&self.email_prefix, attribute("email"))
            && is(&self.phone_number, attribute("phone_number"))
            && is(&self.name, attribute("name"))
            && self.status.as_ref().is_none_or(|status| *status == user.status)
            && self.enabled.is_none_or(|enabled| enabled == user.enabled)
            && self.custom_attributes.iter().all(|asked| attribute(&asked.name) == Some(&asked.value))
            && self.created_after.is_none_or(|moment| user.created_at > moment)
            && self.created_before.is_none_or(|moment| user.created_at < moment)
    }

    /// Whether this is true of everybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Capital and small letters are the same to Cognito in addresses and names; so they are here, at least those from A to Z, or the same search
/// would find others when another condition beside it goes to Cognito.
fn folded(text: &str) -> String {
    text.to_ascii_lowercase()
}
