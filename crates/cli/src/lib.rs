//! The program `poolkeeper`: reads a spec, connects to AWS, runs [`domain::provision`], and prints steps and result.

mod arguments;
mod backup;
mod confirm;
mod doctor_view;
mod error;
mod help;
mod interrupt;
mod labels;
mod layout;
mod live_term;
mod new_file;
mod plan_view;
mod progress;
mod run;
mod spec_file;
mod summary;
mod terminal;
mod users;

pub use run::run;
