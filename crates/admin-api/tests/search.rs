//! A search on the pool in memory, whatever is asked for, however long Cognito's pages are, and wherever a request ends: walked to
//! its end it finds exactly those who are meant, in order, without a gap or a repeat.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use domain::search::{CustomAttribute, Found, Place, Query, SearchTerm, walk};
use domain::user_pool::user::{User, UserStatus};
use proptest::prelude::*;
use testkit::in_memory::InMemoryPool;
use time::{Duration, OffsetDateTime};

/// A user to be, of few values: a search is to find some of them.
#[derive(Debug, Clone)]
struct Person {
    email: Option<&'static str>,
    phone_number: Option<&'static str>,
    name: Option<&'static str>,
    team: Option<&'static str>,
    status: UserStatus,
    enabled: bool,
    is_member: bool,
}

/// What one request is like, besides what it asks for.
#[derive(Debug, Clone, Copy)]
struct Request {
    limit: u8,
    budget: usize,
    /// How long Cognito's pages are this time.
    page: usize,
}

const EMAILS: [&str; 3] = ["a@x", "ab@x", "b@x"];
const PHONE_NUMBERS: [&str; 2] = ["+1", "+2"];
const NAMES: [&str; 3] = ["Mia", "Mia \"M\"", "\\"];
const TEAMS: [&str; 3] = ["blue", "red", ""];
const GROUP: &str = "members";

fn statuses() -> impl Strategy<Value = UserStatus> {
    prop::sample::select(vec![UserStatus::Confirmed, UserStatus::Unconfirmed, UserStatus::Other("ARCHIVED".to_owned())])
}

fn one_of(values: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(values)
}

fn people() -> impl Strategy<Value = Vec<Person>> {
    let texts = (
        prop::option::of(one_of(&EMAILS)),
        prop::option::of(one_of(&PHONE_NUMBERS)),
        prop::option::of(one_of(&NAMES)),
        prop::option::of(one_of(&TEAMS)),
    );
    let person = (texts, statuses(), any::<bool>(), any::<bool>()).prop_map(|(texts, status, enabled, is_member)| {
        let (email, phone_number, name, team) = texts;
        Person { email, phone_number, name, team, status, enabled, is_member }
    });
    prop::collection::vec(person, 0..40)
}

fn queries() -> impl Strategy<Value = Query> {
    /// Most searches ask for little.
    fn seldom<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
        prop::option::weighted(0.2, strategy)
    }
    fn value(text: &str) -> SearchTerm {
        text.to_owned().try_into().unwrap()
    }
    fn moment() -> impl Strategy<Value = Option<OffsetDateTime>> {
        seldom((0..50_i64).prop_map(|second| OffsetDateTime::UNIX_EPOCH + Duration::seconds(second)))
    }
    let texts = (
        seldom((0..40_usize).prop_map(|number| username(number).parse().unwrap())),
        seldom(one_of(&EMAILS).prop_map(value)),
        seldom(prop::sample::select(vec!["a", "ab@", "b@x", "@"]).prop_map(value)),
        seldom(one_of(&PHONE_NUMBERS).prop_map(value)),
        seldom(one_of(&NAMES).prop_map(value)),
    );
    let team =
        seldom(one_of(&TEAMS).prop_map(|team| {
            BTreeSet::from([CustomAttribute { name: "custom:team".to_owned(), value: team.to_owned() }])
        }));
    let group = seldom(Just(GROUP.parse().unwrap()));
    (texts, seldom(statuses()), seldom(any::<bool>()), group, team, moment(), moment()).prop_map(
        |(texts, status, enabled, group, team, created_after, created_before)| {
            let (username, email, email_prefix, phone_number, name) = texts;
            let custom_attributes = team.unwrap_or_default();
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

/// Requests that take turns.
fn requests() -> impl Strategy<Value = Vec<Request>> {
    let request = (1..=12_u8, 1..=4_usize, prop_oneof![1..=7_usize, Just(60)]);
    prop::collection::vec(request.prop_map(|(limit, budget, page)| Request { limit, budget, page }), 1..5)
}

fn username(number: usize) -> String {
    format!("user-{number:02}")
}

fn pool_of(people: &[Person]) -> InMemoryPool {
    let pool = InMemoryPool::new();
    pool.add_group(GROUP);
    for (number, person) in people.iter().enumerate() {
        let name = username(number);
        let attributes = [
            ("email", person.email),
            ("phone_number", person.phone_number),
            ("name", person.name),
            ("custom:team", person.team),
        ];
        let attributes: Vec<_> = attributes.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let groups: &[&str] = if person.is_member { &[GROUP] } else { &[] };
        pool.add_user(&name, "Correct-1", groups, &attributes);
        pool.set_status(&name, person.status.clone());
        if !person.enabled {
            pool.disable(&name);
        }
    }
    pool
}

/// Those who are meant.
fn meant(pool: &InMemoryPool, people: &[Person], query: &Query) -> Vec<User> {
    let all = people.iter().enumerate();
    let in_group = all.filter(|(_, person)| query.group.is_none() || person.is_member);
    in_group.map(|(number, _)| pool.user(&username(number)).unwrap()).filter(|user| query.matches(user)).collect()
}

/// Those who are found, all requests together.
async fn found(pool: &InMemoryPool, query: &Query, requests: &[Request]) -> Vec<User> {
    let mut all = Vec::new();
    let mut place = Place::default();
    for Request { limit, budget, page } in requests.iter().cycle() {
        pool.list_in_pages_of(*page);
        let calls_before = pool.calls().len();
        let Found { users, next, ended_early } = walk(&pool.directory(), query, place, *limit, *budget).await.unwrap();
        let calls = pool.calls().len() - calls_before;

        let limit = usize::from(*limit);
        assert!(calls <= *budget && users.len() <= limit);
        assert!(users.len() == limit || ended_early || next.is_none());
        assert!(!ended_early || users.len() < limit && next.is_some() && calls == *budget);
        all.extend(users);
        let Some(next) = next else { break };
        place = serde_json::from_str(&serde_json::to_string(&next).unwrap()).unwrap();
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_search_finds_exactly_those_who_are_meant_in_order(people in people(), query in queries(), requests in requests()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let pool = pool_of(&people);
        let found = runtime.block_on(found(&pool, &query, &requests));
        prop_assert_eq!(found, meant(&pool, &people, &query));
    }
}
