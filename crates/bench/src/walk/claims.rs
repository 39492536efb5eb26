//! The claims about every walk: complete results, calls that grow linearly, and a budget of each request.

use super::{BUDGET, LARGEST_PAGE};

/// The results of a walk so far.
pub(super) struct Claims {
    /// Whether each expected user was returned. The first is `user-1`.
    returned: Vec<bool>,
    /// The number of full pages that contain all users.
    pages: usize,
    /// The number of pages that requests read so far.
    read: usize,
}

impl Claims {
    /// The claims of a walk over `users` of which the first `expected` are returned.
    pub(super) fn new(users: usize, expected: usize) -> Self {
        Self { returned: vec![false; expected], pages: users.div_ceil(LARGEST_PAGE), read: 0 }
    }

    /// Checks a response: the returned user names, the Cognito pages that its request read, and all AWS calls of the
    /// walk so far. Returns the violated claim.
    pub(super) fn response<'a>(
        &mut self,
        usernames: impl Iterator<Item = &'a str>,
        pages: usize,
        calls: usize,
    ) -> Result<(), String> {
        for username in usernames {
            let number = username.strip_prefix("user-").and_then(|number| number.parse::<usize>().ok());
            let returned = number.and_then(|number| self.returned.get_mut(number.checked_sub(1)?));
            let returned = returned.ok_or_else(|| format!("unexpected user {username}"))?;
            if std::mem::replace(returned, true) {
                return Err(format!("{username} was returned twice"));
            }
        }
        if !(1..=BUDGET).contains(&pages) {
            return Err(format!("a request read {pages} pages of Cognito; expected 1 to {BUDGET}"));
        }
        self.read += pages;
        // One call for each page, and one that reads the key of the cursors.
        let most_calls = self.pages + 1;
        if calls > most_calls {
            return Err(format!("{calls} AWS calls; expected at most {most_calls}"));
        }
        Ok(())
    }

    /// Checks that all pages were read and all expected users returned.
    pub(super) fn end(&self) -> Result<(), String> {
        if let Some(index) = self.returned.iter().position(|returned| !returned) {
            return Err(format!("user-{} is missing", index + 1));
        }
        let Self { pages, read, .. } = self;
        if read < pages { Err(format!("{read} pages of Cognito were read; expected {pages}")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_complete_walk_within_its_limits() {
        let mut claims = Claims::new(601, 3);
        claims.response(["user-1", "user-3"].into_iter(), 10, 11).unwrap();
        claims.response(["user-2"].into_iter(), 1, 12).unwrap();
        claims.end().unwrap();
    }

    #[test]
    fn names_missing_doubled_and_unexpected_users() {
        let mut claims = Claims::new(61, 3);
        claims.response(["user-1", "user-3"].into_iter(), 1, 1).unwrap();
        assert_eq!(claims.end().unwrap_err(), "user-2 is missing");
        let mut problem = |username| claims.response([username].into_iter(), 1, 1).unwrap_err();
        assert_eq!(problem("user-3"), "user-3 was returned twice");
        for username in ["user-0", "user-4", "mia"] {
            assert_eq!(problem(username), format!("unexpected user {username}"));
        }
    }

    #[test]
    fn rejects_pages_over_budget_and_more_calls_than_pages() {
        let mut claims = Claims::new(61, 0);
        let mut problem = |pages, calls| claims.response([].into_iter(), pages, calls).unwrap_err();
        for pages in [0, 11] {
            assert_eq!(problem(pages, 1), format!("a request read {pages} pages of Cognito; expected 1 to 10"));
        }
        assert_eq!(problem(1, 4), "4 AWS calls; expected at most 3");
    }

    #[test]
    fn rejects_search_that_ends_before_the_last_page() {
        let mut claims = Claims::new(61, 0);
        claims.response([].into_iter(), 1, 1).unwrap();
        assert_eq!(claims.end().unwrap_err(), "1 pages of Cognito were read; expected 2");
        claims.response([].into_iter(), 1, 3).unwrap();
        claims.end().unwrap();
    }
}
