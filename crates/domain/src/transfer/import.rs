//! The import engine: brings the users of a pool to the state of their rows.
//!
//! Each row can be repeated at any time, also after a crash between two calls. The attribute
//! [`CREATION_ATTRIBUTE`] of a new user contains the import and the line, so that a repeated row recognizes its own user.

mod creation;
mod differences;
mod existing;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::Stream;
use futures::stream::{self, StreamExt as _};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::code::RowCode;
use super::lines::Line;
use super::paced_pool::{Failure, PacedPool, Stop, is};
use super::pool_facts::PoolFacts;
use super::report::NotMoved;
use super::result::{Outcome, RowResult};
use super::row::{RowError, RowPassword, UserRow};
use crate::error_chain::causes;
use crate::retry::Clock;
use crate::search::LARGEST_PAGE;
use crate::user_pool::error::{Reason, UserPoolError};
use crate::user_pool::groups::{GroupDetails, GroupName};
use crate::user_pool::page::PageRequest;
use crate::user_pool::quota::Category;
use crate::user_pool::sessions::Factor;
use crate::user_pool::user::{User, UserStatus};

/// The rows that are in progress at the same time. Cognito answers within 0.2 s, so this is enough for hundreds of
/// requests per second.
const CONCURRENT_ROWS: usize = 64;

/// The tolerated difference between the clocks of AWS and of this process.
const CLOCK_TOLERANCE: time::Duration = time::Duration::minutes(1);

/// Identifies an import, so that a continued import recognizes the users that it created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportId(String);

impl ImportId {
    /// A new random id.
    #[must_use]
    pub fn new(clock: &dyn Clock) -> Self {
        Self(clock.nonce().expose().to_owned())
    }
}

impl fmt::Display for ImportId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for ImportId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let is_id = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id { Ok(Self(text.to_owned())) } else { Err("must be 32 hexadecimal digits") }
    }
}

/// The rows whose users are created by import jobs of Cognito instead of `AdminCreateUser`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobRows {
    /// None. Rows with a password hash are skipped.
    #[default]
    None,
    /// Rows with a password hash.
    Hashes,
    /// All rows of new users that a job can create.
    All,
}

/// What is known about the user of a row.
#[derive(Debug)]
pub enum Known {
    /// Nothing.
    Nothing,
    /// The user exists, as listed.
    Listed(User),
    /// The user does not exist, and an import job would create it. Only for a forecast.
    Absent,
    /// An import job cannot create the user.
    Refused(RowError),
    /// An import job did not create the user, for this reason.
    NotCreated(String),
    /// An import job may have created the user, whom Cognito does not list yet. Otherwise it failed for this reason.
    PerhapsCreated(String),
}

/// What an import can change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent options of the operator")]
pub struct ImportOptions {
    /// Whether existing users that differ from their row are changed. Otherwise they are skipped.
    pub update_existing: bool,
    /// Whether existing users are changed even if they share no verified e-mail address or phone number with their row.
    pub trust_user_names: bool,
    /// Whether missing groups are created.
    pub create_groups: bool,
    /// Which users import jobs create.
    pub job_rows: JobRows,
    /// Whether only reads are made. The results then contain what would happen.
    pub dry_run: bool,
    /// Whether results contain the messages of AWS, for the operator of the pool.
    pub explain: bool,
}

/// Imports rows into one user pool.
pub struct Importer<'a> {
    pub(super) paced: PacedPool<'a>,
    facts: PoolFacts,
    pub(super) id: ImportId,
    started_at: OffsetDateTime,
    pub(super) options: ImportOptions,
    groups: Mutex<BTreeSet<GroupName>>,
    mail_quota_is_used_up: AtomicBool,
}

/// A row in progress, with the changes made so far.
struct Work<'a> {
    line: u64,
    row: &'a UserRow,
    completed: Vec<String>,
}

impl Work<'_> {
    fn result(&self, outcome: Outcome) -> RowResult {
        RowResult::new(self.line, Some(&self.row.username), outcome)
    }
}

impl<'a> Importer<'a> {
    /// Reads the settings and groups of the pool. `started_at` is the start of the first run of the import.
    ///
    /// # Errors
    ///
    /// Returns an error if the pool cannot be read.
    pub async fn start(
        paced: PacedPool<'a>,
        (id, started_at): (ImportId, OffsetDateTime),
        options: ImportOptions,
    ) -> Result<Self, Stop> {
        let facts = paced.facts().await?;
        let groups = Mutex::new(group_names(&paced).await?);
        Ok(Self { paced, facts, id, started_at, options, groups, mail_quota_is_used_up: AtomicBool::new(false) })
    }

    /// The settings of the pool.
    #[must_use]
    pub fn facts(&self) -> &PoolFacts {
        &self.facts
    }

    /// Imports rows concurrently. Results arrive in the order of completion. No row starts after a [`Stop`], and rows
    /// in progress end.
    pub fn import_all<'s>(
        &'s self,
        lines: impl Iterator<Item = Line> + 's,
    ) -> impl Stream<Item = Result<RowResult, Stop>> + 's {
        self.import_all_known(lines.map(|line| (line, Known::Nothing)))
    }

    /// Like [`Self::import_all`], with what is known about the users.
    pub fn import_all_known<'s>(
        &'s self,
        lines: impl Iterator<Item = (Line, Known)> + 's,
    ) -> impl Stream<Item = Result<RowResult, Stop>> + 's {
        let stopped = Arc::new(AtomicBool::new(false));
        let was_stopped = Arc::clone(&stopped);
        let lines = lines.take_while(move |_| !was_stopped.load(Ordering::Relaxed));
        let results =
            stream::iter(lines).map(|(line, known)| self.import(line, known)).buffer_unordered(CONCURRENT_ROWS);
        results.inspect(move |result| {
            if result.is_err() {
                stopped.store(true, Ordering::Relaxed);
            }
        })
    }

    /// Imports one row. Safe to repeat, also if an earlier attempt was interrupted.
    ///
    /// # Errors
    ///
    /// Returns an error if no further row can be imported now. The row then has no result, and is imported by the next
    /// run.
    pub async fn import(&self, line: Line, known: Known) -> Result<RowResult, Stop> {
        let number = line.number;
        let row = match line.row {
            Ok(row) => row,
            Err(error) => return Ok(RowResult::invalid(number, None, error)),
        };
        let mut work = Work { line: number, row: &row, completed: Vec::new() };
        if let Some(refused) = self.refused(&work) {
            return Ok(refused);
        }
        if let Err(error) = self.facts.check(&row) {
            return Ok(RowResult::invalid(number, Some(&row.username), error));
        }
        let result = match self.apply(&mut work, known).await {
            Ok(result) => result,
            Err(Failure::Stop(stop)) => return Err(stop),
            Err(Failure::Row(error)) => {
                let result = work.result(Outcome::Failed).because(error.reason.into(), self.explain(&error));
                RowResult { completed: work.completed, ..result }
            }
        };
        Ok(result)
    }

    async fn apply(&self, work: &mut Work<'_>, known: Known) -> Result<RowResult, Failure> {
        let known = match known {
            Known::Refused(error) => return Ok(RowResult::invalid(work.line, Some(&work.row.username), error)),
            Known::NotCreated(problem) => return Ok(not_created(work, problem)),
            known => known,
        };
        if let Some(missing) = self.missing_group(work.row) {
            if !self.options.create_groups {
                let result = work.result(Outcome::Failed);
                let result = result.because(RowCode::GroupNotFound, "the group does not exist in the user pool");
                return Ok(RowResult { field: Some(format!("groups.{missing}")), ..result });
            }
            if !self.options.dry_run {
                self.create_groups(work.row).await?;
            }
        }
        if self.options.dry_run {
            return self.forecast(work, known).await;
        }
        match known {
            Known::Listed(user) => return self.existing_user(work, &user, Some(&[])).await,
            Known::PerhapsCreated(problem) => {
                return match self.find(work.row).await? {
                    Some(user) => self.existing_user(work, &user, Some(&[])).await,
                    None => Ok(not_created(work, problem)),
                };
            }
            _ if needs_job(work.row) => return Ok(without_job(work)),
            _ => {}
        }
        if work.row.invite && self.mail_quota_is_used_up.load(Ordering::Relaxed) {
            return Err(Stop::MailQuota.into());
        }
        match self.create(work).await {
            Ok(user) => {
                work.completed.push("created".to_owned());
                self.complete(work, &user, &[]).await
            }
            Err(Failure::Row(error)) if matches!(error.reason, Reason::UserExists | Reason::AliasExists) => {
                self.existing(work, error).await
            }
            Err(failure) if is(&failure, Reason::MailQuotaExceeded) => self.not_invited(work).await,
            // The user may exist, for example if the response was incomplete or the message could not be sent.
            Err(failure) if is(&failure, Reason::Internal) => self.perhaps_created(work, failure).await,
            Err(failure) => Err(failure),
        }
    }

    /// The first group of the row that the pool does not have.
    fn missing_group(&self, row: &UserRow) -> Option<GroupName> {
        let known = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        row.groups.iter().find(|group| !known.contains(*group)).cloned()
    }

    async fn create_groups(&self, row: &UserRow) -> Result<(), Failure> {
        let details = GroupDetails::default();
        while let Some(group) = self.missing_group(row) {
            let create = || self.paced.pool.create_group(&group, &details);
            match self.paced.call(Category::UserPoolResourceUpdate, create).await {
                Ok(_) => {}
                // A concurrent row, or an attempt whose response was lost, created the group.
                Err(failure) if is(&failure, Reason::GroupExists) => {}
                Err(failure) => return Err(failure),
            }
            self.groups.lock().unwrap_or_else(PoisonError::into_inner).insert(group);
        }
        Ok(())
    }

    /// What a new user of this row lacks.
    fn not_moved(&self, row: &UserRow) -> Vec<NotMoved> {
        let has_password = (row.password.is_some() && !loses_hash(row)) || row.invite;
        let parts = [
            (row.origin.is_some(), NotMoved::Sub),
            (row.origin.is_some() && self.facts.generates_usernames(), NotMoved::GeneratedUsername),
            (row.origin.is_some() && !has_password, NotMoved::Password),
            (loses_hash(row), NotMoved::PasswordHash),
            (!has_password && !self.facts.has_verified_contact(row), NotMoved::PasswordRecovery),
            (has_authenticator_app(row), NotMoved::AuthenticatorApp),
            (row.origin.is_some(), NotMoved::Devices),
        ];
        parts.into_iter().filter(|(is_lost, _)| *is_lost).map(|(_, part)| part).collect()
    }

    /// Whether a row is not imported at all, so that no job creates its user.
    pub(super) fn rejects(&self, line: u64, row: &UserRow) -> bool {
        let work = Work { line, row, completed: Vec::new() };
        let lacks_group = !self.options.create_groups && self.missing_group(row).is_some();
        lacks_group || self.refused(&work).is_some() || self.facts.check(row).is_err()
    }

    /// The result of a row that is never imported.
    fn refused(&self, work: &Work<'_>) -> Option<RowResult> {
        if has_hash(work.row) && self.options.job_rows == JobRows::None {
            return Some(without_job(work));
        }
        let (code, problem, not_moved) = match work.row.origin.as_ref().map(|origin| &origin.status)? {
            UserStatus::ExternalProvider => {
                let problem = "the user signs in through an external provider, and is created at the first sign-in";
                (RowCode::FederatedUser, problem, vec![NotMoved::ExternalIdentities])
            }
            UserStatus::Unconfirmed => {
                (RowCode::UnconfirmedUser, "the user never confirmed the sign-up, and must sign up again", Vec::new())
            }
            _ => return None,
        };
        Some(RowResult { not_moved, ..work.result(Outcome::Skipped).because(code, problem) })
    }

    fn explain(&self, error: &UserPoolError) -> String {
        if self.options.explain { causes(error) } else { error.reason.to_string() }
    }
}

/// The names of all groups of the pool.
pub(crate) async fn group_names(paced: &PacedPool<'_>) -> Result<BTreeSet<GroupName>, Stop> {
    let mut names = BTreeSet::new();
    let mut request = PageRequest { limit: LARGEST_PAGE, after: None };
    loop {
        let page = paced.call(Category::UserPoolResourceRead, || paced.pool.list_groups(&request)).await?;
        names.extend(page.entries.into_iter().map(|group| group.name));
        match page.next {
            Some(next) => request.after = Some(next),
            None => return Ok(names),
        }
    }
}

fn without_job(work: &Work<'_>) -> RowResult {
    let problem = "only an import job of Cognito can set a password hash; --import-job-role runs one";
    work.result(Outcome::Skipped).because(RowCode::HashRequiresImportJob, problem)
}

fn not_created(work: &Work<'_>, problem: String) -> RowResult {
    work.result(Outcome::Failed).because(RowCode::ImportJobFailed, problem)
}

fn has_hash(row: &UserRow) -> bool {
    matches!(row.password, Some(RowPassword::Hash(_)))
}

/// Whether only an import job can create the user as in the row.
fn needs_job(row: &UserRow) -> bool {
    has_hash(row) && !loses_hash(row)
}

/// Whether a new user does not receive the hash of the row. A job would create a disabled user enabled, and the user
/// could sign in until the end of the job.
fn loses_hash(row: &UserRow) -> bool {
    has_hash(row) && row.enabled == Some(false)
}

fn not_moved_of_existing(row: &UserRow) -> Vec<NotMoved> {
    let parts = [(has_hash(row), NotMoved::PasswordHash), (has_authenticator_app(row), NotMoved::AuthenticatorApp)];
    parts.into_iter().filter(|(is_lost, _)| *is_lost).map(|(_, part)| part).collect()
}

fn has_authenticator_app(row: &UserRow) -> bool {
    row.mfa.as_ref().is_some_and(|mfa| mfa.enabled.contains(&Factor::SoftwareTokenMfa))
}

/// The name of an attribute in a path of [`Differences`].
fn attribute(path: &str) -> &str {
    path.strip_prefix("attributes.").unwrap_or(path)
}
