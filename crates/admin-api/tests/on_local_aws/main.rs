//! The admin API on the real adapters and a local AWS: what only a service that answers can show.
#![expect(clippy::unwrap_used, reason = "tests")]

mod account_status;
mod faults;
mod harness;
mod invitations;
mod search;
mod secrets;
