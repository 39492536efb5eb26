//! The invariants of the fuzz targets, tested with original and changed events of `events/`.

mod invariants;

use std::collections::BTreeSet;

use invariants::cursors::Lists;
use invariants::{assert_hold, by_aud, shows_users};
use serde_json::Value;

#[test]
fn invariants_hold_for_every_event() {
    for (_, event) in testkit::events::all("admin-api") {
        assert_hold(event.as_bytes());
    }
}

#[test]
fn invariants_hold_with_any_string_replaced() {
    let others = [r#""""#, r#""\u0040""#, r#""root""#];
    for (_, event) in testkit::events::all("admin-api") {
        let quotes: Vec<usize> = event.match_indices('"').map(|(place, _)| place).collect();
        // Every fifth string is enough, because the events differ in few strings.
        for (string, other) in quotes.chunks_exact(2).step_by(5).zip(others.into_iter().cycle()) {
            assert_hold([&event[..string[0]], other, &event[string[1] + 1..]].concat().as_bytes());
        }
    }
}

/// The caller has every permission but `users:read`.
#[test]
fn attributes_need_users_read_on_every_route() {
    let mut routes = BTreeSet::new();
    for (_, event) in testkit::events::all("admin-api") {
        let event = by_aud(&event);
        assert_hold(event.as_bytes());
        if shows_users(&event) {
            let event: Value = serde_json::from_str(&event).unwrap_or_default();
            routes.extend(event["routeKey"].as_str().map(str::to_owned));
        }
    }
    let showing_users =
        ["GET /v1/groups/{group}/users", "POST /v1/users", "POST /v1/users/{username}/resend-invitation"];
    assert_eq!(routes.iter().collect::<Vec<_>>(), showing_users, "the tested routes");
}

#[test]
fn invariants_hold_for_bodies_that_are_not_events() {
    for body in [&b""[..], b"not json", b"[]", b"null", b"{}", b"{\"\xff\":1}", b"\0", b"{}{}"] {
        assert_hold(body);
    }
}

#[test]
fn lists_accept_only_their_own_cursor() {
    let lists = Lists::new();
    for list in 0..lists.len() {
        let cursor = lists.cursor_of(list);
        for other in 0..lists.len() {
            lists.assert_refused_unless_sealed(other, cursor);
        }
        for end in 0..cursor.len() {
            lists.assert_refused_unless_sealed(list, &cursor[..end]);
        }
        for changed in [format!("{cursor}="), format!("{cursor}A"), format!(" {cursor}"), cursor.to_lowercase()] {
            lists.assert_refused_unless_sealed(list, &changed);
        }
        for key in ["", "key", testkit::in_memory::CURSOR_KEY] {
            let sealed = Lists::seal(key.as_bytes(), "users", br#"{"page":"mia","limit":1}"#);
            lists.assert_refused_unless_sealed(list, &sealed);
        }
    }
}
