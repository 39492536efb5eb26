//! Command-line arguments.

mod users;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use domain::revocation::Scope;
use domain::user_pool::user::Username;

pub(crate) use self::users::{ImportArguments, Quotas, RestoreArguments, Users};
use crate::help;

/// The heading of [`Options`].
const GLOBAL: &str = "Global options";

/// Creates, verifies and deletes an Amazon Cognito user pool and its related resources from a JSON spec
#[derive(Debug, Parser)]
#[command(name = "poolkeeper", version, after_help = help::ALL, max_term_width = 80)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command accepts.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// AWS region, e.g. eu-west-1 [default: the AWS SDK's default]
    #[arg(long, global = true, value_parser = NonEmptyStringValueParser::new(), help_heading = GLOBAL)]
    pub(crate) region: Option<String>,
    /// Profile in ~/.aws/config [default: the AWS SDK's default]
    #[arg(long, global = true, value_parser = NonEmptyStringValueParser::new(), help_heading = GLOBAL)]
    pub(crate) profile: Option<String>,
    /// Print one JSON document to standard output, and the steps to standard error
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
    /// How long to retry, in seconds or with a unit, e.g. `90s` or `10m`
    #[arg(
        long, global = true, value_name = "TIME", default_value = "10m", value_parser = duration,
        help_heading = GLOBAL
    )]
    pub(crate) timeout: Duration,
    /// When to use colors; `auto` uses them on a terminal unless `NO_COLOR` is set
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        help_heading = GLOBAL
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

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what `apply` would create, change and leave unchanged
    #[command(after_help = help::PLAN)]
    Plan {
        #[command(flatten)]
        source: SpecSource,
        /// Exit with 3 if there are changes
        #[arg(long)]
        exit_code: bool,
    },
    /// Create missing resources, update those that differ, and verify the pool with a test sign-in
    #[command(after_help = help::APPLY)]
    Apply {
        #[command(flatten)]
        source: SpecSource,
    },
    /// Verify the pool: a test user signs up, signs in and receives AWS credentials
    #[command(after_help = help::VERIFY)]
    Verify {
        #[command(flatten)]
        source: SpecSource,
    },
    /// Delete the resources that belong to the pool, if the spec allows it
    #[command(after_help = help::DESTROY)]
    Destroy {
        #[command(flatten)]
        source: SpecSource,
        /// Do not ask for confirmation
        #[arg(long, action = ArgAction::SetTrue)]
        yes: bool,
    },
    /// Check a user pool and its related resources; change nothing
    #[command(after_help = help::DOCTOR, override_usage = help::DOCTOR_USAGE)]
    Doctor {
        #[command(flatten)]
        target: SelectedPool,
        /// Also print notes, which need no action
        #[arg(long)]
        all: bool,
    },
    /// End sessions at services that check revocations
    #[command(after_help = help::SESSIONS)]
    Sessions {
        #[command(subcommand)]
        command: Sessions,
    },
    /// Write the settings, app clients, groups and users of a pool to a new archive
    #[command(after_help = help::BACKUP, override_usage = help::BACKUP_USAGE)]
    Backup {
        /// The new tar file
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        pool: SelectedPool,
        #[command(flatten)]
        quotas: Quotas,
        /// Also back up the second factors; one request per user, which counts towards the monthly active users
        #[arg(long)]
        mfa: bool,
    },
    /// Create a new pool from a backup; continue an interrupted restore
    #[command(after_help = help::RESTORE)]
    Restore {
        /// The backup
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        arguments: RestoreArguments,
    },
    /// Compare a pool with a backup; change nothing
    #[command(after_help = help::DIFF, override_usage = help::DIFF_USAGE)]
    Diff {
        /// The backup
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        pool: SelectedPool,
        #[command(flatten)]
        quotas: Quotas,
    },
    /// Import, export and compare users
    #[command(after_help = help::USERS)]
    Users {
        #[command(subcommand)]
        command: Users,
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

/// The commands for sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum Sessions {
    /// Revoke the tokens of a user, a session, an app client or the user pool
    #[command(after_help = help::SESSIONS_REVOKE)]
    Revoke {
        /// The DynamoDB table of revocations, the stack's output `RevocationTableName`
        #[arg(long, value_name = "TABLE", value_parser = NonEmptyStringValueParser::new())]
        table: String,
        #[command(flatten)]
        scope: RevokedScope,
    },
}

/// Whose tokens to revoke.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct RevokedScope {
    /// All tokens of the user with this `sub` until now
    #[arg(long, value_name = "SUB", value_parser = uuid)]
    user: Option<String>,
    /// All tokens of the session with this `origin_jti`
    #[arg(long, value_name = "ORIGIN_JTI", value_parser = uuid)]
    session: Option<String>,
    /// All tokens of the app client with this id until now
    #[arg(long, value_name = "CLIENT_ID", value_parser = client_id)]
    client: Option<String>,
    /// All tokens of the user pool until now
    #[arg(long)]
    all: bool,
}

impl From<RevokedScope> for Scope {
    /// The parser accepts exactly one option.
    fn from(RevokedScope { user, session, client, all: _ }: RevokedScope) -> Self {
        let user = user.map(Self::User);
        user.or(session.map(Self::Session)).or(client.map(Self::Client)).unwrap_or(Self::Pool)
    }
}

/// The user pool of a command.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SelectedPool {
    /// The pool with this id
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) user_pool_id: Option<String>,
    /// The pool that the stack with this name owns
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) stack: Option<String>,
    /// The pool of this spec, and its differences from the spec; `-` reads standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) spec: Option<PathBuf>,
}

/// The location of the spec.
#[derive(Debug, Args)]
pub(crate) struct SpecSource {
    /// The spec, a JSON file; `-` reads standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) spec: PathBuf,
}

/// Accepts only the form of the claims `sub` and `origin_jti`, because the revocation of a user name, for example, would
/// have no effect.
fn uuid(text: &str) -> Result<String, String> {
    let has_form = text.parse::<Username>().is_ok_and(|name| name.has_form_of_sub());
    let is_lowercase = !text.contains(|character: char| character.is_ascii_uppercase());
    if has_form && is_lowercase {
        Ok(text.to_owned())
    } else {
        Err("must be a UUID in lowercase, as in the claim of the token".to_owned())
    }
}

fn client_id(text: &str) -> Result<String, String> {
    let is_valid = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+".contains(&byte));
    if is_valid { Ok(text.to_owned()) } else { Err("must be letters, digits, underscores or plus signs".to_owned()) }
}

/// Parses seconds, or numbers with units.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed = match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => humantime::parse_duration(text).ok(),
    };
    parsed
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "must be seconds, or a duration such as 90s or 10m, greater than 0".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;
    use domain::transfer::JobRows;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, ErrorKind> {
        Arguments::try_parse_from(line.split_whitespace()).map_err(|error| error.kind())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn help_fits_80_columns_and_has_examples() {
        let help = |command: &str| {
            let arguments = ["poolkeeper"].into_iter().chain(command.split_whitespace()).chain(["--help"]);
            let help = Arguments::command().term_width(80).try_get_matches_from(arguments).unwrap_err();
            assert_eq!(help.kind(), ErrorKind::DisplayHelp);
            help.to_string()
        };
        let commands = [
            "",
            "plan",
            "apply",
            "verify",
            "destroy",
            "doctor",
            "backup",
            "restore",
            "diff",
            "sessions",
            "users",
            "schema",
            "completions",
        ];
        for command in commands.into_iter().chain(["users import", "users export", "users verify", "users schema"]) {
            let help = help(command);
            assert!(help.contains("Example") && help.lines().all(|line| line.chars().count() <= 80), "{help}");
        }
        insta::assert_snapshot!(help(""));
    }

    #[test]
    fn accepts_global_options_before_and_after_the_command() {
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
    fn rejects_missing_empty_and_unknown_arguments() {
        for (line, kind) in [
            ("poolkeeper apply", ErrorKind::MissingRequiredArgument),
            ("poolkeeper apply --spec", ErrorKind::InvalidValue),
            ("poolkeeper apply --spec pool.json --region=", ErrorKind::InvalidValue),
            ("poolkeeper apply --spec pool.json --timeout soon", ErrorKind::ValueValidation),
            ("poolkeeper apply --spec pool.json --yes", ErrorKind::UnknownArgument),
            ("poolkeeper completions csh", ErrorKind::InvalidValue),
            ("poolkeeper deploy", ErrorKind::InvalidSubcommand),
            ("poolkeeper doctor", ErrorKind::MissingRequiredArgument),
            ("poolkeeper doctor --stack=", ErrorKind::InvalidValue),
            ("poolkeeper doctor --stack shop --spec pool.json", ErrorKind::ArgumentConflict),
            ("poolkeeper sessions revoke --all", ErrorKind::MissingRequiredArgument),
            ("poolkeeper users import --stack shop", ErrorKind::MissingRequiredArgument),
            ("poolkeeper users import users.jsonl", ErrorKind::MissingRequiredArgument),
            ("poolkeeper users import users.jsonl --stack shop --quota-share 0", ErrorKind::ValueValidation),
            ("poolkeeper users import users.jsonl --stack shop --quota-share 101", ErrorKind::ValueValidation),
            ("poolkeeper users import users.jsonl --stack shop --quota Users=5", ErrorKind::ValueValidation),
            ("poolkeeper users import users.jsonl --stack shop --quota UserCreation=0", ErrorKind::ValueValidation),
            ("poolkeeper users import users.jsonl --stack shop --dry-run --results r", ErrorKind::ArgumentConflict),
            ("poolkeeper users import users.jsonl --stack shop --trust-user-names", ErrorKind::MissingRequiredArgument),
            ("poolkeeper users import users.jsonl --stack shop --import-jobs all", ErrorKind::MissingRequiredArgument),
            ("poolkeeper users import users.jsonl --stack shop --import-job-role logs", ErrorKind::ValueValidation),
            (
                "poolkeeper users import u.jsonl --stack s --import-job-role arn:aws:iam::1:role/l --import-jobs some",
                ErrorKind::InvalidValue,
            ),
            ("poolkeeper users export users.jsonl --stack shop --update", ErrorKind::UnknownArgument),
            ("poolkeeper users verify users.jsonl", ErrorKind::MissingRequiredArgument),
            ("poolkeeper backup shop.tar", ErrorKind::MissingRequiredArgument),
            ("poolkeeper restore shop.tar", ErrorKind::MissingRequiredArgument),
            ("poolkeeper restore shop.tar --name ../shop", ErrorKind::ValueValidation),
            ("poolkeeper restore shop.tar --name shop --stack shop", ErrorKind::UnknownArgument),
            ("poolkeeper restore shop.tar --name shop --dry-run --results r", ErrorKind::ArgumentConflict),
            ("poolkeeper diff shop.tar", ErrorKind::MissingRequiredArgument),
            ("poolkeeper sessions revoke --table t", ErrorKind::MissingRequiredArgument),
            ("poolkeeper sessions revoke --table t --user mia@example.com", ErrorKind::ValueValidation),
            ("poolkeeper sessions revoke --table t --session mia", ErrorKind::ValueValidation),
            (
                "poolkeeper sessions revoke --table t --user 0E6F3F3B-6D4C-4F1E-9A55-2F6D0C8B7A11",
                ErrorKind::ValueValidation,
            ),
            ("poolkeeper sessions revoke --table t --client arn:x", ErrorKind::ValueValidation),
            ("poolkeeper sessions revoke --table t --client a --all", ErrorKind::ArgumentConflict),
        ] {
            assert_eq!(parse(line).unwrap_err(), kind, "{line}");
        }
    }

    #[test]
    fn import_jobs_create_users_with_hashes_by_default() {
        for (options, expected) in [
            ("", JobRows::None),
            ("--import-job-role arn:aws:iam::1:role/l", JobRows::Hashes),
            ("--import-job-role arn:aws:iam::1:role/l --import-jobs hashes", JobRows::Hashes),
            ("--import-jobs all --import-job-role arn:aws-cn:iam::1:role/path/l", JobRows::All),
        ] {
            let line = format!("poolkeeper users import users.jsonl --stack shop {options}");
            let Command::Users { command: Users::Import { options, .. } } = parse(&line).unwrap().command else {
                unreachable!()
            };
            assert_eq!(options.job_rows(), expected, "{line}");
        }
    }

    #[test]
    fn revokes_exactly_the_named_scope() {
        let id = "0e6f3f3b-6d4c-4f1e-9a55-2f6d0c8b7a11";
        for (option, expected) in [
            (format!("--user {id}"), Scope::User(id.to_owned())),
            (format!("--session {id}"), Scope::Session(id.to_owned())),
            ("--client 1example".to_owned(), Scope::Client("1example".to_owned())),
            ("--all".to_owned(), Scope::Pool),
        ] {
            let Arguments { command, .. } = parse(&format!("poolkeeper sessions revoke --table t {option}")).unwrap();
            let Command::Sessions { command: Sessions::Revoke { table, scope } } = command else { unreachable!() };
            assert_eq!((table.as_str(), Scope::from(scope)), ("t", expected), "{option}");
        }
    }

    #[test]
    fn parses_seconds_and_units_and_rejects_zero() {
        for (text, seconds) in [("1", 1), ("600", 600), ("90s", 90), ("10m", 600), ("1h 30m", 5400)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "0", "0s", "-5", "soon", "10 apples"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
