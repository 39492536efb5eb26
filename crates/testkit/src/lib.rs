//! Test support: in-memory ports, event files, the emulators, and a proxy that injects faults.
//!
//! Used only as a dev-dependency, and as a dependency of `local`.

pub mod cognito_local;
pub mod events;
pub mod fault_proxy;
pub mod front_end;
pub mod in_memory;
pub mod in_memory_jobs;
pub mod in_memory_platform;
pub mod in_memory_revocations;
pub mod local_aws;
pub mod logs;
pub mod virtual_clock;
