//! The admin API: any bytes as the event of an HTTP API or a REST API, for all routes on the in-memory pool.
#![no_main]

#[path = "../../crates/admin-api/tests/invariants/mod.rs"]
#[expect(dead_code, reason = "the target `cursor` is for cursors")]
mod invariants;

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use poolkeeper_fuzz::json::Mutator;

/// Pieces of events by `aud`.
const AUD: [&str; 4] =
    [r#""[auditors]""#, r#""aud""#, r#""00000000-0000-4000-8000-000000000003""#, r#""Bearer eyJ.example.auditor""#];

static MUTATOR: LazyLock<Mutator> = LazyLock::new(|| Mutator::with_events_of("admin-api", &AUD));

fuzz_target!(|body: &[u8]| invariants::assert_hold(body));

fuzz_mutator!(|body: &mut [u8], size: usize, max_size: usize, seed: u32| {
    MUTATOR.mutate(body, size, max_size, seed)
});
