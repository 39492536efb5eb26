//! `poolkeeper`: provisioning from a laptop, an EC2 instance or a pipeline, with every step shown as it happens.
//!
//! It reads a spec, connects as every AWS tool does, and hands over to [`domain::provision`]; what is decided is decided there.
//! What it owns is how it looks: lines that people read, documents that programs read (`--json`), and exit codes.

mod arguments;
mod confirm;
mod error;
mod help;
mod interrupt;
mod labels;
mod layout;
mod live_term;
mod plan_view;
mod progress;
mod run;
mod screen;
mod spec_file;
mod summary;

pub use run::run;
