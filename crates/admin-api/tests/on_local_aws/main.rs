//! Tests of the admin API with the real adapters on the emulator.
#![expect(clippy::unwrap_used, reason = "tests")]

mod account_status;
mod dead_pool;
mod faults;
mod harness;
mod invitations;
mod search;
mod secrets;
mod session_gate;
