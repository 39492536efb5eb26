//! The way through the pages of a list, as far as one request goes, and on from there with the next.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::plan::{List, Plan};
use super::query::Query;
use crate::user_pool::UserPool;
use crate::user_pool::directory::{Page, PageRequest};
use crate::user_pool::error::{Reason, UserPoolError};
use crate::user_pool::user::{User, Username};

/// How many pages of Cognito one request reads at the most: up to 600 users.
pub const PAGE_BUDGET: usize = 10;

/// The largest page that Cognito gives.
pub(crate) const LARGEST_PAGE: u8 = 60;

/// Where a walk goes on. The default is the beginning.
///
/// Users who are created or deleted between two requests move the others on Cognito's own pages, which may show somebody twice or
/// leave somebody out. The place goes on behind the last one who is done with, and where that one is gone, behind as many.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Cognito's token of a page; none for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    /// How much of the list from there on is done with.
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<Done>,
    /// How long the pages of this list are. Cognito's token is for the same request again, its limit included.
    #[serde(skip_serializing_if = "Option::is_none")]
    page_length: Option<u8>,
}

/// The entries of a list up to one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Done {
    /// How many they are.
    entries: usize,
    /// The last of them.
    last: Username,
}

/// What one request finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Users of whom the query is true, in Cognito's order.
    pub users: Vec<User>,
    /// Where the next request goes on; none at the end of the list.
    pub next: Option<Place>,
    /// Whether the request stopped before there were as many users as asked for: the budget was used up, or the pool throttled.
    pub ended_early: bool,
}

/// Finds the next `limit` (1 to 60) users of whom the query is true. Reads at most `budget` pages of Cognito.
///
/// Where Cognito looks for everything itself, its pages are as long as the first request's. Where users are looked at here as well, they
/// are read at their largest. The place remembers how far into one the last request came. A pool that has had enough of requests
/// in the middle ends the page early: what was found stands, and the next request goes on from there.
///
/// # Errors
/// What the pool answers, whichever page it is: [`GroupNotFound`](crate::user_pool::error::Reason::GroupNotFound) for an unknown group, and
/// [`InvalidRequest`](crate::user_pool::error::Reason::InvalidRequest) for a place that Cognito no longer knows.
pub async fn walk(
    pool: &dyn UserPool,
    query: &Query,
    from: Place,
    limit: u8,
    budget: usize,
) -> Result<Found, UserPoolError> {
    let Plan { list, rest } = query.plan();
    go(&ListOf { pool, list }, &rest, from, limit, budget).await
}

async fn go(list: &impl Pages, rest: &Query, from: Place, limit: u8, budget: usize) -> Result<Found, UserPoolError> {
    let mut users = Vec::new();
    let mut place = from;
    let page_length = place.page_length.unwrap_or(if rest.is_empty() { limit } else { LARGEST_PAGE });
    for pages_read in 0..budget {
        let missing = usize::from(limit).saturating_sub(users.len());
        let page = match list.page(&PageRequest { limit: page_length, after: place.page.clone() }).await {
            Ok(page) => page,
            Err(error) if error.reason == Reason::Throttled && pages_read > 0 => break,
            Err(error) => return Err(error),
        };

        let (skip, still_done) = place.done.map_or((0, None), |done| done.on(&page.entries));
        let mut matching = page.entries.into_iter().enumerate().skip(skip).filter(|(_, user)| rest.matches(user));
        let mut cut = None;
        for (index, user) in matching.by_ref().take(missing) {
            cut = Some(Done { entries: index + 1, last: user.username.clone() });
            users.push(user);
        }
        if matching.next().is_some() {
            let next = Some(Place { page: place.page, done: cut, page_length: Some(page_length) });
            return Ok(Found { users, next, ended_early: false });
        }

        let Some(token) = page.next else { return Ok(Found { users, next: None, ended_early: false }) };
        place = Place { page: Some(token), done: still_done, page_length: Some(page_length) };
        if users.len() >= limit.into() {
            return Ok(Found { users, next: Some(place), ended_early: false });
        }
    }
    Ok(Found { users, next: Some(place), ended_early: true })
}

impl Done {
    /// How many entries of a page that was read again are done with, and what of the next pages is.
    fn on(self, entries: &[User]) -> (usize, Option<Self>) {
        let Self { entries: count, last } = self;
        if let Some(index) = entries.iter().position(|user| user.username == last) {
            return (index + 1, None);
        }
        match count.checked_sub(entries.len()) {
            // Cognito makes no promise about the length of a page: this time it is shorter, and the last one is still to come.
            Some(left @ 1..) => (entries.len(), Some(Self { entries: left, last })),
            // The last one is gone, so whoever came after has moved up by one.
            _ => (count.saturating_sub(1), None),
        }
    }
}

/// What the walk knows of a list.
#[async_trait]
trait Pages: Sync {
    async fn page(&self, request: &PageRequest) -> Result<Page<User>, UserPoolError>;
}

struct ListOf<'a> {
    pool: &'a dyn UserPool,
    list: List,
}

#[async_trait]
impl Pages for ListOf<'_> {
    async fn page(&self, request: &PageRequest) -> Result<Page<User>, UserPoolError> {
        match &self.list {
            List::Users(filter) => self.pool.list(filter.as_ref(), request).await,
            List::Members(group) => self.pool.members(group, request).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Mutex;
    use std::task::{Context, Poll, Waker};

    use time::OffsetDateTime;

    use super::*;
    use crate::user_pool::user::{Attributes, UserStatus};

    /// Pages as a test wants them: their entries by name, in small letters whoever is enabled. The token of a page is its number.
    #[derive(Default)]
    struct Script {
        pages: Vec<&'static str>,
        requests: Mutex<Vec<PageRequest>>,
        /// The page from which on there are too many requests.
        throttled_from: Option<usize>,
    }

    #[async_trait]
    impl Pages for Script {
        async fn page(&self, request: &PageRequest) -> Result<Page<User>, UserPoolError> {
            self.requests.lock().unwrap().push(request.clone());
            let number = request.after.as_ref().map_or(0, |token| token.parse().unwrap());
            if self.throttled_from.is_some_and(|from| number >= from) {
                return Err(UserPoolError::new("page", Reason::Throttled));
            }
            let names = self.pages.get(number).ok_or_else(|| UserPoolError::new("page", Reason::InvalidRequest))?;
            let next = (number + 1 < self.pages.len()).then(|| (number + 1).to_string());
            Ok(Page { entries: names.chars().map(user).collect(), next })
        }
    }

    fn user(name: char) -> User {
        User {
            username: name.to_string().parse().unwrap(),
            status: UserStatus::Confirmed,
            enabled: name.is_lowercase(),
            attributes: Attributes::new(),
            created_at: OffsetDateTime::UNIX_EPOCH,
            modified_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    fn enabled() -> Query {
        Query { enabled: Some(true), ..Query::default() }
    }

    /// A script never waits.
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => unreachable!("a script waits"),
        }
    }

    /// The names that one request finds, where the next one goes on, and whether the budget ended it.
    fn request(
        pages: &[&'static str],
        rest: &Query,
        from: Place,
        limit: u8,
        budget: usize,
    ) -> (String, Option<Place>, bool) {
        let script = Script { pages: pages.to_vec(), ..Script::default() };
        let Found { users, next, ended_early } = now(go(&script, rest, from, limit, budget)).unwrap();
        assert!(script.requests.lock().unwrap().len() <= budget);
        (users.iter().map(|user| user.username.as_str()).collect(), next, ended_early)
    }

    fn place(page: Option<u8>, done: Option<(usize, &str)>) -> Place {
        Place {
            page: page.map(|number| number.to_string()),
            done: done.map(|(entries, last)| Done { entries, last: last.parse().unwrap() }),
            page_length: Some(LARGEST_PAGE),
        }
    }

    /// Every request of a whole walk, through what its places look like in a cursor.
    fn requests(pages: &[&'static str], rest: &Query, limit: u8, budget: usize) -> Vec<String> {
        let mut found = Vec::new();
        let mut from = Place::default();
        loop {
            let (names, next, ended_early) = request(pages, rest, from, limit, budget);
            found.push(format!("{names}{}", if ended_early { "…" } else { "" }));
            let Some(next) = next else { return found };
            from = serde_json::from_str(&serde_json::to_string(&next).unwrap()).unwrap();
        }
    }

    /// What it is about, the pages, the limit, the budget, and what each request finds.
    type Walk = (&'static str, &'static [&'static str], u8, usize, &'static [&'static str]);

    #[test]
    fn pages_of_any_length_are_walked_to_the_end_and_no_further() {
        let table: [Walk; 13] = [
            ("nobody", &[""], 2, 9, &[""]),
            ("nobody, told late", &["", "", ""], 2, 9, &[""]),
            ("an empty page is not the end", &["ab", "", "", "cd"], 4, 9, &["abcd"]),
            ("a page too long is cut, and read again", &["abcde"], 2, 9, &["ab", "cd", "e"]),
            ("a cut at the end of the last page ends the list", &["abcd"], 2, 9, &["ab", "cd"]),
            ("a cut at the end of a page begins the next one", &["abcd", "ef"], 4, 9, &["abcd", "ef"]),
            ("who does not match at the end leaves no empty request", &["abXY"], 2, 9, &["ab"]),
            ("a last page without anybody cannot be known", &["ab", ""], 2, 9, &["ab", ""]),
            ("nobody matches", &["XY", "Z", ""], 2, 9, &[""]),
            ("the budget ends requests, full or not", &["X", "a", "Y", "b", "c", "Z"], 2, 2, &["a…", "b…", "c"]),
            ("who is full when the budget ends was not ended by it", &["a", "b", "c"], 2, 2, &["ab", "c"]),
            ("the budget ends with the list", &["X", "a"], 2, 2, &["a"]),
            ("one page at a time", &["aX", "Xb", ""], 1, 1, &["a", "b", ""]),
        ];
        for (case, pages, limit, budget, expected) in table {
            assert_eq!(requests(pages, &enabled(), limit, budget), expected, "{case}");
        }
    }

    #[test]
    fn where_nothing_is_looked_at_here_pages_are_as_long_as_asked_for_and_else_as_long_as_they_can_be() {
        for (rest, limits) in [(Query::default(), [5, 5, 5]), (enabled(), [60, 60, 60])] {
            let script = Script { pages: vec!["ab", "", "cde"], ..Script::default() };
            now(go(&script, &rest, Place::default(), 5, 9)).unwrap();
            let requests = script.requests.into_inner().unwrap();
            assert_eq!(requests.iter().map(|request| request.limit).collect::<Vec<_>>(), limits);
            let tokens: Vec<_> = requests.iter().map(|request| request.after.as_deref()).collect();
            assert_eq!(tokens, [None, Some("1"), Some("2")]);
        }
    }

    #[test]
    fn a_place_is_a_page_with_what_of_it_is_done_with() {
        let first = |pages, limit| request(pages, &enabled(), Place::default(), limit, 9).1;
        assert_eq!(first(&["aXbcd"], 2), Some(place(None, Some((3, "b")))));
        assert_eq!(first(&["X", "Yabc"], 2), Some(place(Some(1), Some((3, "b")))));
        assert_eq!(first(&["ab", "c"], 2), Some(place(Some(1), None)));
        assert_eq!(first(&["ab"], 2), None);
    }

    #[test]
    fn a_page_that_has_changed_goes_on_behind_the_last_one_found() {
        // Of `abcdef` three were asked for, then the pages became these.
        let from = || place(None, Some((3, "c")));
        let table: [(&str, &[&str], &str); 10] = [
            ("nothing has changed", &["abcdef"], "def"),
            ("somebody came before", &["0abcdef"], "def"),
            ("somebody before is gone", &["acdef"], "def"),
            ("somebody after is gone", &["abcdf"], "df"),
            ("the last one is gone", &["abdef"], "def"),
            ("the last one is gone, and nobody comes after", &["ab"], ""),
            ("the page is shorter this time", &["ab", "cdef"], "def"),
            ("the pages are much shorter", &["a", "", "b", "cd", "ef"], "def"),
            ("the pages are shorter and the last one is gone", &["ab", "de", "f"], "def"),
            ("the page ends with the last one", &["abc", "def"], "def"),
        ];
        for (case, pages, expected) in table {
            let (names, next, _) = request(pages, &enabled(), from(), 60, 9);
            assert_eq!((names.as_str(), next), (expected, None), "{case}");
        }
    }

    #[test]
    fn what_is_done_with_stays_so_when_the_budget_ends_before_the_place_is_found_again() {
        let (names, next, ended_early) = request(&["ab", "cdef"], &enabled(), place(None, Some((3, "c"))), 60, 1);
        assert_eq!((names.as_str(), ended_early), ("", true));
        assert_eq!(next, Some(place(Some(1), Some((1, "c")))));
    }

    #[test]
    fn a_list_keeps_the_length_of_its_pages_whatever_later_requests_ask_for() {
        let script = Script { pages: vec!["abc", "def", "gh"], ..Script::default() };
        let first = now(go(&script, &Query::default(), Place::default(), 3, 9)).unwrap();
        let second = now(go(&script, &Query::default(), first.next.unwrap(), 1, 9)).unwrap();
        let third = now(go(&script, &Query::default(), second.next.unwrap(), 60, 9)).unwrap();
        let names = |found: &[User]| found.iter().map(|user| user.username.to_string()).collect::<String>();
        assert_eq!((names(&second.users), names(&third.users)), ("d".to_owned(), "efgh".to_owned()));
        assert!(script.requests.into_inner().unwrap().iter().all(|request| request.limit == 3));
    }

    #[test]
    fn a_pool_that_has_had_enough_ends_the_page_and_the_next_request_goes_on_there() {
        let script = |throttled_from| Script { pages: vec!["aX", "b", "c"], throttled_from, ..Script::default() };
        let found = now(go(&script(Some(1)), &enabled(), Place::default(), 60, 9)).unwrap();
        assert_eq!((found.users.len(), found.ended_early), (1, true));
        let on = now(go(&script(None), &enabled(), found.next.unwrap(), 60, 9)).unwrap();
        assert_eq!((on.users.len(), on.next), (2, None));

        let at_once = now(go(&script(Some(0)), &enabled(), Place::default(), 60, 9));
        assert_eq!(at_once.unwrap_err().reason, Reason::Throttled);
    }

    #[test]
    fn a_failed_page_fails_the_request() {
        let script = Script::default();
        let outcome = now(go(&script, &Query::default(), Place::default(), 60, 9));
        assert_eq!(outcome.unwrap_err().reason, Reason::InvalidRequest);
    }
}
