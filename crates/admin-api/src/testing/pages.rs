//! Paged lists.

use serde_json::Value;

use super::{Api, Call};

/// The page size of [`walk`].
const LIMIT: usize = 2;

/// Reads all pages of a list and returns the entries in order. `entries` is the name of their field.
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
