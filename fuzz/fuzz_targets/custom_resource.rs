//! The bootstrap: any bytes as the body of an invocation, on the in-memory platform.
#![no_main]

#[path = "../../crates/pool-bootstrap/tests/invariants/mod.rs"]
mod invariants;

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use poolkeeper_fuzz::json::Mutator;

static MUTATOR: LazyLock<Mutator> = LazyLock::new(|| Mutator::with_events_of("pool-bootstrap", &[]));

fuzz_target!(|body: &[u8]| invariants::assert_hold(body));

fuzz_mutator!(|body: &mut [u8], size: usize, max_size: usize, seed: u32| {
    MUTATOR.mutate(body, size, max_size, seed)
});
