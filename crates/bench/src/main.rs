//! The program behind `make bench`, `make guard` and `make load`: the command line.

mod cognito;
mod error;
mod events;
mod growth;
mod guard;
mod instance;
mod load;
mod machine;
mod measure;
mod pool;
mod process;
mod report;
mod runtime_api;
mod server;
mod size;
mod statistics;
mod subject;
mod valgrind;
mod walk;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::BenchError;

/// Measures Poolkeeper's programs, and puts them under load
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Measure(measure::Arguments),
    Guard(guard::Arguments),
    Load(load::Arguments),
}

// One thread, because Lambda's API and the AWS endpoint answer faster if they need not wake each other.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), BenchError> {
    match command {
        Command::Measure(arguments) => measure::run(&arguments).await,
        Command::Guard(arguments) => guard::run(&arguments).await,
        Command::Load(arguments) => load::run(&arguments).await,
    }
}
