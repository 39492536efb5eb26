//! The invariants that the fuzzer asserts, asserted of the events in `events/`, whole and changed.

mod invariants;

#[test]
fn every_event_gets_the_foretold_answer_under_every_policy() {
    let policies = invariants::policies().unwrap();
    for (_, event) in testkit::events::all("pre-sign-up") {
        invariants::assert_foretold(&policies, event.as_bytes());
    }
}

#[test]
fn every_event_gets_it_with_any_of_its_names_and_texts_replaced() {
    let policies = invariants::policies().unwrap();
    for (_, event) in testkit::events::all("pre-sign-up") {
        let quotes: Vec<usize> = event.match_indices('"').map(|(place, _)| place).collect();
        for string in quotes.chunks_exact(2) {
            for other in [r#""""#, r#""\ud800""#, r#""\u0040""#] {
                let event = [&event[..string[0]], other, &event[string[1] + 1..]].concat();
                invariants::assert_foretold(&policies, event.as_bytes());
            }
        }
    }
}

#[test]
fn what_is_no_event_gets_it_as_well() {
    let policies = invariants::policies().unwrap();
    let (_, event) = testkit::events::all("pre-sign-up").swap_remove(0);
    for end in 0..event.len() {
        invariants::assert_foretold(&policies, &event.as_bytes()[..end]);
    }
    for body in [&b"not json"[..], b"[]", b"null", b"\"PreSignUp_SignUp\"", b"{\"\xff\":1}", b"\0", b"{}{}"] {
        invariants::assert_foretold(&policies, body);
    }
}
