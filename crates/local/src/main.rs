//! The program behind `make demo`, `make dev`, `make invoke` and `make prove`. Its first argument says which.

use std::process::ExitCode;

use clap::Parser as _;
use local::arguments::{Arguments, Command};
use local::{Interruptions, demo, dev, failure, invoke, prove};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let command = Arguments::parse().command;
    if let Command::Prove(options) = command {
        // It is not dropped when it is interrupted: what it created has to be deleted.
        return prove::run(&options).await;
    }
    let work = async {
        match command {
            Command::Prove(_) => Ok(()),
            Command::Demo(options) => demo::run(&options).await,
            Command::Dev(options) => dev::run(&options).await,
            Command::Invoke(options) => invoke::run(&options).await,
        }
    };
    let mut interruptions = Interruptions::listen();
    // Whatever comes first: giving up drops the work, and with it the local AWS.
    tokio::select! {
        done = work => failure::exit_code(done),
        () = interruptions.next() => failure::interrupted(),
    }
}
