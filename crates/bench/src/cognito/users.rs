//! A generated list of users, which `ListUsers` returns in pages.

use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::answers;

/// Cognito's maximum page size.
pub(crate) const LARGEST_PAGE: usize = 60;

/// Users named `user-1`, `user-2`, …, and the number of requested pages.
pub(crate) struct Users {
    count: usize,
    pages: AtomicUsize,
}

/// A request for a page.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    limit: usize,
    /// Not supported.
    filter: Option<String>,
    /// The number of users on all previous pages.
    pagination_token: Option<String>,
}

impl Users {
    pub(crate) fn new(count: usize) -> Self {
        Self { count, pages: AtomicUsize::new(0) }
    }

    /// The number of pages that were requested so far.
    pub(crate) fn pages(&self) -> usize {
        self.pages.load(Ordering::Relaxed)
    }

    /// The requested page. Returns `None` for an invalid request.
    pub(super) fn page(&self, request: &Bytes) -> Option<Bytes> {
        self.pages.fetch_add(1, Ordering::Relaxed);
        let Request { limit, filter, pagination_token } = serde_json::from_slice(request).ok()?;
        let first = pagination_token.map_or(Some(0), |token| token.parse().ok().filter(|first| *first < self.count))?;
        if filter.is_some() || !(1..=LARGEST_PAGE).contains(&limit) {
            return None;
        }
        let end = self.count.min(first + limit);
        let users: Vec<_> = (first + 1..=end).map(|number| answers::user(number, &format!("user-{number}"))).collect();
        let mut page = json!({"Users": users});
        if end < self.count {
            page["PaginationToken"] = json!(end.to_string());
        }
        Some(page.to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Returns the first and the last user name of a page, the number of users, and the token of the next page.
    fn page(users: &Users, request: &Value) -> Option<(String, String, usize, Option<String>)> {
        let page: Value = serde_json::from_slice(&users.page(&request.to_string().into())?).unwrap();
        let names: Vec<_> = page["Users"].as_array().unwrap().iter().map(|user| user["Username"].as_str()).collect();
        let (first, last) = (names.first().copied().flatten().unwrap(), names.last().copied().flatten().unwrap());
        let token = page.get("PaginationToken").map(|token| token.as_str().unwrap().to_owned());
        Some((first.to_owned(), last.to_owned(), names.len(), token))
    }

    #[test]
    fn pages_contain_every_user_once() {
        let users = Users::new(130);
        let request = |token: Option<&str>| json!({"Limit": 60, "PaginationToken": token});
        let expected = |first: &str, last: &str, length, token: Option<&str>| {
            Some((first.to_owned(), last.to_owned(), length, token.map(str::to_owned)))
        };
        assert_eq!(page(&users, &request(None)), expected("user-1", "user-60", 60, Some("60")));
        assert_eq!(page(&users, &request(Some("60"))), expected("user-61", "user-120", 60, Some("120")));
        assert_eq!(page(&users, &request(Some("120"))), expected("user-121", "user-130", 10, None));
        assert_eq!(users.pages(), 3);
    }

    #[test]
    fn full_last_page_has_no_token() {
        let request = json!({"Limit": 60, "PaginationToken": "60"});
        assert_eq!(page(&Users::new(120), &request).unwrap().3, None);
    }

    #[test]
    fn rejects_filters_and_invalid_tokens_and_limits() {
        let users = Users::new(120);
        for request in [
            json!({"Limit": 60, "Filter": "status = \"CONFIRMED\""}),
            json!({"Limit": 60, "PaginationToken": "120"}),
            json!({"Limit": 60, "PaginationToken": "first"}),
            json!({"Limit": 61}),
            json!({"Limit": 0}),
        ] {
            assert_eq!(page(&users, &request), None, "{request}");
        }
    }
}
