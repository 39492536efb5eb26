//! The whole way of an event: any bytes as the body of an invocation, under policies that have every rule between them.
//!
//! The handler catches panics, and the fuzzer sees them all the same: libfuzzer-sys ends the process before anything is unwound.
#![no_main]

mod mutation;

#[path = "../../../tests/invariants/mod.rs"]
mod invariants;

use std::sync::LazyLock;

use domain::sign_up::Policy;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

static POLICIES: LazyLock<Vec<(invariants::Settings, Policy)>> =
    LazyLock::new(|| invariants::policies().expect("the settings are right"));

fuzz_target!(|body: &[u8]| invariants::assert_foretold(&POLICIES, body));

fuzz_mutator!(|body: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutation::mutate(body, size, max_size, seed)
});
