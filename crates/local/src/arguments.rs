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
