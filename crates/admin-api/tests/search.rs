//! Property test of the search on the in-memory pool: for any query, page length and time limit, all pages together
//! contain exactly the matching users in order.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use domain::search::{CustomAttribute, Found, Position, Query, SearchTerm, find_users};
use domain::user_pool::user::{User, UserStatus};
use proptest::prelude::*;
use testkit::in_memory::InMemoryPool;
use time::{Duration, OffsetDateTime};

/// A user with values from small sets, so that searches find some.
#[derive(Debug, Clone)]
struct TestUser {
    email: Option<&'static str>,
    phone_number: Option<&'static str>,
    name: Option<&'static str>,
    team: Option<&'static str>,
    status: UserStatus,
    enabled: bool,
    is_member: bool,
}

/// The limits of a request.
#[derive(Debug, Clone, Copy)]
struct Request {
    limit: u8,
    budget: usize,
    /// The length of Cognito's pages.
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

fn test_users() -> impl Strategy<Value = Vec<TestUser>> {
    let texts = (
        prop::option::of(one_of(&EMAILS)),
        prop::option::of(one_of(&PHONE_NUMBERS)),
        prop::option::of(one_of(&NAMES)),
        prop::option::of(one_of(&TEAMS)),
    );
    let user = (texts, statuses(), any::<bool>(), any::<bool>()).prop_map(|(texts, status, enabled, is_member)| {
        let (email, phone_number, name, team) = texts;
        TestUser { email, phone_number, name, team, status, enabled, is_member }
    });
    prop::collection::vec(user, 0..40)
}

fn queries() -> impl Strategy<Value = Query> {
    /// `None` in most cases, because most searches have few conditions.
    fn rarely<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
        prop::option::weighted(0.2, strategy)
    }
    fn value(text: &str) -> SearchTerm {
        text.to_owned().try_into().unwrap()
    }
    fn timestamp() -> impl Strategy<Value = Option<OffsetDateTime>> {
        rarely((0..50_i64).prop_map(|second| OffsetDateTime::UNIX_EPOCH + Duration::seconds(second)))
    }
    let texts = (
        rarely((0..40_usize).prop_map(|number| username(number).parse().unwrap())),
        rarely(one_of(&EMAILS).prop_map(value)),
        rarely(prop::sample::select(vec!["a", "ab@", "b@x", "@"]).prop_map(value)),
        rarely(one_of(&PHONE_NUMBERS).prop_map(value)),
        rarely(one_of(&NAMES).prop_map(value)),
    );
    let team =
        rarely(one_of(&TEAMS).prop_map(|team| {
            BTreeSet::from([CustomAttribute { name: "custom:team".to_owned(), value: team.to_owned() }])
        }));
    let group = rarely(Just(GROUP.parse().unwrap()));
    (texts, rarely(statuses()), rarely(any::<bool>()), group, team, timestamp(), timestamp()).prop_map(
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

/// Requests that the test uses in turn.
fn requests() -> impl Strategy<Value = Vec<Request>> {
    let request = (1..=12_u8, 1..=4_usize, prop_oneof![1..=7_usize, Just(60)]);
    prop::collection::vec(request.prop_map(|(limit, budget, page)| Request { limit, budget, page }), 1..5)
}

fn username(number: usize) -> String {
    format!("user-{number:02}")
}

fn pool_of(test_users: &[TestUser]) -> InMemoryPool {
    let pool = InMemoryPool::new();
    pool.add_group(GROUP);
    for (number, user) in test_users.iter().enumerate() {
        let name = username(number);
        let attributes = [
            ("email", user.email),
            ("phone_number", user.phone_number),
            ("name", user.name),
            ("custom:team", user.team),
        ];
        let attributes: Vec<_> = attributes.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let groups: &[&str] = if user.is_member { &[GROUP] } else { &[] };
        pool.add_user(&name, "Correct-1", groups, &attributes);
        pool.set_status(&name, user.status.clone());
        if !user.enabled {
            pool.disable(&name);
        }
    }
    pool
}

/// The matching users.
fn matching(pool: &InMemoryPool, test_users: &[TestUser], query: &Query) -> Vec<User> {
    let all = test_users.iter().enumerate();
    let in_group = all.filter(|(_, user)| query.group.is_none() || user.is_member);
    in_group.map(|(number, _)| pool.user(&username(number)).unwrap()).filter(|user| query.matches(user)).collect()
}

/// The users of all pages.
async fn found(pool: &InMemoryPool, query: &Query, requests: &[Request]) -> Vec<User> {
    let mut all = Vec::new();
    let mut place = Position::default();
    for Request { limit, budget, page } in requests.iter().cycle() {
        pool.list_in_pages_of(*page);
        let calls_before = pool.calls().len();
        let Found { users, next, ended_early } =
            find_users(&pool.directory(), query, place, *limit, *budget).await.unwrap();
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
    fn search_finds_exactly_the_matching_users_in_order(
        test_users in test_users(), query in queries(), requests in requests(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let pool = pool_of(&test_users);
        let found = runtime.block_on(found(&pool, &query, &requests));
        prop_assert_eq!(found, matching(&pool, &test_users, &query));
    }
}
