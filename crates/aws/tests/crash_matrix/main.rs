//! Every call of the SDK goes wrong in every way, in front of a local AWS; then the action runs again, and there is
//! exactly one of everything. `crates/pool-bootstrap/tests/provisioning/crashes.rs` does the same on a platform in
//! memory, in a fraction of the time and with the update paths as well.

#![expect(clippy::unwrap_used, reason = "tests")]

mod apply;
mod destroy;
mod harness;
mod invitation_keys;
mod pairs;
mod race;
mod side_by_side;
