//! Which part of a query Cognito looks for, and what is left to be looked at here.

use super::query::{Query, SearchTerm};
use crate::user_pool::directory::{Comparison, Filter, FilterBy};
use crate::user_pool::groups::GroupName;
use crate::user_pool::user::{UserStatus, Username};

/// How a query is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Whom Cognito is asked for.
    pub list: List,
    /// What is still to be looked at here, for each of them.
    pub rest: Query,
}

/// A list of Cognito's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// All users, or those whom a filter meets.
    Users(Option<Filter>),
    /// The users in a group, which Cognito cannot filter.
    Members(GroupName),
}

impl Query {
    /// Lets Cognito look for what narrows the search down most.
    ///
    /// A name, address or number that goes there whole is not compared again: where Cognito takes capital and small letters for the
    /// same, it knows the pool's settings and we do not. Status and `enabled` are, which costs nothing: an implementation that does
    /// not know these filters (the local AWS) answers with everybody.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let mut rest = self.clone();
        if let Some(group) = rest.group.take() {
            return Plan { list: List::Members(group), rest };
        }
        let filter = share(&mut rest.username, Username::as_str, FilterBy::Username, Comparison::Equals)
            .or_else(|| share(&mut rest.email, SearchTerm::as_str, FilterBy::Email, Comparison::Equals))
            .or_else(|| share(&mut rest.phone_number, SearchTerm::as_str, FilterBy::PhoneNumber, Comparison::Equals))
            .or_else(|| share(&mut rest.email_prefix, SearchTerm::as_str, FilterBy::Email, Comparison::BeginsWith))
            .or_else(|| share(&mut rest.name, SearchTerm::as_str, FilterBy::Name, Comparison::Equals))
            .or_else(|| rest.status.as_ref().map(status_filter))
            .or_else(|| rest.enabled.map(enabled_filter));
        Plan { list: List::Users(filter), rest }
    }
}

/// The longest filter that Cognito takes. In bytes it holds whatever Cognito counts.
const MAX_FILTER_BYTES: usize = 256;

/// How much of a text fits into any filter.
pub(super) const MAX_SHARED_BYTES: usize = MAX_FILTER_BYTES - r#"phone_number ^= """#.len();

/// The filter for as much of a text as Cognito surely understands. A text that goes there whole is taken out of what is left to
/// compare; of any other its beginning goes there, unless that is nothing.
///
/// - Without quotes and backslashes a value needs no escapes, and nothing can break out of its filter. How a backslash is escaped the
///   documentation leaves open, and emulators know no escapes at all. Nor is every parser sure to take a line break.
/// - Cognito finds nobody by a beginning that ends with a separator, `mia@` for instance (aws-sdk-js-v3, issue 6645).
fn share<T>(sought: &mut Option<T>, as_str: fn(&T) -> &str, by: FilterBy, comparison: Comparison) -> Option<Filter> {
    let text = as_str(sought.as_ref()?);
    let is_plain = |character: char| !matches!(character, '"' | '\\') && !character.is_control();
    let goes_on =
        |(begin, character): &(usize, char)| begin + character.len_utf8() <= MAX_SHARED_BYTES && is_plain(*character);
    let plain: String = text.char_indices().take_while(goes_on).map(|(_, character)| character).collect();
    if comparison == Comparison::Equals && plain == text {
        *sought = None;
        return Some(Filter { by, comparison, value: plain });
    }
    let beginning = plain.trim_end_matches(|character: char| !character.is_alphanumeric());
    if beginning.is_empty() {
        return None;
    }
    let filter = Filter { by, comparison: Comparison::BeginsWith, value: beginning.to_owned() };
    if beginning == text {
        *sought = None;
    }
    Some(filter)
}

pub(super) fn status_filter(status: &UserStatus) -> Filter {
    Filter { by: FilterBy::Status, comparison: Comparison::Equals, value: status.as_str().to_owned() }
}

pub(super) fn enabled_filter(enabled: bool) -> Filter {
    let word = if enabled { "Enabled" } else { "Disabled" };
    Filter { by: FilterBy::Enabled, comparison: Comparison::Equals, value: word.to_owned() }
}
