//! What tests are made of: ports in memory, event files, the local AWS, and what goes wrong on the way to it.
//!
//! Only ever a dev-dependency, or a dependency of `local`.

pub mod events;
pub mod fault_proxy;
pub mod in_memory;
pub mod in_memory_platform;
pub mod local_aws;
pub mod virtual_clock;
