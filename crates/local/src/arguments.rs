//! Command-line arguments.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// Runs Poolkeeper on an AWS emulator or, for `make prove`, on an AWS account.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Deploy, run every flow step by step, and print a table. Fails if a step fails.
    Demo(Options),
    /// Deploy, print curl commands, and keep running until Ctrl-C.
    Dev(Options),
    /// Deploy and send one event to one function.
    Invoke(InvokeOptions),
    /// Deploy and send mixed requests to all functions for some minutes. Fails after an unexpected response, or if
    /// memory or descriptors of a function grow.
    Soak(SoakOptions),
    /// Deploy to an AWS account, run every flow, delete everything, and write a report.
    Prove(ProveOptions),
}

/// Options of `demo`, `dev` and `invoke`.
#[derive(Debug, Default, Clone, Args)]
pub struct Options {
    /// Port of the emulator on 127.0.0.1 [default: a free port]
    #[arg(long)]
    pub port: Option<u16>,
    /// A parameter of template.yaml, e.g. `--parameter AutoConfirm=nobody`; can be repeated.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub parameters: Vec<(String, String)>,
}

/// Options of `invoke`.
#[derive(Debug, Args)]
pub struct InvokeOptions {
    /// pre-sign-up, pool-bootstrap, admin-api or auth-api (admin-api with the routes under /v1/auth).
    pub function: String,
    /// A file with the event, as in `events/`.
    pub event: PathBuf,
    /// A setting of the function that overrides the template, e.g. `--setting AUTO_CONFIRM=nobody`; can be repeated.
    #[arg(long = "setting", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub settings: Vec<(String, String)>,
    /// The common options.
    #[command(flatten)]
    pub options: Options,
}

/// Options of `soak`.
#[derive(Debug, Args)]
pub struct SoakOptions {
    /// Duration of the load in minutes, e.g. 30 or 0.5
    #[arg(long = "minutes", value_name = "MINUTES", default_value = "30", value_parser = minutes)]
    pub duration: Duration,
}

/// Options of `prove`.
#[derive(Debug, Args)]
pub struct ProveOptions {
    /// AWS region, e.g. eu-west-1 [default: the AWS SDK's default]
    #[arg(long)]
    pub region: Option<String>,
    /// Profile in ~/.aws/config [default: the AWS SDK's default]
    #[arg(long)]
    pub profile: Option<String>,
    /// Load credentials, print their owner, and exit
    #[arg(long)]
    pub check: bool,
    /// Delete the remaining resources of the run with this name, e.g. prove-k3x9w2ab
    #[arg(long, value_name = "NAME", value_parser = name_of_run)]
    pub clean: Option<String>,
    /// Do not ask for confirmation
    #[arg(long)]
    pub yes: bool,
    /// Keep the stacks and print their names
    #[arg(long)]
    pub keep: bool,
    /// Your own mailbox, to receive the verification code of F5; the command asks for the code
    #[arg(long, value_name = "ADDRESS")]
    pub mailbox: Option<String>,
    /// A parameter of template.yaml, e.g. `--parameter AutoConfirm=nobody`; can be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub parameters: Vec<(String, String)>,
    /// Processor for which `make build` built the functions
    #[arg(long, default_value = "arm64", value_parser = ["arm64", "x86_64"])]
    pub architecture: String,
    /// Path of the report [default: prove/report.md in the target directory]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// Fractions are accepted, for short runs.
fn minutes(text: &str) -> Result<Duration, String> {
    let minutes = text.parse().ok().and_then(|minutes: f64| Duration::try_from_secs_f64(minutes * 60.0).ok());
    minutes.filter(|duration| !duration.is_zero()).ok_or_else(|| "expected a positive number of minutes".to_owned())
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The prefix of the name of a run of `prove`, and the number of random characters after it.
pub(crate) const RUN_PREFIX: &str = "prove-";
pub(crate) const RUN_RANDOM_CHARS: usize = 8;

/// Parses the name of an earlier run. Strict, because everything with this name in its name is deleted.
fn name_of_run(text: &str) -> Result<String, String> {
    let random = text.strip_prefix(RUN_PREFIX).unwrap_or_default();
    if random.len() == RUN_RANDOM_CHARS && random.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    {
        return Ok(text.to_owned());
    }
    Err(format!("expected a run name: `{RUN_PREFIX}` followed by {RUN_RANDOM_CHARS} lowercase letters or digits"))
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
    fn splits_a_parameter_at_the_first_equals_sign() {
        assert_eq!(name_and_value("Roles={\"a\":\"=\"}"), Ok(("Roles".to_owned(), "{\"a\":\"=\"}".to_owned())));
        assert!(name_and_value("Roles").is_err());
    }

    #[test]
    fn accepts_only_generated_names_for_cleaning() {
        for name in ["prove-abcd2345", "prove-abcdefgh"] {
            assert_eq!(name_of_run(name), Ok(name.to_owned()));
        }
        for name in
            ["", "prove-", "prove", "p", "prove-abc", "shop", "prove-ABCD2345", "prove-abcd2345-x", "poolkeeper"]
        {
            assert!(name_of_run(name).is_err(), "{name}");
        }
    }

    #[test]
    fn minutes_are_a_positive_number() {
        assert_eq!(minutes("30"), Ok(Duration::from_mins(30)));
        assert_eq!(minutes("0.5"), Ok(Duration::from_secs(30)));
        for wrong in ["", "0", "-1", "NaN", "inf", "1e30", "5m"] {
            assert_eq!(minutes(wrong), Err("expected a positive number of minutes".to_owned()), "{wrong}");
        }
    }
}
