//! Asserts the fuzzer's invariants for the events in `events/` and for modified copies of them.

mod invariants;

#[test]
fn answers_every_event_as_predicted_under_every_policy() {
    let policies = invariants::policies().unwrap();
    for (_, event) in testkit::events::all("pre-sign-up") {
        invariants::assert_predicted(&policies, event.as_bytes());
    }
}

#[test]
fn answers_events_with_any_replaced_string_as_predicted() {
    let policies = invariants::policies().unwrap();
    for (_, event) in testkit::events::all("pre-sign-up") {
        let quotes: Vec<usize> = event.match_indices('"').map(|(position, _)| position).collect();
        for string in quotes.chunks_exact(2) {
            for other in [r#""""#, r#""\ud800""#, r#""\u0040""#] {
                let event = [&event[..string[0]], other, &event[string[1] + 1..]].concat();
                invariants::assert_predicted(&policies, event.as_bytes());
            }
        }
    }
}

#[test]
fn answers_malformed_events_as_predicted() {
    let policies = invariants::policies().unwrap();
    let (_, event) = testkit::events::all("pre-sign-up").swap_remove(0);
    for end in 0..event.len() {
        invariants::assert_predicted(&policies, &event.as_bytes()[..end]);
    }
    for body in [&b"not json"[..], b"[]", b"null", b"\"PreSignUp_SignUp\"", b"{\"\xff\":1}", b"\0", b"{}{}"] {
        invariants::assert_predicted(&policies, body);
    }
}
