//! Checks that a list accepts only cursors that the API sealed for this list.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::in_memory::{CURSOR_KEY, InMemoryPool};
use testkit::in_memory_jobs::InMemoryJobs;

use super::request::Request;
use super::{exchange, subject};

/// Paths and queries of lists with a second page.
const LISTS: [(&str, &str); 9] = [
    ("/v1/users", "limit=1"),
    ("/v1/users", "limit=1&enabled=true"),
    ("/v1/groups", "limit=1"),
    ("/v1/groups/readers/users", "limit=1"),
    ("/v1/groups/auditors/users", "limit=1"),
    ("/v1/users/mia/auth-events", "limit=1"),
    ("/v1/users/mia/devices", "limit=1"),
    ("/v1/jobs", "limit=1"),
    ("/v1/jobs/import-50d858e0985ecc7f60418aaf0cc5ab58/results", "limit=1"),
];

/// The lists with their cursors.
pub(crate) struct Lists {
    pool: InMemoryPool,
    jobs: InMemoryJobs,
    cursors: Vec<String>,
}

impl Lists {
    /// Reads the first page of every list.
    ///
    /// # Panics
    /// If a first page has no cursor.
    pub(crate) fn new() -> Self {
        let pool = subject::pool();
        pool.add_user("ann", "Password-of-ann-1", &["auditors", "readers"], &[]);
        pool.add_group("another-group");
        pool.add_auth_event("mia", "6d2c6f0e-6a39-4c1b-9d0f-2f0d1c3b4a59", "SignIn");
        pool.add_device("mia", "eu-central-1_1b7a4a54-3f6e-4f1f-8a51-9d7d5ce6f1a2");
        let mut lists = Self { pool, jobs: InMemoryJobs::with_examples(), cursors: vec![] };
        let cursor = |(path, conditions)| {
            let (status, page) = lists.page(path, conditions);
            let cursor = page["next_cursor"].as_str().map(str::to_owned);
            cursor.unwrap_or_else(|| unreachable!("{path} with {conditions} got {status} {page}"))
        };
        let cursors = LISTS.into_iter().map(cursor).collect();
        lists.cursors = cursors;
        lists
    }

    /// The number of lists.
    pub(crate) fn len(&self) -> usize {
        self.cursors.len()
    }

    /// The cursor of a list. The index is taken modulo the number of lists.
    pub(crate) fn cursor_of(&self, list: usize) -> &str {
        &self.cursors[list % self.len()]
    }

    /// Seals a cursor for a position of a list with another key.
    pub(crate) fn seal(key: &[u8], name: &str, position: &[u8]) -> String {
        // HMAC pads a key with zeros.
        let is_known = key.strip_prefix(CURSOR_KEY.as_bytes()).is_some_and(|rest| rest.iter().all(|byte| *byte == 0));
        let key = if is_known { b"" } else { key };
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|error| unreachable!("{error}"));
        mac.update(&(name.len() as u64).to_be_bytes());
        mac.update(name.as_bytes());
        mac.update(position);
        URL_SAFE_NO_PAD.encode([&mac.finalize().into_bytes()[..], position].concat())
    }

    /// Requests a page with this cursor and checks whether the list accepts it.
    ///
    /// # Panics
    /// If a list accepts another cursor, rejects its own, or rejects with an unexpected response.
    pub(crate) fn assert_refused_unless_sealed(&self, list: usize, cursor: &str) {
        let list = list % self.len();
        let (path, conditions) = LISTS[list];
        let encoded = utf8_percent_encode(cursor, NON_ALPHANUMERIC);
        let (status, answer) = self.page(path, &format!("{conditions}&cursor={encoded}"));
        if cursor == self.cursors[list] {
            assert_eq!(status, 200, "{:?} refused its cursor: {answer}", LISTS[list]);
        } else {
            assert_eq!(
                (status, &answer["field"]),
                (400, &json!("cursor")),
                "{:?} with {cursor:?}: {answer}",
                LISTS[list]
            );
        }
    }

    fn page(&self, path: &str, query: &str) -> (u64, Value) {
        let event = subject::get_by_root(path, query).to_string();
        let request = Request::read(event.as_bytes()).unwrap_or_else(|| unreachable!("{event}"));
        let exchange = exchange(&request, &self.pool, &self.jobs).unwrap_or_else(|| unreachable!("{event}"));
        (exchange.status, exchange.answer)
    }
}
