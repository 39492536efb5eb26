//! The sign-up trigger: any bytes as the body of an invocation, under policies that cover every rule.
//!
//! The handler catches panics, but the fuzzer still reports them: libfuzzer-sys ends the process before unwinding.
#![no_main]

#[path = "../../crates/pre-sign-up/tests/invariants/mod.rs"]
mod invariants;

use std::sync::LazyLock;

use domain::sign_up::Policy;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use poolkeeper_fuzz::json::Mutator;

static POLICIES: LazyLock<Vec<(invariants::Settings, Policy)>> =
    LazyLock::new(|| invariants::policies().expect("the settings are right"));

static MUTATOR: LazyLock<Mutator> = LazyLock::new(|| Mutator::with_events_of("pre-sign-up", &[]));

fuzz_target!(|body: &[u8]| invariants::assert_predicted(&POLICIES, body));

fuzz_mutator!(|body: &mut [u8], size: usize, max_size: usize, seed: u32| {
    MUTATOR.mutate(body, size, max_size, seed)
});
