//! What the commands take on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Poolkeeper on a local AWS. `make demo`, `make dev` and `make invoke` run this program after building what it needs.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Deploy, walk through everything step by step, and end with a table. Fails where a step is not as it should be.
    Demo(Options),
    /// Deploy and stay up until Ctrl-C, with ready-made curl lines.
    Dev(Options),
    /// Deploy, and send one event to one function.
    Invoke(InvokeOptions),
    /// Deploy to an AWS account, walk through everything there, delete it again, and write a report.
    Prove(ProveOptions),
}

/// What every command takes.
#[derive(Debug, Default, Clone, Args)]
pub struct Options {
    /// Port of 127.0.0.1 for the local AWS; a free one is taken where none is named.
    #[arg(long)]
    pub port: Option<u16>,
    /// A parameter of template.yaml, e.g. `--parameter AutoConfirm=nobody`; can be repeated.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub parameters: Vec<(String, String)>,
}

/// What `invoke` takes.
#[derive(Debug, Args)]
pub struct InvokeOptions {
    /// pre-sign-up, pool-bootstrap, admin-api, or auth-api (admin-api with the routes under /v1/auth).
    pub function: String,
    /// A file with the event, as in `events/`.
    pub event: PathBuf,
    /// A setting of the function over the template's, e.g. `--setting AUTO_CONFIRM=nobody`; can be repeated.
    #[arg(long = "setting", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub settings: Vec<(String, String)>,
    /// What every command takes.
    #[command(flatten)]
    pub options: Options,
}

/// Options of `prove`.
#[derive(Debug, Args)]
pub struct ProveOptions {
    /// AWS region, e.g. eu-west-1 [default: as every AWS tool]
    #[arg(long)]
    pub region: Option<String>,
    /// Profile of ~/.aws/config [default: as every AWS tool]
    #[arg(long)]
    pub profile: Option<String>,
    /// Look for credentials, say whose they are, and end
    #[arg(long)]
    pub check: bool,
    /// Delete what an earlier run has left: its name, as in prove-k3x9w2ab
    #[arg(long, value_name = "NAME", value_parser = crate::prove::name_of_run)]
    pub clean: Option<String>,
    /// Do not ask before anything is created
    #[arg(long)]
    pub yes: bool,
    /// Keep the stacks, and name them
    #[arg(long)]
    pub keep: bool,
    /// Your own mailbox, for the verification code of F5, which is then asked for
    #[arg(long, value_name = "ADDRESS")]
    pub mailbox: Option<String>,
    /// A parameter of template.yaml, e.g. `--parameter AutoConfirm=nobody`; can be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub parameters: Vec<(String, String)>,
    /// Processor of the functions, as they were built by `make build`
    #[arg(long, default_value = "arm64", value_parser = ["arm64", "x86_64"])]
    pub architecture: String,
    /// Where the report is written [default: prove/report.md in the target directory]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_parameter_keeps_what_stands_after_its_first_equals_sign() {
        assert_eq!(name_and_value("Roles={\"a\":\"=\"}"), Ok(("Roles".to_owned(), "{\"a\":\"=\"}".to_owned())));
        assert!(name_and_value("Roles").is_err());
    }
}
