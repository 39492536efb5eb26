//! What the command line takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use crate::help;

/// The heading of [`Options`].
const EVERY: &str = "Options of every command";

/// Makes, proves and takes away an Amazon Cognito user pool with everything around it, as a JSON file says
#[derive(Debug, Parser)]
#[command(name = "poolkeeper", version, after_help = help::ALL, max_term_width = 80)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// AWS region, e.g. eu-west-1 [default: as every AWS tool]
    #[arg(long, global = true, value_parser = NonEmptyStringValueParser::new(), help_heading = EVERY)]
    pub(crate) region: Option<String>,
    /// Profile of ~/.aws/config [default: as every AWS tool]
    #[arg(long, global = true, value_parser = NonEmptyStringValueParser::new(), help_heading = EVERY)]
    pub(crate) profile: Option<String>,
    /// One JSON document on standard output; the steps go to standard error
    #[arg(long, global = true, help_heading = EVERY)]
    pub(crate) json: bool,
    /// How long to go on retrying, in seconds or as in `90s`, `10m`
    #[arg(
        long, global = true, value_name = "TIME", default_value = "10m", value_parser = duration,
        help_heading = EVERY
    )]
    pub(crate) timeout: Duration,
    /// Colors; auto: on a terminal, unless `NO_COLOR` is set
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        help_heading = EVERY
    )]
    pub(crate) color: ColorWhen,
}

/// When to use colors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    // On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    // Also in a pipe.
    Always,
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what `apply` would create, change and leave. Changes nothing
    #[command(after_help = help::PLAN)]
    Plan {
        #[command(flatten)]
        source: SpecSource,
        /// Exit with 3 where there is something to change
        #[arg(long)]
        exit_code: bool,
    },
    /// Create what is missing, change what differs, leave the rest, and prove it by a sign-in
    #[command(after_help = help::APPLY)]
    Apply {
        #[command(flatten)]
        source: SpecSource,
    },
    /// Prove that it works: a throw-away user signs up, in, and gets AWS credentials
    #[command(after_help = help::VERIFY)]
    Verify {
        #[command(flatten)]
        source: SpecSource,
    },
    /// Take away what is ours, if the spec allows it
    #[command(after_help = help::DESTROY)]
    Destroy {
        #[command(flatten)]
        source: SpecSource,
        /// Do not ask
        #[arg(long, action = ArgAction::SetTrue)]
        yes: bool,
    },
    /// Print the JSON Schema of a spec
    #[command(after_help = help::SCHEMA)]
    Schema,
    /// Print completions for a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

/// Where the spec is.
#[derive(Debug, Args)]
pub(crate) struct SpecSource {
    /// The spec, a JSON file; `-` reads standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) spec: PathBuf,
}

/// Seconds, or a number with a unit.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed = match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => humantime::parse_duration(text).ok(),
    };
    parsed.filter(|duration| !duration.is_zero()).ok_or_else(|| "expected seconds, or a time such as 90s or 10m".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, ErrorKind> {
        Arguments::try_parse_from(line.split_whitespace()).map_err(|error| error.kind())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn options_may_stand_before_and_after_the_command() {
        for line in [
            "poolkeeper --region eu-west-1 --json apply --spec pool.json",
            "poolkeeper apply --spec pool.json --region eu-west-1 --json",
        ] {
            let Arguments { options, command } = parse(line).unwrap();
            assert!(options.json && options.region.as_deref() == Some("eu-west-1"), "{line}");
            assert!(matches!(command, Command::Apply { source } if source.spec.as_os_str() == "pool.json"), "{line}");
        }
    }

    #[test]
    fn what_is_missing_empty_or_unknown_is_refused() {
        for (line, kind) in [
            ("poolkeeper apply", ErrorKind::MissingRequiredArgument),
            ("poolkeeper apply --spec", ErrorKind::InvalidValue),
            ("poolkeeper apply --spec pool.json --region=", ErrorKind::InvalidValue),
            ("poolkeeper apply --spec pool.json --timeout soon", ErrorKind::ValueValidation),
            ("poolkeeper apply --spec pool.json --yes", ErrorKind::UnknownArgument),
            ("poolkeeper completions csh", ErrorKind::InvalidValue),
            ("poolkeeper deploy", ErrorKind::InvalidSubcommand),
        ] {
            assert_eq!(parse(line).unwrap_err(), kind, "{line}");
        }
    }

    #[test]
    fn a_time_is_seconds_or_has_a_unit_and_is_not_nothing() {
        for (text, seconds) in [("1", 1), ("600", 600), ("90s", 90), ("10m", 600), ("1h 30m", 5400)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "0", "0s", "-5", "soon", "10 apples"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
