//! Injects every fault into every call of the SDK through a proxy in front of an emulator, repeats the action, and
//! expects each resource exactly once. `crates/pool-bootstrap/tests/provisioning/crashes.rs` does the same on the
//! in-memory platform, in a fraction of the time.

#![expect(clippy::unwrap_used, reason = "tests")]

mod apply;
mod concurrent_runs;
mod destroy;
mod harness;
mod invitation_keys;
mod pairs;
mod race;
