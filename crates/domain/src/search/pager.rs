//! Reads the pages of a list within one request's budget, and resumes at the same position in the next request.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::plan::{List, Plan};
use super::query::Query;
use crate::user_pool::UserPool;
use crate::user_pool::error::{Reason, UserPoolError};
use crate::user_pool::page::{Page, PageRequest};
use crate::user_pool::user::{User, Username};

/// The maximum number of Cognito pages that one request reads: up to 600 users.
pub const PAGE_BUDGET: usize = 10;

/// The maximum page size of Cognito.
pub(crate) const LARGEST_PAGE: u8 = 60;

/// The position of a search in a list. The default is the beginning.
///
/// Users who are created or deleted between two requests shift the entries of Cognito's pages. A search resumes after
/// the last processed user. If this user no longer exists, it resumes by the number of processed entries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Cognito's token of a page; `None` for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    /// The processed entries, counted from the start of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<Processed>,
    /// The page size of this list. Cognito's token is valid only with the same limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    page_length: Option<u8>,
}

/// Processed entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Processed {
    /// The number of processed entries.
    entries: usize,
    /// The user name of the last processed entry.
    last: Username,
}

/// The result of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The users that match, in Cognito's order.
    pub users: Vec<User>,
    /// The position of the next request; `None` at the end of the list.
    pub next: Option<Position>,
    /// Whether the request found fewer users than its limit because the budget was used up or the pool throttled the
    /// request.
    pub ended_early: bool,
}

/// Finds the next `limit` (1 to 60) users that match the query. Reads at most `budget` pages of Cognito.
///
/// If Cognito's filter covers the whole query, the page size is the limit of the first request; otherwise it is the
/// maximum. If the pool throttles after the first page, the request ends early with the users found so far.
///
/// # Errors
/// Returns the pool's error for any page: [`GroupNotFound`](crate::user_pool::error::Reason::GroupNotFound) for an
/// unknown group, and [`InvalidRequest`](crate::user_pool::error::Reason::InvalidRequest) for an expired position.
pub async fn find_users(
    pool: &dyn UserPool,
    query: &Query,
    from: Position,
    limit: u8,
    budget: usize,
) -> Result<Found, UserPoolError> {
    let Plan { list, rest } = query.plan();
    find(&ListOf { pool, list }, &rest, from, limit, budget).await
}

async fn find(
    list: &impl Pages,
    rest: &Query,
    from: Position,
    limit: u8,
    budget: usize,
) -> Result<Found, UserPoolError> {
    let mut users = Vec::new();
    let mut position = from;
    let page_length = position.page_length.unwrap_or(if rest.is_empty() { limit } else { LARGEST_PAGE });
    for pages_read in 0..budget {
        let missing = usize::from(limit).saturating_sub(users.len());
        let page = match list.page(&PageRequest { limit: page_length, after: position.page.clone() }).await {
            Ok(page) => page,
            Err(error) if error.reason == Reason::Throttled && pages_read > 0 => break,
            Err(error) => return Err(error),
        };

        let (skip, remaining) = position.done.map_or((0, None), |done| done.apply_to(&page.entries));
        let mut matching = page.entries.into_iter().enumerate().skip(skip).filter(|(_, user)| rest.matches(user));
        let mut cut = None;
        for (index, user) in matching.by_ref().take(missing) {
            cut = Some(Processed { entries: index + 1, last: user.username.clone() });
            users.push(user);
        }
        if matching.next().is_some() {
            let next = Some(Position { page: position.page, done: cut, page_length: Some(page_length) });
            return Ok(Found { users, next, ended_early: false });
        }

        let Some(token) = page.next else { return Ok(Found { users, next: None, ended_early: false }) };
        position = Position { page: Some(token), done: remaining, page_length: Some(page_length) };
        if users.len() >= limit.into() {
            return Ok(Found { users, next: Some(position), ended_early: false });
        }
    }
    Ok(Found { users, next: Some(position), ended_early: true })
}

impl Processed {
    /// Returns the number of processed entries on a page that is read again, and the processed entries of the following
    /// pages.
    fn apply_to(self, entries: &[User]) -> (usize, Option<Self>) {
        let Self { entries: count, last } = self;
        if let Some(index) = entries.iter().position(|user| user.username == last) {
            return (index + 1, None);
        }
        match count.checked_sub(entries.len()) {
            // Cognito does not guarantee page lengths. The page is shorter than before, so the last user is on a later
            // page.
            Some(left @ 1..) => (entries.len(), Some(Self { entries: left, last })),
            // The last user was deleted, so the following users moved up by one.
            _ => (count.saturating_sub(1), None),
        }
    }
}

/// A list of users by pages.
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

    /// Scripted pages: one character per user name, lowercase for enabled users. The token of a page is its number.
    #[derive(Default)]
    struct Script {
        pages: Vec<&'static str>,
        requests: Mutex<Vec<PageRequest>>,
        /// The first page that is throttled.
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

    /// Polls once, because scripted pages are always ready.
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => unreachable!("scripted pages are always ready"),
        }
    }

    /// Returns the names that one request finds, the next position, and whether the request ended early.
    fn request(
        pages: &[&'static str],
        rest: &Query,
        from: Position,
        limit: u8,
        budget: usize,
    ) -> (String, Option<Position>, bool) {
        let script = Script { pages: pages.to_vec(), ..Script::default() };
        let Found { users, next, ended_early } = now(find(&script, rest, from, limit, budget)).unwrap();
        assert!(script.requests.lock().unwrap().len() <= budget);
        (users.iter().map(|user| user.username.as_str()).collect(), next, ended_early)
    }

    fn position(page: Option<u8>, done: Option<(usize, &str)>) -> Position {
        Position {
            page: page.map(|number| number.to_string()),
            done: done.map(|(entries, last)| Processed { entries, last: last.parse().unwrap() }),
            page_length: Some(LARGEST_PAGE),
        }
    }

    /// Returns what each request of a whole search finds. Positions are serialized and parsed, as cursors are.
    fn requests(pages: &[&'static str], rest: &Query, limit: u8, budget: usize) -> Vec<String> {
        let mut found = Vec::new();
        let mut from = Position::default();
        loop {
            let (names, next, ended_early) = request(pages, rest, from, limit, budget);
            found.push(format!("{names}{}", if ended_early { "…" } else { "" }));
            let Some(next) = next else { return found };
            from = serde_json::from_str(&serde_json::to_string(&next).unwrap()).unwrap();
        }
    }

    /// The case, the pages, the limit, the budget, and what each request finds.
    type Walk = (&'static str, &'static [&'static str], u8, usize, &'static [&'static str]);

    #[test]
    fn reads_pages_of_any_length_to_the_end() {
        let table: [Walk; 13] = [
            ("no users", &[""], 2, 9, &[""]),
            ("no users on several pages", &["", "", ""], 2, 9, &[""]),
            ("an empty page is not the end", &["ab", "", "", "cd"], 4, 9, &["abcd"]),
            ("a page beyond the limit is read again", &["abcde"], 2, 9, &["ab", "cd", "e"]),
            ("the limit at the end of the last page ends the list", &["abcd"], 2, 9, &["ab", "cd"]),
            ("the limit at the end of a page resumes at the next one", &["abcd", "ef"], 4, 9, &["abcd", "ef"]),
            ("users that do not match at the end cause no empty request", &["abXY"], 2, 9, &["ab"]),
            ("an empty last page causes an empty request", &["ab", ""], 2, 9, &["ab", ""]),
            ("no user matches", &["XY", "Z", ""], 2, 9, &[""]),
            ("the budget ends requests, full or not", &["X", "a", "Y", "b", "c", "Z"], 2, 2, &["a…", "b…", "c"]),
            ("a full request at the end of the budget did not end early", &["a", "b", "c"], 2, 2, &["ab", "c"]),
            ("the budget ends with the list", &["X", "a"], 2, 2, &["a"]),
            ("one page at a time", &["aX", "Xb", ""], 1, 1, &["a", "b", ""]),
        ];
        for (case, pages, limit, budget, expected) in table {
            assert_eq!(requests(pages, &enabled(), limit, budget), expected, "{case}");
        }
    }

    #[test]
    fn page_size_is_the_limit_if_cognito_filters_everything() {
        for (rest, limits) in [(Query::default(), [5, 5, 5]), (enabled(), [60, 60, 60])] {
            let script = Script { pages: vec!["ab", "", "cde"], ..Script::default() };
            now(find(&script, &rest, Position::default(), 5, 9)).unwrap();
            let requests = script.requests.into_inner().unwrap();
            assert_eq!(requests.iter().map(|request| request.limit).collect::<Vec<_>>(), limits);
            let tokens: Vec<_> = requests.iter().map(|request| request.after.as_deref()).collect();
            assert_eq!(tokens, [None, Some("1"), Some("2")]);
        }
    }

    #[test]
    fn position_is_a_page_and_its_processed_entries() {
        let first = |pages, limit| request(pages, &enabled(), Position::default(), limit, 9).1;
        assert_eq!(first(&["aXbcd"], 2), Some(position(None, Some((3, "b")))));
        assert_eq!(first(&["X", "Yabc"], 2), Some(position(Some(1), Some((3, "b")))));
        assert_eq!(first(&["ab", "c"], 2), Some(position(Some(1), None)));
        assert_eq!(first(&["ab"], 2), None);
    }

    #[test]
    fn resumes_a_changed_page_after_the_last_user_found() {
        // The first request found three users of `abcdef`; then the pages changed.
        let from = || position(None, Some((3, "c")));
        let table: [(&str, &[&str], &str); 10] = [
            ("unchanged", &["abcdef"], "def"),
            ("a user was created before", &["0abcdef"], "def"),
            ("a user before was deleted", &["acdef"], "def"),
            ("a user after was deleted", &["abcdf"], "df"),
            ("the last user was deleted", &["abdef"], "def"),
            ("the last user was deleted, and none follows", &["ab"], ""),
            ("the page is shorter", &["ab", "cdef"], "def"),
            ("the pages are much shorter", &["a", "", "b", "cd", "ef"], "def"),
            ("the pages are shorter and the last user was deleted", &["ab", "de", "f"], "def"),
            ("the page ends with the last user", &["abc", "def"], "def"),
        ];
        for (case, pages, expected) in table {
            let (names, next, _) = request(pages, &enabled(), from(), 60, 9);
            assert_eq!((names.as_str(), next), (expected, None), "{case}");
        }
    }

    #[test]
    fn processed_entries_are_kept_if_the_budget_ends_before_the_last_user() {
        let (names, next, ended_early) = request(&["ab", "cdef"], &enabled(), position(None, Some((3, "c"))), 60, 1);
        assert_eq!((names.as_str(), ended_early), ("", true));
        assert_eq!(next, Some(position(Some(1), Some((1, "c")))));
    }

    #[test]
    fn a_list_keeps_its_page_size_for_later_limits() {
        let script = Script { pages: vec!["abc", "def", "gh"], ..Script::default() };
        let first = now(find(&script, &Query::default(), Position::default(), 3, 9)).unwrap();
        let second = now(find(&script, &Query::default(), first.next.unwrap(), 1, 9)).unwrap();
        let third = now(find(&script, &Query::default(), second.next.unwrap(), 60, 9)).unwrap();
        let names = |found: &[User]| found.iter().map(|user| user.username.to_string()).collect::<String>();
        assert_eq!((names(&second.users), names(&third.users)), ("d".to_owned(), "efgh".to_owned()));
        assert!(script.requests.into_inner().unwrap().iter().all(|request| request.limit == 3));
    }

    #[test]
    fn throttling_after_the_first_page_ends_the_request_early() {
        let script = |throttled_from| Script { pages: vec!["aX", "b", "c"], throttled_from, ..Script::default() };
        let found = now(find(&script(Some(1)), &enabled(), Position::default(), 60, 9)).unwrap();
        assert_eq!((found.users.len(), found.ended_early), (1, true));
        let resumed = now(find(&script(None), &enabled(), found.next.unwrap(), 60, 9)).unwrap();
        assert_eq!((resumed.users.len(), resumed.next), (2, None));

        let first_page = now(find(&script(Some(0)), &enabled(), Position::default(), 60, 9));
        assert_eq!(first_page.unwrap_err().reason, Reason::Throttled);
    }

    #[test]
    fn a_failed_page_fails_the_request() {
        let script = Script::default();
        let outcome = now(find(&script, &Query::default(), Position::default(), 60, 9));
        assert_eq!(outcome.unwrap_err().reason, Reason::InvalidRequest);
    }
}
