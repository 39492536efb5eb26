//! Imports users with import jobs of Cognito, which create users with password hashes and without monthly active users.
//!
//! A job creates a user with the proof of this import in [`CREATION_ATTRIBUTE`]. After the job, or after a crash at any
//! point, the listed users with a proof are those that this import created. No other record of the jobs is needed.

mod log;
mod route;
mod wait;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use self::log::JobLog;
use self::route::Route;
use super::csv_file::{CsvFile, FileColumns};
use super::import::{Importer, JobRows, Known};
use super::lines::Line;
use super::paced_pool::Stop;
use crate::search::LARGEST_PAGE;
use crate::user_pool::error::UserPoolError;
use crate::user_pool::import_jobs::{HashAlgorithm, ImportJob, ImportJobStatus, ImportJobs};
use crate::user_pool::page::PageRequest;
use crate::user_pool::quota::Category;
use crate::user_pool::user::{CREATION_ATTRIBUTE, User};

/// The waits for users whom a job created and Cognito does not list yet.
const LIST_WAITS: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(30)];

/// Why import jobs cannot continue.
#[derive(Debug, Error)]
pub enum ImportJobError {
    /// The pool lacks the attribute that proves who created a user.
    #[error(
        "import jobs require the attribute `custom:poolkeeper_created` in the user pool, which proves that the import \
         created a user; add it once with `aws cognito-idp add-custom-attributes --user-pool-id {0} \
         --custom-attributes Name=poolkeeper_created,AttributeDataType=String,Mutable=false`"
    )]
    NoCreationAttribute(String),
    /// Import jobs only create users with a verified attribute.
    #[error(
        "import jobs require a user pool that verifies e-mail addresses or phone numbers (`AutoVerifiedAttributes`)"
    )]
    NoAutoVerifiedAttribute,
    /// Another job of the account is active for too long.
    #[error("Cognito accepts no import job, perhaps because another one of the account is active")]
    Busy(#[source] UserPoolError),
    /// A job ended before its last user.
    #[error("the import job {name} ended with the status {status}{}", message.as_ref().map(|it| format!(" ({it})")).unwrap_or_default())]
    Ended {
        /// The name of the job.
        name: String,
        /// The status.
        status: ImportJobStatus,
        /// Cognito's message.
        message: Option<String>,
    },
}

/// What happens to the jobs of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEvent {
    /// A job with this name and number of users was created.
    Created(String, usize),
    /// A job of an earlier run is active.
    Continued(String),
    /// Cognito accepts no job yet, perhaps because another one of the account is active. Contains Cognito's error.
    Busy(String),
    /// The job ended.
    Ended(ImportJob),
}

/// Receives events.
pub trait JobObserver: Send + Sync {
    /// Receives an event.
    fn event(&self, event: &JobEvent);
}

/// The rows of an import by the way of their import.
#[derive(Debug, Default)]
pub struct JobPlan {
    /// The lines whose users a job creates, by algorithm.
    waiting: BTreeMap<Option<HashAlgorithm>, BTreeSet<u64>>,
    /// The existing users of lines that a job would create otherwise.
    existing: HashMap<u64, User>,
}

impl JobPlan {
    /// Whether a job creates users with a password hash.
    #[must_use]
    pub fn has_hashes(&self) -> bool {
        self.waiting.iter().any(|(algorithm, lines)| algorithm.is_some() && !lines.is_empty())
    }
}

/// The rows of a completed job, with what is known about their users.
#[derive(Debug)]
pub struct JobBatch {
    known: HashMap<u64, Known>,
    /// Why the job ended early. The rows with a result are recorded first.
    pub ended: Option<ImportJobError>,
}

impl JobBatch {
    /// Takes what is known about the user of a line. `None` for lines without a result: those of other jobs, and those
    /// that a job did not reach before it ended early.
    pub fn take(&mut self, line: u64) -> Option<Known> {
        self.known.remove(&line)
    }
}

/// The import jobs of one import.
pub struct Jobs<'a> {
    importer: &'a Importer<'a>,
    port: &'a dyn ImportJobs,
    role_arn: &'a str,
    observer: &'a dyn JobObserver,
    columns: FileColumns,
    /// The beginning of the names of this import's jobs.
    prefix: String,
    next_number: u32,
}

impl<'a> Jobs<'a> {
    /// Reads the columns, and waits for a job of an interrupted run. Changes nothing.
    ///
    /// # Errors
    ///
    /// Returns an error if the pool does not support jobs or cannot be read.
    pub async fn start(
        importer: &'a Importer<'a>,
        port: &'a dyn ImportJobs,
        role_arn: &'a str,
        observer: &'a dyn JobObserver,
    ) -> Result<Self, Stop> {
        if !importer.facts().has_creation_attribute() {
            return Err(ImportJobError::NoCreationAttribute(importer.facts().id.clone()).into());
        }
        if !importer.facts().verifies_attributes() {
            return Err(ImportJobError::NoAutoVerifiedAttribute.into());
        }
        let header = importer.paced.call(Category::UserPoolResourceRead, || port.csv_header()).await?;
        let columns = FileColumns::new(header);
        if !columns.contain(CREATION_ATTRIBUTE) {
            return Err(ImportJobError::NoCreationAttribute(importer.facts().id.clone()).into());
        }
        let prefix = prefix(&importer.id.to_string());
        let mut jobs = Self { importer, port, role_arn, observer, columns, prefix, next_number: 1 };
        if !importer.options.dry_run {
            jobs.wait_for_earlier_jobs().await?;
        }
        Ok(jobs)
    }

    /// Decides which of these lines jobs create, and finds their existing users.
    ///
    /// # Errors
    ///
    /// Returns an error if the pool cannot be read.
    pub async fn plan(&self, lines: impl Iterator<Item = Line>) -> Result<JobPlan, Stop> {
        let (mut plan, mut wanted) = (JobPlan::default(), HashMap::new());
        for line in lines {
            if let (Route::Job { algorithm, .. }, Ok(row)) = (self.route(&line), &line.row) {
                wanted.insert(self.importer.facts().key(&row.username), line.number);
                plan.waiting.entry(algorithm).or_default().insert(line.number);
            }
        }
        if !wanted.is_empty() {
            plan.existing = self.list(&wanted).await?;
        }
        for lines in plan.waiting.values_mut() {
            lines.retain(|line| !plan.existing.contains_key(line));
        }
        Ok(plan)
    }

    /// What is known about the user of a line before the first job. `None` if a job creates the user.
    pub fn before_jobs(&self, plan: &mut JobPlan, line: &Line) -> Option<Known> {
        match self.route(line) {
            Route::Calls => Some(Known::Nothing),
            Route::Refused(error) => Some(Known::Refused(error)),
            Route::Job { algorithm, .. } => match plan.existing.remove(&line.number) {
                Some(user) => Some(Known::Listed(user)),
                None if self.importer.options.dry_run => Some(Known::Absent),
                None => {
                    let is_waiting = plan.waiting.get(&algorithm).is_some_and(|lines| lines.contains(&line.number));
                    (!is_waiting).then_some(Known::Nothing)
                }
            },
        }
    }

    /// Runs the next job with as many of the waiting lines as fit into a file. Returns `None` after the last job, and in a
    /// dry run.
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails. The next run continues.
    pub async fn run_next(
        &mut self,
        plan: &mut JobPlan,
        lines: impl Iterator<Item = Line>,
    ) -> Result<Option<JobBatch>, Stop> {
        if self.importer.options.dry_run {
            return Ok(None);
        }
        let Some((algorithm, waiting)) = plan.waiting.iter_mut().find(|(_, lines)| !lines.is_empty()) else {
            return Ok(None);
        };
        let algorithm = *algorithm;
        let mut file = CsvFile::new(&self.columns, algorithm.is_some());
        let (mut rows, mut wanted) = (Vec::new(), HashMap::new());
        for line in lines.filter(|line| waiting.contains(&line.number)) {
            if let (Route::Job { record, .. }, Ok(row)) = (self.route(&line), &line.row) {
                if !file.push(&record) {
                    break;
                }
                rows.push(line.number);
                wanted.insert(self.importer.facts().key(&row.username), line.number);
            }
        }
        for line in &rows {
            waiting.remove(line);
        }
        if rows.is_empty() {
            // The lines are not in the file any more.
            waiting.clear();
            return Ok(Some(JobBatch { known: HashMap::new(), ended: None }));
        }
        let job = self.run(algorithm, file.finish(), rows.len()).await?;
        Ok(Some(self.batch(job, &rows, &wanted).await?))
    }

    /// Finds the users of a job.
    async fn batch(&self, job: ImportJob, rows: &[u64], wanted: &HashMap<String, u64>) -> Result<JobBatch, Stop> {
        let mut listed = self.list_created(&job, wanted).await?;
        let is_own = |line: &u64| listed.get(line).is_some_and(|user| self.importer.line_of(user) == Some(*line));
        let own: HashSet<usize> = (0..rows.len()).filter(|index| is_own(&rows[*index])).collect();
        let is_listed_completely = own.len() as u64 >= job.imported;
        let log = if listed.len() < rows.len() { self.log(&job, rows.len(), &own).await } else { JobLog::default() };
        let mut known = HashMap::with_capacity(rows.len());
        for (index, line) in rows.iter().enumerate() {
            let is_succeeded = job.status == ImportJobStatus::Succeeded;
            let found = match (listed.remove(line), log.problem(index)) {
                (Some(user), _) => Known::Listed(user),
                (None, Some(problem)) => {
                    Known::NotCreated(format!("the import job did not create the user: {problem}"))
                }
                (None, None) if !is_succeeded => continue,
                (None, None) => {
                    let (group, stream) = self.log_stream(&job);
                    let problem = format!(
                        "the import job did not create the user; the reason is in the log stream {stream} of the \
                         CloudWatch log group {group}"
                    );
                    if is_listed_completely { Known::NotCreated(problem) } else { Known::PerhapsCreated(problem) }
                }
            };
            known.insert(*line, found);
        }
        let ImportJob { name, status, message, .. } = job;
        let ended = (status != ImportJobStatus::Succeeded).then_some(ImportJobError::Ended { name, status, message });
        Ok(JobBatch { known, ended })
    }

    /// Lists the users of a job, repeatedly until Cognito lists all users that the job created.
    async fn list_created(&self, job: &ImportJob, wanted: &HashMap<String, u64>) -> Result<HashMap<u64, User>, Stop> {
        let mut waits = LIST_WAITS.iter();
        loop {
            let listed = self.list(wanted).await?;
            let own = listed.iter().filter(|(line, user)| self.importer.line_of(user) == Some(**line)).count();
            match waits.next() {
                Some(wait) if (own as u64) < job.imported => self.importer.paced.clock.sleep(*wait).await,
                _ => return Ok(listed),
            }
        }
    }

    /// Lists the pool, and returns the users with these keys by line.
    async fn list(&self, wanted: &HashMap<String, u64>) -> Result<HashMap<u64, User>, Stop> {
        let (facts, paced) = (self.importer.facts(), &self.importer.paced);
        let mut found = HashMap::new();
        let mut request = PageRequest { limit: LARGEST_PAGE, after: None };
        loop {
            let page = paced.call(Category::UserList, || paced.pool.list(None, &request)).await?;
            for mut user in page.entries {
                let Some(line) = facts.keys(&user).find_map(|key| wanted.get(&key)).copied() else { continue };
                if self.importer.line_of(&user) == Some(line) {
                    // Other attributes are not compared. A pool can have millions of users.
                    user.attributes.retain(|name, _| name == "sub" || name == CREATION_ATTRIBUTE);
                }
                found.insert(line, user);
            }
            match page.next {
                Some(next) => request.after = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// The log group and log stream of a job, as in the guide of import jobs.
    fn log_stream(&self, job: &ImportJob) -> (String, String) {
        let facts = self.importer.facts();
        (format!("/aws/cognito/userpools/{}/{}", facts.id, facts.name), format!("{}/{}", job.id, job.name))
    }
}

/// The beginning of the names of an import's jobs. It contains a hash of the import's id, because readers of the log
/// could otherwise compute the proofs of the import.
fn prefix(import: &str) -> String {
    let hash = Sha256::digest(format!("jobs.{import}"));
    let hash = u64::from_be_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]]);
    format!("poolkeeper-{hash:016x}-")
}
