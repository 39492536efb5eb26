//! Tests which users a query matches, and that filter and remaining predicates together match the same users.

use std::collections::BTreeSet;

use proptest::prelude::*;
use time::{Duration, OffsetDateTime};

use super::plan::{MAX_VALUE_BYTES, enabled_filter, status_filter};
use super::{CustomAttribute, InvalidSearchTerm, List, Plan, Query, SearchTerm};
use crate::user_pool::directory::{Comparison, Filter, FilterBy};
use crate::user_pool::groups::GroupName;
use crate::user_pool::user::{Attributes, User, UserStatus};

fn term(text: &str) -> SearchTerm {
    text.to_owned().try_into().unwrap()
}

fn custom<const N: usize>(attributes: [(&str, &str); N]) -> BTreeSet<CustomAttribute> {
    let attribute = |(name, value): (&str, &str)| CustomAttribute { name: name.to_owned(), value: value.to_owned() };
    attributes.map(attribute).into()
}

/// A query with every predicate except a group.
fn full() -> Query {
    Query {
        username: Some("mia-1".parse().unwrap()),
        email: Some(term("mia@example.com")),
        email_prefix: Some(term("mia@ex")),
        phone_number: Some(term("+15550100")),
        name: Some(term("Mia B")),
        status: Some(UserStatus::ForceChangePassword),
        enabled: Some(false),
        group: None,
        custom_attributes: custom([("custom:team", "blue")]),
        created_after: Some(OffsetDateTime::UNIX_EPOCH),
        created_before: Some(OffsetDateTime::UNIX_EPOCH + Duration::seconds(2)),
    }
}

/// A user that [`full`] matches.
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
fn the_most_selective_predicate_becomes_the_filter() {
    use Comparison::{BeginsWith, Equals};
    use FilterBy::{Email, Enabled, Name, PhoneNumber, Status, Username};
    type Without = fn(Query) -> Query;
    // Each row removes the predicate that was the filter of the previous row.
    let table: [(Filter, Without); 7] = [
        (filter(Username, Equals, "mia-1"), |query| Query { username: None, ..query }),
        (filter(Email, Equals, "mia@example.com"), |query| Query { email: None, ..query }),
        (filter(PhoneNumber, Equals, "+15550100"), |query| Query { phone_number: None, ..query }),
        (filter(Email, BeginsWith, "mia@ex"), |query| Query { email_prefix: None, ..query }),
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
fn a_group_query_lists_members_and_applies_the_rest_here() {
    let group: GroupName = "admins".parse().unwrap();
    let query = Query { group: Some(group.clone()), ..full() };
    assert_eq!(query.plan(), Plan { list: List::Members(group), rest: full() });
}

#[test]
fn an_empty_query_matches_everyone() {
    let plan = Query::default().plan();
    assert_eq!(plan.list, List::Users(None));
    assert!(plan.rest.is_empty() && plan.rest.matches(&mia()));
}

#[test]
fn status_filter_has_the_spelling_of_the_status() {
    for name in [
        "UNCONFIRMED",
        "CONFIRMED",
        "EXTERNAL_PROVIDER",
        "FORCE_CHANGE_PASSWORD",
        "RESET_REQUIRED",
        "UNKNOWN",
        "ARCHIVED",
    ] {
        let status: UserStatus = serde_json::from_value(name.into()).unwrap();
        assert_eq!(status_filter(&status).value, name);
    }
    assert_eq!(enabled_filter(true).value, "Enabled");
}

#[test]
fn matches_users_for_which_every_predicate_is_true() {
    type Change = fn(&mut User);
    let mia = mia();
    assert!(full().matches(&mia));
    let table: [(&str, Change); 10] = [
        ("another user name", |user| user.username = "mia-12".parse().unwrap()),
        ("another address", |user| set(user, "email", "mia@example.com.org")),
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

#[test]
fn ignores_case_where_cognito_does() {
    type Change = fn(&mut User);
    let table: [(&str, Change, bool); 5] = [
        ("address", |user| set(user, "email", "MIA@Example.com"), true),
        ("name", |user| set(user, "name", "mia b"), true),
        ("user name", |user| user.username = "Mia-1".parse().unwrap(), false),
        ("custom value", |user| set(user, "custom:team", "Blue"), false),
        ("another letter", |user| set(user, "name", "mia c"), false),
    ];
    for (case, change, is_match) in table {
        let mut user = mia();
        change(&mut user);
        assert_eq!(full().matches(&user), is_match, "{case}");
    }
}

fn set(user: &mut User, name: &str, value: &str) {
    user.attributes.insert(name.to_owned(), value.to_owned());
}

#[test]
fn several_predicates_on_one_attribute_must_all_match() {
    let email =
        |whole, prefix| Query { email: Some(term(whole)), email_prefix: Some(term(prefix)), ..Query::default() };
    let cases = [
        (email("mia@example.com", "mi"), true),
        (email("mia@example.com", "ia"), false),
        (only_custom([("custom:team", "blue"), ("custom:empty", "")]), true),
        (only_custom([("custom:team", "blue"), ("custom:team", "red")]), false),
        (only_custom([("custom:absent", "")]), false),
    ];
    for (query, is_match) in cases {
        assert_eq!(query.matches(&mia()), is_match, "{query:?}");
    }
}

fn only_custom<const N: usize>(attributes: [(&str, &str); N]) -> Query {
    Query { custom_attributes: custom(attributes), ..Query::default() }
}

#[test]
fn times_are_compared_independently_of_time_zones() {
    let time = OffsetDateTime::UNIX_EPOCH;
    let elsewhere = time.to_offset(time::UtcOffset::from_hms(2, 0, 0).unwrap());
    let created_after = |time| Query { created_after: Some(time), ..Query::default() };
    assert_eq!(text(&created_after(time)), text(&created_after(elsewhere)));
    let user = User { created_at: time, attributes: Attributes::new(), ..mia() };
    assert!(!created_after(elsewhere).matches(&user));
}

fn text(query: &Query) -> String {
    serde_json::to_string(query).unwrap()
}

#[test]
fn filters_by_the_prefix_before_unsupported_characters() {
    let long = "x".repeat(MAX_VALUE_BYTES + 1);
    let wide = "ü".repeat(MAX_VALUE_BYTES);
    let table = [
        ("Lou O\"Neil", Some("Lou O")),
        ("Lou \"O\" Neil", Some("Lou")),
        ("back\\slash", Some("back")),
        ("line\nline", Some("line")),
        ("\" or name ^= \"", None),
        ("\\\"", None),
        ("…\"", None),
        (&long, Some(&long[1..])),
        (&wide, Some(&wide[..MAX_VALUE_BYTES])),
    ];
    for (text, prefix) in table {
        let query = Query { name: Some(term(text)), ..Query::default() };
        let expected = prefix.map(|prefix| filter(FilterBy::Name, Comparison::BeginsWith, prefix));
        assert_eq!(query.plan(), Plan { list: List::Users(expected), rest: query }, "{text}");
    }
    for text in ["plain", "ends with a dot.", "@", "👩", "100%", "a = 'b'", &long[1..]] {
        let query = Query { name: Some(term(text)), ..Query::default() };
        let expected = Some(filter(FilterBy::Name, Comparison::Equals, text));
        assert_eq!(query.plan(), Plan { list: List::Users(expected), rest: Query::default() }, "{text}");
    }
}

#[test]
fn filters_by_the_prefix_without_a_trailing_separator() {
    for (prefix, filtered, is_compared_here) in [
        ("mia", Some("mia"), false),
        ("mia@ex", Some("mia@ex"), false),
        ("mia@", Some("mia"), true),
        ("mia.+", Some("mia"), true),
        ("mia\"b", Some("mia"), true),
        ("@", None, true),
    ] {
        let query = Query { email_prefix: Some(term(prefix)), ..Query::default() };
        let list = List::Users(filtered.map(|value| filter(FilterBy::Email, Comparison::BeginsWith, value)));
        let rest = if is_compared_here { query.clone() } else { Query::default() };
        assert_eq!(query.plan(), Plan { list, rest }, "{prefix}");
    }
}

#[test]
fn uses_the_next_predicate_if_one_cannot_be_a_filter() {
    let query = Query { email: Some(term("\"")), name: Some(term("Mia")), ..Query::default() };
    let rest = Query { name: None, ..query.clone() };
    let list = List::Users(Some(filter(FilterBy::Name, Comparison::Equals, "Mia")));
    assert_eq!(query.plan(), Plan { list, rest });
}

#[test]
fn search_terms_are_as_long_as_attribute_values() {
    for good in ["x", " ", "\n", "\"", &"ü".repeat(2048)] {
        assert!(SearchTerm::try_from(good.to_owned()).is_ok(), "{good}");
    }
    for bad in ["", &"x".repeat(2049)] {
        assert_eq!(SearchTerm::try_from(bad.to_owned()), Err(InvalidSearchTerm), "{bad}");
    }
}

const NAMES: &[&str] = &["a", "b", "a\"", "\\a"];

const TEXTS: &[&str] = &["a", "b", "a\"", "\"a", "a,b", "a\nb", "\\", "a\",\"email\":\"b"];

/// Queries with similar values, some of which resemble JSON, so that two queries are often nearly equal.
fn queries() -> impl Strategy<Value = Query> {
    let text = prop::sample::select(TEXTS);
    let value = || prop::option::of(text.clone().prop_map(term));
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
    let time =
        || prop::option::of((0..3_i64).prop_map(|second| OffsetDateTime::UNIX_EPOCH + Duration::seconds(second)));
    let username = prop::option::of(prop::sample::select(NAMES).prop_map(|name| name.parse().unwrap()));
    let texts = (username, value(), value(), value(), value());
    (texts, status, any::<Option<bool>>(), group, custom, time(), time()).prop_map(
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
    fn serialized_queries_are_equal_exactly_if_the_queries_are(one in queries(), other in queries(), from in 0..11) {
        // Two random queries always differ, so this one differs in one field only.
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
    fn filter_and_rest_together_match_what_the_query_matches(query in queries(), user in users()) {
        let Plan { list, rest } = query.plan();
        let is_listed = match list {
            List::Users(filter) => filter.is_none_or(|filter| matches(&filter, &user)),
            List::Members(group) => Some(group) == query.group,
        };
        prop_assert_eq!(is_listed && rest.matches(&user), query.matches(&user));
    }

    #[test]
    fn every_filter_value_fits_and_needs_no_escapes(text in ".{1,400}", number in 0..5) {
        let text = Some(term(&text));
        let query = match number {
            0 => Query { email: text, ..Query::default() },
            1 => Query { email_prefix: text, ..Query::default() },
            2 => Query { phone_number: text, ..Query::default() },
            3 => Query { name: text, ..Query::default() },
            _ => Query { username: text.and_then(|text| text.as_str().parse().ok()), ..Query::default() },
        };
        if let List::Users(Some(filter)) = query.plan().list {
            prop_assert!((1..=MAX_VALUE_BYTES).contains(&filter.value.len()));
            prop_assert!(!filter.value.contains(['"', '\\', '\n']));
        }
    }
}

fn users() -> impl Strategy<Value = User> {
    let attribute = || prop::option::of(prop::sample::select(TEXTS));
    let attributes = (attribute(), attribute(), attribute(), attribute()).prop_map(|(email, number, name, custom)| {
        let all = [("email", email), ("phone_number", number), ("name", name), ("custom:a", custom)];
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect::<Attributes>()
    });
    (prop::sample::select(NAMES), attributes, any::<bool>(), 0..3_i64).prop_map(
        |(name, attributes, enabled, second)| User {
            username: name.parse().unwrap(),
            status: UserStatus::Confirmed,
            enabled,
            attributes,
            created_at: OffsetDateTime::UNIX_EPOCH + Duration::seconds(second),
            modified_at: OffsetDateTime::UNIX_EPOCH,
        },
    )
}

/// Compares as a case-sensitive pool does.
fn matches(filter: &Filter, user: &User) -> bool {
    let attribute = |name: &str| user.attributes.get(name).map(String::as_str);
    let found = match filter.by {
        FilterBy::Username => Some(user.username.as_str()),
        FilterBy::Email => attribute("email"),
        FilterBy::PhoneNumber => attribute("phone_number"),
        FilterBy::Name => attribute("name"),
        FilterBy::Status => return filter.value == status_filter(&user.status).value,
        FilterBy::Enabled => return filter.value == enabled_filter(user.enabled).value,
    };
    found.is_some_and(|found| match filter.comparison {
        Comparison::Equals => found == filter.value,
        Comparison::BeginsWith => found.starts_with(&filter.value),
    })
}
