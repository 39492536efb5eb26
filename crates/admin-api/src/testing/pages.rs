//! Lists, page by page.

use serde_json::Value;

use super::{Api, Call};

/// How long the pages are that a walk asks for.
pub(crate) const LIMIT: usize = 2;

/// Everything in a list, in its order, from pages of two. `entries` is the field that holds them.
pub(crate) async fn walk(api: &Api, path: &str, entries: &str) -> Vec<Value> {
    let mut seen = Vec::new();
    let mut next = String::new();
    loop {
        let answer = api.call(Call::get(&format!("{path}?limit={LIMIT}{next}"))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let page = answer.body[entries].as_array().unwrap();
        assert!(page.len() <= LIMIT, "{page:?}");
        seen.extend(page.iter().cloned());
        let Some(cursor) = answer.body["next_cursor"].as_str() else { return seen };
        next = format!("&cursor={cursor}");
    }
}

/// The cursor to the second page of a list.
pub(crate) async fn cursor_of(api: &Api, path: &str) -> String {
    let answer = api.call(Call::get(&format!("{path}?limit=1"))).await;
    answer.body["next_cursor"].as_str().unwrap_or_else(|| panic!("{path} has no second page: {answer:?}")).to_owned()
}

/// Asserts that a list refuses a cursor, whoever made it up or wherever it comes from.
pub(crate) async fn assert_refuses_cursor(api: &Api, path: &str, cursor: &str) {
    let answer = api.call(Call::get(&format!("{path}?cursor={cursor}"))).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{path}");
    assert_eq!(answer.body["field"], "cursor", "{path}");
}
