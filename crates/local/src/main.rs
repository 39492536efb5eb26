//! The program behind `make demo`, `make dev` and `make invoke`. Its first argument says which.

use std::process::ExitCode;

use clap::Parser as _;
use local::arguments::{Arguments, Command};
use local::{demo, dev, failure, invoke};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let work = async {
        match Arguments::parse().command {
            Command::Demo(options) => demo::run(&options).await,
            Command::Dev(options) => dev::run(&options).await,
            Command::Invoke(options) => invoke::run(&options).await,
        }
    };
    // Whatever comes first: giving up drops the work, and with it the local AWS.
    tokio::select! {
        done = work => failure::exit_code(done),
        () = local::interrupted() => failure::interrupted(),
    }
}
