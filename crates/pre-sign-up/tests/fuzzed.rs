//! What the fuzzer asserts, asserted of the events that somebody chose; and that the fuzzer has before it what is deployed.
#![expect(clippy::unwrap_used, reason = "tests")]

mod invariants;

use std::collections::BTreeMap;
use std::fs;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What only fuzzing needs.
const FUZZERS: [&str; 4] = ["arbitrary", "derive_arbitrary", "libfuzzer-sys", "pre-sign-up-fuzz"];

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

#[test]
fn what_is_fuzzed_has_the_versions_that_are_deployed() {
    let deployed = versions(&format!("{ROOT}/Cargo.lock"));
    for (name, fuzzed) in versions(&format!("{ROOT}/crates/pre-sign-up/fuzz/Cargo.lock")) {
        if FUZZERS.contains(&name.as_str()) {
            continue;
        }
        let deployed = deployed.get(&name).map_or(&[][..], Vec::as_slice);
        let is_deployed = fuzzed.iter().all(|version| deployed.contains(version));
        assert!(is_deployed, "{name} {fuzzed:?} is fuzzed and {deployed:?} deployed: run `make fuzz-lock`");
    }
}

/// The versions in a lock file, by name.
fn versions(path: &str) -> BTreeMap<String, Vec<String>> {
    let value = |line: Option<&str>| line.unwrap().split('"').nth(1).unwrap().to_owned();
    let mut versions: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for package in fs::read_to_string(path).unwrap().split("[[package]]\n").skip(1) {
        let mut lines = package.lines();
        versions.entry(value(lines.next())).or_default().push(value(lines.next()));
    }
    versions
}
