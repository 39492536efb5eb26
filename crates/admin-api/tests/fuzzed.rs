//! The invariants that the fuzzer asserts, asserted of the events in `events/`, whole and changed.

mod invariants;

use invariants::assert_hold;
use invariants::cursors::Lists;

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
        // Each event differs from the others in few strings, so that a part of them is enough.
        for (string, other) in quotes.chunks_exact(2).step_by(5).zip(others.into_iter().cycle()) {
            assert_hold([&event[..string[0]], other, &event[string[1] + 1..]].concat().as_bytes());
        }
    }
}

/// The group `auditors` has `groups:read` only.
#[test]
fn attributes_need_users_read_on_every_route() {
    for (_, event) in testkit::events::all("admin-api") {
        assert_hold(event.replace(r#""[admins]""#, r#""[auditors]""#).as_bytes());
        assert_hold(event.replace(r#""admins""#, r#""auditors""#).as_bytes());
    }
}

#[test]
fn invariants_hold_for_bodies_that_are_not_events() {
    for body in [&b""[..], b"not json", b"[]", b"null", b"{}", b"{\"\xff\":1}", b"\0", b"{}{}"] {
        assert_hold(body);
    }
}

#[test]
fn lists_take_their_own_cursor_and_no_other() {
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
