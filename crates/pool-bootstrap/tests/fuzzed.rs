//! Asserts the invariants of the fuzzer for the events in `events/`, original and changed.

mod invariants;

use invariants::assert_hold;

#[test]
fn invariants_hold_for_every_event() {
    for (_, event) in testkit::events::all("pool-bootstrap") {
        assert_hold(event.as_bytes());
    }
}

#[test]
fn invariants_hold_with_any_string_replaced() {
    let others = [r#""""#, r#""ResponseURL""#, r#""Delete""#];
    for (_, event) in testkit::events::all("pool-bootstrap") {
        let quotes: Vec<usize> = event.match_indices('"').map(|(position, _)| position).collect();
        // Half of the strings are enough, because the events differ in few strings.
        for (string, other) in quotes.chunks_exact(2).step_by(2).zip(others.into_iter().cycle()) {
            assert_hold([&event[..string[0]], other, &event[string[1] + 1..]].concat().as_bytes());
        }
    }
}

#[test]
fn invariants_hold_for_bodies_that_are_not_events() {
    for body in [&b""[..], b"not json", b"[]", b"null", b"{}", b"{\"ResponseURL\":1}", b"\0", b"{}{}"] {
        assert_hold(body);
    }
}
