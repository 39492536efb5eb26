//! What is asked for, and which part of it Cognito looks for.

use std::collections::BTreeSet;

use serde::Serialize;
use thiserror::Error;
use time::OffsetDateTime;

use crate::directory::{Comparison, Filter, FilterBy};
use crate::group::GroupName;
use crate::user::{User, UserStatus};

/// The longest filter that Cognito takes, in characters: name, comparison, quotes, and the value with its escapes.
const MAX_FILTER_CHARS: usize = 256;

/// The filter with the least room for its value, without the value.
const LONGEST_FRAME: &str = r#"phone_number ^= """#;

/// A value that Cognito can look for: it fits into a filter whatever is compared with it.
///
/// In a filter a quote and a backslash are two characters each, so a value that holds one can only be half as long. That is
/// stricter than counting them, and can be said in an OpenAPI document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FilterValue(String);

/// The text is empty, or too long for a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a value has 1 to {} characters, with a quote or a backslash among them 1 to {}",
    FilterValue::MAX_CHARS,
    FilterValue::MAX_CHARS_WITH_ESCAPES
)]
pub struct NotAFilterValue;

impl FilterValue {
    /// The longest value in characters.
    pub const MAX_CHARS: usize = MAX_FILTER_CHARS - LONGEST_FRAME.len();

    /// The longest value that holds a quote or a backslash.
    pub const MAX_CHARS_WITH_ESCAPES: usize = Self::MAX_CHARS / 2;

    /// The value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FilterValue {
    type Error = NotAFilterValue;

    fn try_from(text: String) -> Result<Self, NotAFilterValue> {
        let max = if text.contains(['"', '\\']) { Self::MAX_CHARS_WITH_ESCAPES } else { Self::MAX_CHARS };
        if (1..=max).contains(&text.chars().count()) { Ok(Self(text)) } else { Err(NotAFilterValue) }
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
    pub username: Option<FilterValue>,
    /// The whole e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<FilterValue>,
    /// The beginning of the e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_prefix: Option<FilterValue>,
    /// The whole phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<FilterValue>,
    /// The whole attribute `name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<FilterValue>,
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
    /// It is trusted with names, addresses and numbers, and not asked twice: where it takes capital and small letters for the
    /// same, it knows the pool's settings and we do not. Status and `enabled` are looked at here as well, which costs nothing: an
    /// implementation that does not know these filters (the local AWS) answers with everybody.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let mut rest = self.clone();
        if let Some(group) = rest.group.take() {
            return Plan { list: List::Members(group), rest };
        }
        let filter = |by, comparison| move |FilterValue(value)| Filter { by, comparison, value };
        let filter = (rest.username.take().map(filter(FilterBy::Username, Comparison::Equals)))
            .or_else(|| rest.email.take().map(filter(FilterBy::Email, Comparison::Equals)))
            .or_else(|| rest.phone_number.take().map(filter(FilterBy::PhoneNumber, Comparison::Equals)))
            .or_else(|| rest.email_prefix.take().map(filter(FilterBy::Email, Comparison::BeginsWith)))
            .or_else(|| rest.name.take().map(filter(FilterBy::Name, Comparison::Equals)))
            .or_else(|| rest.status.as_ref().map(status_filter))
            .or_else(|| rest.enabled.map(enabled_filter));
        Plan { list: List::Users(filter), rest }
    }

    /// Whether this is true of a user. Groups do not count: which ones they are in, users do not say.
    #[must_use]
    pub fn matches(&self, user: &User) -> bool {
        let attribute = |name: &str| user.attributes.get(name).map(String::as_str);
        let is = |asked: &Option<FilterValue>, found: Option<&str>| {
            asked.as_ref().is_none_or(|asked| found == Some(asked.as_str()))
        };
        let begins = |asked: &Option<FilterValue>, found: Option<&str>| {
            asked.as_ref().is_none_or(|asked| found.is_some_and(|found| found.starts_with(asked.as_str())))
        };
        is(&self.username, Some(user.username.as_str()))
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

fn status_filter(status: &UserStatus) -> Filter {
    let word = match status {
        UserStatus::Unconfirmed => "UNCONFIRMED",
        UserStatus::Confirmed => "CONFIRMED",
        UserStatus::ExternalProvider => "EXTERNAL_PROVIDER",
        UserStatus::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
        UserStatus::ResetRequired => "RESET_REQUIRED",
        UserStatus::Unknown => "UNKNOWN",
        UserStatus::Other(word) => word,
    };
    Filter { by: FilterBy::Status, comparison: Comparison::Equals, value: word.to_owned() }
}

fn enabled_filter(enabled: bool) -> Filter {
    let word = if enabled { "Enabled" } else { "Disabled" };
    Filter { by: FilterBy::Enabled, comparison: Comparison::Equals, value: word.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::Duration;

    use super::*;
    use crate::user::Attributes;

    fn value(text: &str) -> Option<FilterValue> {
        Some(text.to_owned().try_into().unwrap())
    }

    fn custom<const N: usize>(attributes: [(&str, &str); N]) -> BTreeSet<CustomAttribute> {
        let attribute =
            |(name, value): (&str, &str)| CustomAttribute { name: name.to_owned(), value: value.to_owned() };
        attributes.map(attribute).into()
    }

    /// A query with everything in it but a group.
    fn full() -> Query {
        Query {
            username: value("mia-1"),
            email: value("mia@example.com"),
            email_prefix: value("mia@"),
            phone_number: value("+15550100"),
            name: value("Mia B"),
            status: Some(UserStatus::ForceChangePassword),
            enabled: Some(false),
            group: None,
            custom_attributes: custom([("custom:team", "blue")]),
            created_after: Some(OffsetDateTime::UNIX_EPOCH),
            created_before: Some(OffsetDateTime::UNIX_EPOCH + Duration::seconds(2)),
        }
    }

    /// The user whom [`full`] finds.
    fn mia() -> User {
        let attributes = [
            ("email", "mia@example.com"),
            ("phone_number", "+15550100"),
            ("name", "Mia B"),
            ("custom:team", "blue"),
            ("custom:empty", ""),
        ];
        User {
            username: "mia-1".parse().unwrap(),
            status: UserStatus::ForceChangePassword,
            enabled: false,
            attributes: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            created_at: OffsetDateTime::UNIX_EPOCH + Duration::seconds(1),
            modified_at: OffsetDateTime::UNIX_EPOCH + Duration::seconds(9),
        }
    }

    #[test]
    fn the_most_selective_predicate_goes_to_cognito_and_the_others_are_looked_at_here() {
        use Comparison::{BeginsWith, Equals};
        use FilterBy::{Email, Enabled, Name, PhoneNumber, Status, Username};
        type Without = fn(Query) -> Query;
        // From one row to the next the predicate is left out that went to Cognito before.
        let table: [(Filter, Without); 7] = [
            (filter(Username, Equals, "mia-1"), |query| Query { username: None, ..query }),
            (filter(Email, Equals, "mia@example.com"), |query| Query { email: None, ..query }),
            (filter(PhoneNumber, Equals, "+15550100"), |query| Query { phone_number: None, ..query }),
            (filter(Email, BeginsWith, "mia@"), |query| Query { email_prefix: None, ..query }),
            (filter(Name, Equals, "Mia B"), |query| Query { name: None, ..query }),
            (filter(Status, Equals, "FORCE_CHANGE_PASSWORD"), |query| query),
            (filter(Enabled, Equals, "Disabled"), |query| query),
        ];
        let mut query = full();
        for (expected, without) in table {
            let rest = without(query.clone());
            let plan = query.plan();
            assert_eq!(plan, Plan { list: List::Users(Some(expected.clone())), rest: rest.clone() });
            query = if expected.by == Status { Query { status: None, ..rest } } else { rest };
        }
        query.enabled = None;
        assert_eq!(query.plan(), Plan { list: List::Users(None), rest: query });
    }

    fn filter(by: FilterBy, comparison: Comparison, value: &str) -> Filter {
        Filter { by, comparison, value: value.to_owned() }
    }

    #[test]
    fn a_group_is_listed_and_everything_else_is_looked_at_here() {
        let group: GroupName = "admins".parse().unwrap();
        let query = Query { group: Some(group.clone()), ..full() };
        assert_eq!(query.plan(), Plan { list: List::Members(group), rest: full() });
    }

    #[test]
    fn nothing_asked_for_is_everybody() {
        let plan = Query::default().plan();
        assert_eq!(plan.list, List::Users(None));
        assert!(plan.rest.is_empty() && plan.rest.matches(&mia()));
    }

    #[test]
    fn each_status_is_asked_for_in_the_word_that_it_is_shown_in() {
        for word in [
            "UNCONFIRMED",
            "CONFIRMED",
            "EXTERNAL_PROVIDER",
            "FORCE_CHANGE_PASSWORD",
            "RESET_REQUIRED",
            "UNKNOWN",
            "ARCHIVED",
        ] {
            let status: UserStatus = serde_json::from_value(word.into()).unwrap();
            assert_eq!(status_filter(&status).value, word);
        }
        assert_eq!(enabled_filter(true).value, "Enabled");
    }

    #[test]
    fn a_user_is_found_where_every_predicate_is_true_and_not_where_one_is_false() {
        type Change = fn(&mut User);
        let mia = mia();
        assert!(full().matches(&mia));
        let table: [(&str, Change); 11] = [
            ("another user name", |user| user.username = "mia-12".parse().unwrap()),
            ("another address", |user| set(user, "email", "mia@example.com.org")),
            ("another case", |user| set(user, "email", "Mia@example.com")),
            ("no address", |user| drop(user.attributes.remove("email"))),
            ("another number", |user| set(user, "phone_number", "+155501000")),
            ("another name", |user| set(user, "name", "Mia B ")),
            ("another status", |user| user.status = UserStatus::Confirmed),
            ("enabled", |user| user.enabled = true),
            ("another custom value", |user| set(user, "custom:team", "blue\n")),
            ("created too early", |user| user.created_at -= Duration::seconds(1)),
            ("created too late", |user| user.created_at += Duration::seconds(1)),
        ];
        for (case, change) in table {
            let mut user = mia.clone();
            change(&mut user);
            assert!(!full().matches(&user), "{case}");
        }
    }

    fn set(user: &mut User, name: &str, value: &str) {
        user.attributes.insert(name.to_owned(), value.to_owned());
    }

    #[test]
    fn several_predicates_about_one_thing_are_all_asked_for() {
        let cases = [
            (Query { email: value("mia@example.com"), email_prefix: value("mi"), ..Query::default() }, true),
            (Query { email: value("mia@example.com"), email_prefix: value("ia"), ..Query::default() }, false),
            (only_custom([("custom:team", "blue"), ("custom:empty", "")]), true),
            (only_custom([("custom:team", "blue"), ("custom:team", "red")]), false),
            (only_custom([("custom:absent", "")]), false),
        ];
        for (query, is_found) in cases {
            assert_eq!(query.matches(&mia()), is_found, "{query:?}");
        }
    }

    fn only_custom<const N: usize>(attributes: [(&str, &str); N]) -> Query {
        Query { custom_attributes: custom(attributes), ..Query::default() }
    }

    #[test]
    fn a_moment_is_the_same_in_every_time_zone() {
        let moment = OffsetDateTime::UNIX_EPOCH;
        let elsewhere = moment.to_offset(time::UtcOffset::from_hms(2, 0, 0).unwrap());
        let created_after = |moment| Query { created_after: Some(moment), ..Query::default() };
        assert_eq!(text(&created_after(moment)), text(&created_after(elsewhere)));
        let user = User { created_at: moment, attributes: Attributes::new(), ..mia() };
        assert!(!created_after(elsewhere).matches(&user));
    }

    fn text(query: &Query) -> String {
        serde_json::to_string(query).unwrap()
    }

    #[test]
    fn a_value_fits_into_every_filter_with_its_escapes() {
        let longest = FilterValue::MAX_CHARS;
        let longest_escaped = FilterValue::MAX_CHARS_WITH_ESCAPES;
        assert_eq!((longest, longest_escaped), (238, 119));
        for good in ["x", " ", "\n", &"ü".repeat(longest), &"\"".repeat(longest_escaped), &"\\".repeat(longest_escaped)]
        {
            assert!(FilterValue::try_from((*good).to_owned()).is_ok(), "{good}");
            let escapes = good.matches(['"', '\\']).count();
            assert!(LONGEST_FRAME.len() + good.chars().count() + escapes <= MAX_FILTER_CHARS, "{good}");
        }
        let too_long_for_a_quote = format!("\"{}", "x".repeat(longest_escaped));
        for bad in ["", &"x".repeat(longest + 1), &too_long_for_a_quote] {
            assert_eq!(FilterValue::try_from((*bad).to_owned()), Err(NotAFilterValue), "{bad}");
        }
    }

    /// Queries of few values that look like each other, and like JSON, so that two of them are often nearly the same.
    fn queries() -> impl Strategy<Value = Query> {
        let text = prop::sample::select(vec!["a", "b", "a\"", "\"a", "a,b", "\\", "a\",\"email\":\"b"]);
        let value = || prop::option::of(text.clone().prop_map(|text| FilterValue(text.to_owned())));
        let group = prop::option::of(prop::sample::select(vec!["a", "b"]).prop_map(|name| name.parse().unwrap()));
        let status = prop::option::of(prop::sample::select(vec![
            UserStatus::Confirmed,
            UserStatus::Unknown,
            UserStatus::Other("X".to_owned()),
        ]));
        let attribute = (prop::sample::select(vec!["custom:a", "custom:b"]), text.clone());
        let custom = prop::collection::btree_set(
            attribute.prop_map(|(name, value)| CustomAttribute { name: name.to_owned(), value: value.to_owned() }),
            0..3,
        );
        let moment =
            || prop::option::of((0..3_i64).prop_map(|second| OffsetDateTime::UNIX_EPOCH + Duration::seconds(second)));
        let texts = (value(), value(), value(), value(), value());
        (texts, status, any::<Option<bool>>(), group, custom, moment(), moment()).prop_map(
            |(texts, status, enabled, group, custom_attributes, created_after, created_before)| {
                let (username, email, email_prefix, phone_number, name) = texts;
                Query {
                    username,
                    email,
                    email_prefix,
                    phone_number,
                    name,
                    status,
                    enabled,
                    group,
                    custom_attributes,
                    created_after,
                    created_before,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn serialized_two_queries_are_the_same_exactly_when_they_are(one in queries(), other in queries(), from in 0..11) {
            // Two random queries always differ: take most of the one for the other.
            let near = Query {
                username: if from == 0 { other.username } else { one.username.clone() },
                email: if from == 1 { other.email } else { one.email.clone() },
                email_prefix: if from == 2 { other.email_prefix } else { one.email_prefix.clone() },
                phone_number: if from == 3 { other.phone_number } else { one.phone_number.clone() },
                name: if from == 4 { other.name } else { one.name.clone() },
                status: if from == 5 { other.status } else { one.status.clone() },
                enabled: if from == 6 { other.enabled } else { one.enabled },
                group: if from == 7 { other.group } else { one.group.clone() },
                custom_attributes: if from == 8 { other.custom_attributes } else { one.custom_attributes.clone() },
                created_after: if from == 9 { other.created_after } else { one.created_after },
                created_before: if from == 10 { other.created_before } else { one.created_before },
            };
            prop_assert_eq!(text(&one) == text(&near), one == near);
        }

        #[test]
        fn what_cognito_looks_for_and_what_is_looked_at_here_are_all_that_is_asked_for(query in queries()) {
            let Plan { list, rest } = query.plan();
            let trusted = match list {
                List::Users(None) => Query::default(),
                List::Members(group) => Query { group: Some(group), ..Query::default() },
                List::Users(Some(Filter { by, comparison, value })) => {
                    let value = Some(FilterValue(value));
                    let none = Query::default();
                    match (by, comparison) {
                        (FilterBy::Username, _) => Query { username: value, ..none },
                        (FilterBy::Email, Comparison::Equals) => Query { email: value, ..none },
                        (FilterBy::Email, Comparison::BeginsWith) => Query { email_prefix: value, ..none },
                        (FilterBy::PhoneNumber, _) => Query { phone_number: value, ..none },
                        (FilterBy::Name, _) => Query { name: value, ..none },
                        (FilterBy::Status | FilterBy::Enabled, _) => none,
                    }
                }
            };
            let whole = Query {
                username: rest.username.or(trusted.username),
                email: rest.email.or(trusted.email),
                email_prefix: rest.email_prefix.or(trusted.email_prefix),
                phone_number: rest.phone_number.or(trusted.phone_number),
                name: rest.name.or(trusted.name),
                group: rest.group.or(trusted.group),
                ..rest
            };
            prop_assert_eq!(whole, query);
        }
    }
}
