//! The arguments of the commands that move users.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use domain::spec::PoolName;
use domain::transfer::JobRows;
use domain::user_pool::quota::Category;

use super::SelectedPool;
use crate::help;

/// The commands for users.
#[derive(Debug, Subcommand)]
pub(crate) enum Users {
    /// Create the users of a file; continue an interrupted import
    #[command(after_help = help::USERS_IMPORT, override_usage = help::USERS_IMPORT_USAGE)]
    Import {
        /// JSON Lines, or CSV as in Cognito's import jobs if the name ends with .csv
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        pool: SelectedPool,
        #[command(flatten)]
        options: ImportArguments,
    },
    /// Write the users of a pool to a new file
    #[command(after_help = help::USERS_EXPORT, override_usage = help::USERS_EXPORT_USAGE)]
    Export {
        /// The new file; `-` writes to standard output
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        pool: SelectedPool,
        #[command(flatten)]
        quotas: Quotas,
        /// Also export the second factors; one request per user, which counts towards the monthly active users
        #[arg(long)]
        mfa: bool,
    },
    /// Compare the users of a pool with a file; change nothing
    #[command(after_help = help::USERS_VERIFY, override_usage = help::USERS_VERIFY_USAGE)]
    Verify {
        /// JSON Lines, or CSV if the name ends with .csv
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        pool: SelectedPool,
        #[command(flatten)]
        quotas: Quotas,
    },
    /// Print the JSON Schema of a line of JSON Lines
    #[command(after_help = help::USERS_SCHEMA)]
    Schema,
}

/// What an import can change, and where it records results.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "independent options")]
pub(crate) struct ImportArguments {
    /// The file of results, from which an interrupted import continues [default: FILE.results.jsonl]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "dry_run")]
    pub(crate) results: Option<PathBuf>,
    /// Change existing users that differ from their row; otherwise they are skipped
    #[arg(long)]
    pub(crate) update: bool,
    /// With --update, also change users without a verified e-mail address or phone number of their row
    #[arg(long, requires = "update")]
    pub(crate) trust_user_names: bool,
    /// Create missing groups; otherwise their rows fail
    #[arg(long)]
    pub(crate) create_groups: bool,
    /// Create users with password hashes by import jobs of Cognito, which write their log with this IAM role
    #[arg(long, value_name = "ARN", value_parser = role_arn)]
    pub(crate) import_job_role: Option<String>,
    /// The users that import jobs create [default: hashes]
    #[arg(long, value_name = "ROWS", value_enum, requires = "import_job_role")]
    pub(crate) import_jobs: Option<ImportJobRows>,
    /// Change nothing, and write what would happen to FILE.dry-run.jsonl; reads each existing user
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) quotas: Quotas,
}

/// The users that import jobs create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportJobRows {
    /// Users with a password hash
    Hashes,
    /// All users that an import job can create
    All,
}

impl ImportArguments {
    /// The users that import jobs create.
    pub(crate) fn job_rows(&self) -> JobRows {
        match (&self.import_job_role, self.import_jobs) {
            (None, _) => JobRows::None,
            (Some(_), None | Some(ImportJobRows::Hashes)) => JobRows::Hashes,
            (Some(_), Some(ImportJobRows::All)) => JobRows::All,
        }
    }
}

/// What a restore creates, and where it records results.
#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    /// The name of the new pool
    #[arg(long, value_parser = pool_name)]
    pub(crate) name: PoolName,
    /// The file of results, from which an interrupted restore continues [default: FILE.NAME.results.jsonl]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "dry_run")]
    pub(crate) results: Option<PathBuf>,
    /// Change nothing, and show the resources to create
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) quotas: Quotas,
}

/// The request rate of a command.
#[derive(Debug, Args)]
pub(crate) struct Quotas {
    /// The percentage of the account's request rate quotas to use, so that users can sign up at the same time
    #[arg(long, value_name = "PERCENT", default_value_t = 80, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) quota_share: u8,
    /// The quota of a category in requests per second, e.g. UserCreation=100 [default: the account's]
    #[arg(long, value_name = "CATEGORY=RATE", value_parser = quota)]
    pub(crate) quota: Vec<(Category, u32)>,
}

fn role_arn(text: &str) -> Result<String, String> {
    let is_role = text.starts_with("arn:") && text.contains(":iam::") && text.contains(":role/");
    if is_role { Ok(text.to_owned()) } else { Err("must be the ARN of an IAM role".to_owned()) }
}

/// Parses the name of a pool.
fn pool_name(text: &str) -> Result<PoolName, String> {
    PoolName::try_from(text.to_owned()).map_err(|error| error.problem)
}

/// Parses a category with its rate.
fn quota(text: &str) -> Result<(Category, u32), String> {
    let (category, rate) = text.split_once('=').ok_or("must be CATEGORY=RATE")?;
    let category = category.parse().map_err(|_| {
        let names: Vec<&str> = Category::ALL.iter().map(Into::into).collect();
        format!("the category must be one of {}", names.join(", "))
    })?;
    let rate = rate.parse().ok().filter(|rate| *rate > 0).ok_or("the rate must be a whole number greater than 0")?;
    Ok((category, rate))
}
