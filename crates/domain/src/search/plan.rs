//! Splits a query into Cognito's filter and the remaining predicates.

use super::query::{Query, SearchTerm};
use crate::user_pool::directory::{Comparison, Filter, FilterBy};
use crate::user_pool::groups::GroupName;
use crate::user_pool::user::{UserStatus, Username};

/// The plan of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The list that Cognito returns.
    pub list: List,
    /// The predicates to apply to each user of the list.
    pub rest: Query,
}

/// A list that Cognito returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// All users, or those that match a filter.
    Users(Option<Filter>),
    /// The users in a group, which Cognito cannot filter.
    Members(GroupName),
}

impl Query {
    /// Makes the most selective predicate Cognito's filter.
    ///
    /// A name, address or number that the filter contains in full is not compared again, because only Cognito knows
    /// whether the pool is case-sensitive. Status and `enabled` are compared again, because emulators may ignore these
    /// filters.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let mut rest = self.clone();
        if let Some(group) = rest.group.take() {
            return Plan { list: List::Members(group), rest };
        }
        let filter = filter_for(&mut rest.username, Username::as_str, FilterBy::Username, Comparison::Equals)
            .or_else(|| filter_for(&mut rest.email, SearchTerm::as_str, FilterBy::Email, Comparison::Equals))
            .or_else(|| {
                filter_for(&mut rest.phone_number, SearchTerm::as_str, FilterBy::PhoneNumber, Comparison::Equals)
            })
            .or_else(|| filter_for(&mut rest.email_prefix, SearchTerm::as_str, FilterBy::Email, Comparison::BeginsWith))
            .or_else(|| filter_for(&mut rest.name, SearchTerm::as_str, FilterBy::Name, Comparison::Equals))
            .or_else(|| rest.status.as_ref().map(status_filter))
            .or_else(|| rest.enabled.map(enabled_filter));
        Plan { list: List::Users(filter), rest }
    }
}

/// The maximum length of a Cognito filter, counted in bytes to be safe.
const MAX_FILTER_BYTES: usize = 256;

/// The maximum length of a value in any filter.
pub(super) const MAX_VALUE_BYTES: usize = MAX_FILTER_BYTES - r#"phone_number ^= """#.len();

/// Returns the filter for the longest prefix of a search term that Cognito reliably supports, if it is not empty.
/// Clears a term that the filter contains in full.
///
/// - A value without quotes, backslashes and control characters needs no escapes and cannot break out of the filter.
///   AWS does not document how a backslash is escaped, and emulators support no escapes.
/// - Cognito finds no users for a prefix that ends with a separator, such as `mia@` (aws-sdk-js-v3, issue 6645).
fn filter_for<T>(term: &mut Option<T>, as_str: fn(&T) -> &str, by: FilterBy, comparison: Comparison) -> Option<Filter> {
    let text = as_str(term.as_ref()?);
    let is_plain = |character: char| !matches!(character, '"' | '\\') && !character.is_control();
    let fits =
        |(begin, character): &(usize, char)| begin + character.len_utf8() <= MAX_VALUE_BYTES && is_plain(*character);
    let plain: String = text.char_indices().take_while(fits).map(|(_, character)| character).collect();
    if comparison == Comparison::Equals && plain == text {
        *term = None;
        return Some(Filter { by, comparison, value: plain });
    }
    let prefix = plain.trim_end_matches(|character: char| !character.is_alphanumeric());
    if prefix.is_empty() {
        return None;
    }
    let filter = Filter { by, comparison: Comparison::BeginsWith, value: prefix.to_owned() };
    if prefix == text {
        *term = None;
    }
    Some(filter)
}

pub(super) fn status_filter(status: &UserStatus) -> Filter {
    Filter { by: FilterBy::Status, comparison: Comparison::Equals, value: status.as_str().to_owned() }
}

pub(super) fn enabled_filter(enabled: bool) -> Filter {
    let value = if enabled { "Enabled" } else { "Disabled" };
    Filter { by: FilterBy::Enabled, comparison: Comparison::Equals, value: value.to_owned() }
}
