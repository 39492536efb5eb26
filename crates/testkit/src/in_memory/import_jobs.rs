//! [`ImportJobs`] on the in-memory pool. Reads the files of jobs as Cognito documents them.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::import_jobs::{HashAlgorithm, ImportJob, ImportJobStatus, ImportJobs, NewImportJob};
use domain::user_pool::page::Page;
use domain::user_pool::user::{Attributes, UserStatus};

use super::pool_settings::{POOL_ID, POOL_NAME};
use super::state::{State, Switch};
use super::{InMemoryDirectory, InMemoryPool};

/// The columns of a new pool, in the order of Cognito's template.
const COLUMNS: [&str; 9] = [
    "cognito:username",
    "name",
    "preferred_username",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "cognito:mfa_enabled",
    "custom:team",
];

/// How jobs behave.
#[derive(Debug, Clone)]
pub struct JobBehavior {
    /// How many reads of its status a job is in progress.
    pub reads_in_progress: usize,
    /// The status at the end. With `Stopped`, the job imports only its first row.
    pub end: ImportJobStatus,
    /// The user names that the job rejects.
    pub rejects: BTreeSet<String>,
    /// The line number of the first user in the log: 2 if the header is line 1. `None` for no log.
    pub first_line: Option<usize>,
    /// How many lists do not contain the users of jobs yet.
    pub stale_lists: usize,
    /// The calls, by the name of the method, whose response is lost once.
    pub lost_responses: BTreeSet<&'static str>,
    /// Whether the columns contain `password_hash`.
    pub has_hash_column: bool,
}

impl Default for JobBehavior {
    fn default() -> Self {
        Self {
            reads_in_progress: 2,
            end: ImportJobStatus::Succeeded,
            rejects: BTreeSet::new(),
            first_line: Some(1),
            stale_lists: 0,
            lost_responses: BTreeSet::new(),
            has_hash_column: false,
        }
    }
}

/// The jobs of a pool.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    behavior: JobBehavior,
    records: Vec<Record>,
    /// The users whom lists do not contain yet.
    pub(super) unlisted: BTreeSet<String>,
}

#[derive(Debug)]
struct Record {
    job: ImportJob,
    algorithm: Option<HashAlgorithm>,
    file: Option<String>,
    reads_left: usize,
    log: Vec<String>,
}

impl InMemoryPool {
    /// Sets the behavior of jobs.
    pub fn set_job_behavior(&self, behavior: JobBehavior) {
        self.state().jobs.behavior = behavior;
    }

    /// The jobs, oldest first, with their files.
    #[must_use]
    pub fn import_jobs(&self) -> Vec<(ImportJob, Option<HashAlgorithm>, Option<String>)> {
        let state = self.state();
        let jobs = state.jobs.records.iter();
        jobs.map(|record| (record.job.clone(), record.algorithm, record.file.clone())).collect()
    }
}

impl State {
    /// Whether a list contains the user. Counts the lists.
    pub(super) fn begin_list(&mut self) -> BTreeSet<String> {
        let jobs = &mut self.jobs;
        if jobs.behavior.stale_lists == 0 {
            jobs.unlisted.clear();
        } else if !jobs.unlisted.is_empty() {
            jobs.behavior.stale_lists -= 1;
        }
        jobs.unlisted.clone()
    }

    fn import_job(&mut self, operation: &'static str, id: &str) -> Result<&mut Record, UserPoolError> {
        let found = self.jobs.records.iter_mut().find(|record| record.job.id == id);
        found.ok_or_else(|| UserPoolError::new(operation, Reason::InvalidRequest))
    }

    fn has_active_job(&self) -> bool {
        self.jobs.records.iter().any(|record| record.job.status.is_running())
    }

    /// Returns an error if the response of the call is lost.
    fn responds(&mut self, operation: &'static str) -> Result<(), UserPoolError> {
        let is_lost = self.jobs.behavior.lost_responses.remove(operation);
        if is_lost { Err(UserPoolError::new(operation, Reason::DeadlineExceeded)) } else { Ok(()) }
    }

    /// Imports the users of a file.
    fn run_job(&mut self, index: usize) {
        let behavior = self.jobs.behavior.clone();
        let record = &self.jobs.records[index];
        let (file, algorithm) = (record.file.clone().unwrap_or_default(), record.algorithm);
        let mut lines = file.lines().map(cells);
        let header = lines.next().unwrap_or_default();
        let mut job = record.job.clone();
        job.status = behavior.end.clone();
        if algorithm.is_some() && !header.iter().any(|column| column == "password_hash") {
            job.status = ImportJobStatus::Failed;
            lines.by_ref().for_each(drop);
        }
        let mut log = Vec::new();
        for (row, cells) in lines.enumerate() {
            if behavior.end == ImportJobStatus::Stopped && row > 0 {
                break;
            }
            let (tag, text) = self.import_row(&header, &cells, &behavior.rejects);
            match tag {
                "SUCCEEDED" => job.imported += 1,
                "SKIPPED" => job.skipped += 1,
                _ => job.failed += 1,
            }
            if let Some(first) = behavior.first_line {
                log.push(format!("[{tag}] Line Number {} - {text}", row + first));
            }
        }
        let record = &mut self.jobs.records[index];
        (record.job, record.log) = (job, log);
    }

    fn import_row(
        &mut self,
        header: &[String],
        cells: &[String],
        rejects: &BTreeSet<String>,
    ) -> (&'static str, &'static str) {
        if cells.len() != header.len() {
            return ("FAILED", "The user record has the wrong number of values.");
        }
        let mut values: BTreeMap<&str, &str> =
            header.iter().zip(cells).map(|(column, value)| (column.as_str(), value.trim())).collect();
        values.retain(|_, value| !value.is_empty());
        let Some(username) = values.remove("cognito:username").and_then(|name| name.parse().ok()) else {
            return ("FAILED", "The user record has no user name.");
        };
        let username: domain::user_pool::user::Username = username;
        let hash = values.remove("password_hash").map(str::to_owned);
        if rejects.contains(username.as_str()) {
            return ("FAILED", "The hash of the password is out of bounds.");
        }
        if self.name_is_taken(username.as_str()) {
            return ("SKIPPED", "The user already exists.");
        }
        if values.get("email_verified") != Some(&"TRUE") || !values.contains_key("email") {
            return ("FAILED", "The User Record does not set any of the auto verified attributes to true.");
        }
        let value = |name: &str, value: &str| {
            if name.ends_with("_verified") { value.to_ascii_lowercase() } else { value.to_owned() }
        };
        let attributes: Attributes =
            values.into_iter().map(|(name, text)| (name.to_owned(), value(name, text))).collect();
        if self.alias_is_taken(&attributes, username.as_str()) {
            return ("FAILED", "The alias belongs to another user.");
        }
        let status = if hash.is_some() { UserStatus::Confirmed } else { UserStatus::ResetRequired };
        self.insert(&username, status, attributes).password = hash;
        self.jobs.unlisted.insert(username.to_string());
        ("SUCCEEDED", "The import succeeded.")
    }
}

/// Splits a line at its commas, except those after a backslash.
fn cells(line: &str) -> Vec<String> {
    let mark = "\u{0}";
    line.replace("\\,", mark).split(',').map(|cell| cell.replace(mark, ",")).collect()
}

#[async_trait]
impl ImportJobs for InMemoryDirectory {
    async fn csv_header(&self) -> Result<Vec<String>, UserPoolError> {
        let state = self.pool().call("csv_header")?;
        let proof = state.is(Switch::CreationAttribute).then_some("custom:poolkeeper_created");
        let hash = state.jobs.behavior.has_hash_column.then_some("password_hash");
        Ok(COLUMNS.into_iter().chain(proof).chain(hash).map(str::to_owned).collect())
    }

    async fn create_job(&self, job: &NewImportJob) -> Result<(ImportJob, Secret), UserPoolError> {
        let mut state = self.pool().call("create_job")?;
        if state.has_active_job() {
            return Err(UserPoolError::new("create_job", Reason::LimitReached));
        }
        let id = format!("import-{}", state.jobs.records.len() + 1);
        let created = ImportJob {
            id: id.clone(),
            name: job.name.clone(),
            status: ImportJobStatus::Created,
            imported: 0,
            skipped: 0,
            failed: 0,
            message: None,
        };
        let reads_left = state.jobs.behavior.reads_in_progress;
        let (algorithm, record) = (job.algorithm, created.clone());
        state.jobs.records.push(Record { job: record, algorithm, file: None, reads_left, log: Vec::new() });
        state.responds("create_job")?;
        Ok((created, Secret::new(id)))
    }

    async fn upload(&self, url: &Secret, csv: &Secret) -> Result<(), UserPoolError> {
        let mut state = self.pool().call("upload")?;
        state.import_job("upload", url.expose())?.file = Some(csv.expose().to_owned());
        state.responds("upload")
    }

    async fn start_job(&self, id: &str) -> Result<(), UserPoolError> {
        let mut state = self.pool().call("start_job")?;
        if state.has_active_job() {
            return Err(UserPoolError::new("start_job", Reason::WrongState));
        }
        let record = state.import_job("start_job", id)?;
        if record.job.status != ImportJobStatus::Created || record.file.is_none() {
            return Err(UserPoolError::new("start_job", Reason::WrongState));
        }
        record.job.status = ImportJobStatus::Pending;
        state.responds("start_job")
    }

    async fn job(&self, id: &str) -> Result<ImportJob, UserPoolError> {
        let mut state = self.pool().call("job")?;
        let record = state.import_job("job", id)?;
        if record.job.status.is_running() {
            record.job.status = ImportJobStatus::InProgress;
            let is_done = record.reads_left == 0;
            record.reads_left = record.reads_left.saturating_sub(1);
            if is_done && let Some(index) = state.jobs.records.iter().position(|record| record.job.id == id) {
                state.run_job(index);
            }
        }
        Ok(state.import_job("job", id)?.job.clone())
    }

    async fn jobs(&self, after: Option<&str>) -> Result<Page<ImportJob>, UserPoolError> {
        let state = self.pool().call("jobs")?;
        // One job on each page, newest first.
        let index = after.map_or(Ok(0), str::parse::<usize>);
        let index = index.map_err(|_| UserPoolError::new("jobs", Reason::InvalidRequest))?;
        let mut jobs = state.jobs.records.iter().rev().skip(index);
        let entries: Vec<_> = jobs.next().map(|record| record.job.clone()).into_iter().collect();
        Ok(Page { entries, next: jobs.next().map(|_| (index + 1).to_string()) })
    }

    async fn log(&self, group: &str, stream: &str, after: Option<&str>) -> Result<Page<String>, UserPoolError> {
        let state = self.pool().call("log")?;
        let record =
            state.jobs.records.iter().find(|record| format!("{}/{}", record.job.id, record.job.name) == stream);
        let expected = format!("/aws/cognito/userpools/{POOL_ID}/{POOL_NAME}");
        match (record.filter(|record| !record.log.is_empty() && group == expected), after) {
            (None, _) => Err(UserPoolError::new("log", Reason::Internal)),
            (Some(record), None) => Ok(Page { entries: record.log.clone(), next: Some("end".to_owned()) }),
            (Some(_), Some(_)) => Ok(Page { entries: Vec::new(), next: None }),
        }
    }
}
