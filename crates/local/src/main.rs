//! The program behind `make demo`, `make dev`, `make invoke`, `make soak` and `make prove`.

use std::process::ExitCode;

use clap::Parser as _;
use local::arguments::{Arguments, Command};
use local::{Interruptions, demo, dev, failure, invoke, prove, soak};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let command = Arguments::parse().command;
    if let Command::Prove(options) = command {
        // An interruption does not drop this future, because the future must delete what it created.
        return prove::run(&options).await;
    }
    let work = async {
        match command {
            Command::Prove(_) => Ok(()),
            Command::Demo(options) => demo::run(&options).await,
            Command::Dev(options) => dev::run(&options).await,
            Command::Invoke(options) => invoke::run(&options).await,
            Command::Soak(options) => soak::run(&options).await,
        }
    };
    let mut interruptions = Interruptions::listen();
    // An interruption drops the work, which stops the emulator.
    tokio::select! {
        done = work => failure::exit_code(done),
        () = interruptions.next() => failure::interrupted(),
    }
}
