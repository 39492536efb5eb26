//! The worker of a job: splits the file, imports chunks, and adds up the results.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::num::NonZeroU16;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::{Either, select};

use super::chunk::{Chunk, Plan, Split};
use super::error::{JobError, StoreError};
use super::files::{FileVersion, Files, KEYS_PER_PAGE, ensure_not_stopped, keys};
use super::id::{EXPECTED_JOB_ID, JobId};
use super::job::ImportJob;
use super::splitter::{Divided, Splitter};
use crate::backup::{
    ArchiveError, Digest, ExistingGroups, GroupRecord, Layout, Member, Section, read_groups, restore_groups,
};
use crate::retry::Clock;
use crate::transfer::{Duplicates, Importer, Lines, Pace, PacedPool, Rates, RowResult, Stop, Summary};
use crate::user_pool::UserPool;
use crate::user_pool::quota::{Category, RequestQuotas};

/// How much of the file is read at once when it is split. The memory of the worker grows by two of these.
const READ_BYTES: u64 = 1024 * 1024;

/// The smallest and the largest chunk. The largest fits into memory and, with at most 1,000 rows, into one invocation.
const CHUNK_BYTES: (u64, u64) = (16 * 1024, 512 * 1024);

/// The maximum number of rows of a chunk, and how long an import of them takes at most, so that it ends long before
/// Lambda's timeout of 15 minutes.
const CHUNK_ROWS: (f64, Duration) = (1000.0, Duration::from_mins(5));

/// The maximum number of rows of a file. The first step keeps eight bytes per row.
const MAX_ROWS: u64 = 10_000_000;

/// How many chunks each worker imports in a small job, so that all workers end at about the same time.
const CHUNKS_PER_WORKER: u64 = 16;

/// How long calls to the user pool are repeated while it is unavailable. Then the state machine repeats the step.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often a worker checks whether a caller stopped the job.
const STOP_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// How often the results of a chunk in progress are kept, so that a crash repeats only the rows since then.
const KEEP_INTERVAL: Duration = Duration::from_secs(10);

/// How many results are read at the same time.
const CONCURRENT_READS: usize = 16;

/// The parts of an archive that a restore uses.
struct OpenArchive {
    groups: Vec<GroupRecord>,
    /// The number of users.
    rows: u64,
    users: Section,
}

fn invalid(error: &ArchiveError) -> JobError {
    JobError::InvalidFile(format!("archive: {error}"))
}

/// Runs the steps of jobs. [`Clock::time_left`] is the time of the invocation.
pub struct Worker<'a> {
    /// The bucket.
    pub files: &'a dyn Files,
    /// The user pool. Its calls are sent once, because the import repeats them.
    pub pool: &'a dyn UserPool,
    /// The quotas of the account.
    pub quotas: &'a dyn RequestQuotas,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
    /// How many chunks are imported at the same time.
    pub workers: NonZeroU16,
    /// The share of the account's quotas that jobs use, from 0 to 1.
    pub quota_share: f64,
}

impl Worker<'_> {
    /// Divides the file into chunks. A repeated call returns the same chunks. `attempt` is the name of the execution.
    ///
    /// # Errors
    ///
    /// Returns an error if the file is absent or has an invalid header, or if a call fails.
    pub async fn split(&self, job: &ImportJob, attempt: &str) -> Result<Split, JobError> {
        let (rates, attempt) = (self.rates().await, attempt.to_owned());
        if let Some(plan) = self.files.read(&keys::plan(&job.id)).await? {
            let plan = serde_json::from_slice(&plan).map_err(|error| JobError::InvalidFile(error.to_string()))?;
            self.ensure_same(job, &plan).await?;
            return Ok(Split { plan, rates, attempt });
        }
        let key = job.file();
        let absent = || JobError::InvalidFile("the file does not exist".to_owned());
        let FileVersion { size, etag, .. } = self.files.version(&key).await?.ok_or_else(absent)?;
        // No other worker of the job runs yet.
        let pace = Pace::new(Arc::clone(&self.clock), &rates.share(self.workers.get().into()));
        let facts = self.paced(&pace).facts().await?;
        let archive = if job.is_restore() { Some(self.open(job, (size, &etag)).await?) } else { None };
        let (mut offset, size) =
            archive.as_ref().map_or((0, size), |archive| (archive.users.offset, archive.users.bytes));
        let (smallest, largest) = CHUNK_BYTES;
        let chunk_bytes = size / (CHUNKS_PER_WORKER * u64::from(self.workers.get()));
        let (rows, duration) = CHUNK_ROWS;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 1,000")]
        let rows = (rates.of(Category::UserUpdate) * duration.as_secs_f64()).clamp(1.0, rows) as u64;
        let limits = (chunk_bytes.clamp(smallest, largest), rows);
        let (mut splitter, end) = (Splitter::new(job.format, &facts, limits, offset), offset + size);
        let mut digest = Digest::new(io::sink());
        while offset < end {
            let bytes = self.files.read_part(&key, &etag, offset, READ_BYTES.min(end - offset)).await?;
            if bytes.is_empty() {
                // The manifest of the archive promises more.
                return Err(JobError::InvalidFile("the file is incomplete".to_owned()));
            }
            offset += bytes.len() as u64;
            splitter.push(&bytes).map_err(JobError::InvalidFile)?;
            if archive.is_some() {
                // Writing to a sink cannot fail.
                let _ = digest.write_all(&bytes);
            }
        }
        if let Some(archive) = &archive {
            archive.users.check(&digest.finish()).map_err(|error| invalid(&error))?;
        }
        let Divided { header, rows, chunks } = splitter.finish().map_err(JobError::InvalidFile)?;
        if rows == 0 {
            // A distributed map over nothing would fail with an error of AWS.
            return Err(JobError::InvalidFile("the file contains no users".to_owned()));
        }
        if archive.as_ref().is_some_and(|archive| archive.rows != rows) {
            return Err(invalid(&ArchiveError::Changed(Member::Users.name())));
        }
        if rows > MAX_ROWS {
            return Err(JobError::InvalidFile(format!("the file must have at most {MAX_ROWS} rows")));
        }
        if let Some(archive) = archive.filter(|_| !job.options.dry_run) {
            // Before the plan, so that no user is imported without its groups.
            ensure_not_stopped(self.files, &job.id, &attempt).await?;
            let stopped = pin!(self.stopped(&job.id, &attempt));
            let existing = if job.options.update { ExistingGroups::UpdateWithoutRole } else { ExistingGroups::Keep };
            let restore = pin!(restore_groups(self.paced(&pace), &archive.groups, existing));
            match select(stopped, restore).await {
                Either::Left(_) => return Err(JobError::Stopped),
                Either::Right((result, _)) => result?,
            };
        }
        let list = keys::list_of(&etag);
        let (format, options) = (job.format, job.options);
        let plan = Plan { format, options, list, etag, header, rows, chunks: chunks.len() as u64 };
        // The plan is written last, so that it never names chunks that are not there.
        self.files.create(&keys::chunks(&job.id, &plan.list), json(&chunks)).await?;
        self.files.create(&keys::plan(&job.id), json(&plan)).await?;
        Ok(Split { plan, rates, attempt })
    }

    /// Reads the manifest and the groups of an archive.
    async fn open(&self, job: &ImportJob, (size, etag): (u64, &str)) -> Result<OpenArchive, JobError> {
        let read = async |offset: u64, length: u64| -> Result<Vec<u8>, JobError> {
            match length.min(size.saturating_sub(offset)) {
                0 => Ok(Vec::new()),
                length => Ok(self.files.read_part(&job.file(), etag, offset, length).await?),
            }
        };
        let layout = Layout::read(&read(0, Layout::HEAD_BYTES).await?).map_err(|error| invalid(&error))?;
        let section = layout.section(Member::Groups).map_err(|error| invalid(&error))?;
        let content = read(section.offset, section.bytes).await?;
        let mut digest = Digest::new(io::sink());
        // Writing to a sink cannot fail.
        let _ = digest.write_all(&content);
        section.check(&digest.finish()).map_err(|error| invalid(&error))?;
        let groups = read_groups(&content).map_err(|error| invalid(&error))?;
        if groups.len() as u64 != layout.counts.groups {
            return Err(invalid(&ArchiveError::Changed(Member::Groups.name())));
        }
        let users = layout.section(Member::Users).map_err(|error| invalid(&error))?.clone();
        Ok(OpenArchive { groups, rows: layout.counts.users, users })
    }

    /// Rejects a job that uses the id of another one, whose results would count as its own.
    async fn ensure_same(&self, job: &ImportJob, plan: &Plan) -> Result<(), JobError> {
        if (job.format, job.options) != (plan.format, plan.options) {
            let problem = "the job was started with another format or other options; upload the file under another id";
            return Err(JobError::InvalidFile(problem.to_owned()));
        }
        match self.files.version(&job.file()).await? {
            Some(version) if version.etag != plan.etag => {
                let problem = "another file was uploaded under this id; upload it under another id";
                Err(JobError::InvalidFile(problem.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// The rates of one worker.
    async fn rates(&self) -> Rates {
        // Without the permission, or during an outage, default quotas are used.
        let (rates, _) = Rates::of_account(self.quotas, &*self.clock, Category::ADJUSTABLE).await;
        rates.share(self.quota_share / f64::from(self.workers.get()))
    }

    fn paced<'s>(&'s self, pace: &'s Pace) -> PacedPool<'s> {
        PacedPool { pool: self.pool, pace, clock: &*self.clock, patience: PATIENCE }
    }

    /// Imports a chunk and writes its results. Does nothing if the chunk has results.
    ///
    /// # Errors
    ///
    /// Returns an error if a row has no result. The next call continues the chunk.
    pub async fn import(&self, job: &ImportJob, split: &Split, chunk: &Chunk) -> Result<(), JobError> {
        let result = self.import_rows(job, split, chunk).await;
        if let Err(error) = &result
            && !matches!(error, JobError::Stop(Stop::TimeUp) | JobError::Stopped)
        {
            // The error of the map state does not name the error of a chunk. If this call fails, only the log does.
            let _ = self.files.replace(&keys::error(&job.id, &split.attempt), error.name().into()).await;
        }
        result
    }

    async fn import_rows(&self, job: &ImportJob, split: &Split, chunk: &Chunk) -> Result<(), JobError> {
        let result = keys::result(&job.id, chunk.first_line);
        if self.files.version(&result).await?.is_some() {
            return Ok(());
        }
        let (key, etag) = (job.file(), &split.plan.etag);
        let header = match split.plan.header {
            0 => Vec::new(),
            length => self.files.read_part(&key, etag, 0, length).await?,
        };
        let rows = self.files.read_part(&key, etag, chunk.offset, chunk.length).await?;
        let lines = Lines::part(job.format, &header, chunk.first_line, &rows[..]).map_err(JobError::InvalidFile)?;
        let pace = Pace::new(Arc::clone(&self.clock), &split.rates);
        let id = job.id.import_id().ok_or_else(|| JobError::InvalidFile(EXPECTED_JOB_ID.to_owned()))?;
        let importer = Importer::start(self.paced(&pace), (id, job.requested_at), job.options.into()).await?;
        let earlier = self.partial_results(&job.id, chunk.first_line).await?;
        // Before many rows start at the same time.
        ensure_not_stopped(self.files, &job.id, &split.attempt).await?;
        let (stopping, mut duplicates) =
            (AtomicBool::new(false), Duplicates::with_known(chunk.duplicates.iter().copied()));
        let lines = lines
            .map_while(Result::ok)
            .take_while(|_| !stopping.load(Ordering::Relaxed))
            .map(|line| duplicates.check(importer.facts(), line))
            .filter(|line| !earlier.contains_key(&line.number));
        let mut results = pin!(importer.import_all(lines));
        let mut stopped = pin!(self.stopped(&job.id, &split.attempt));
        let (mut done, mut failure): (Vec<RowResult>, Option<Stop>) = (Vec::new(), None);
        let (mut kept, mut kept_at) = (0, self.clock.now());
        loop {
            let result = if stopping.load(Ordering::Relaxed) {
                results.next().await
            } else {
                match select(&mut stopped, results.next()).await {
                    Either::Left(_) => {
                        stopping.store(true, Ordering::Relaxed);
                        continue;
                    }
                    Either::Right((result, _)) => result,
                }
            };
            match result {
                Some(Ok(result)) => done.push(result),
                Some(Err(stop)) => failure = failure.or(Some(stop)),
                None => break,
            }
            if self.clock.now() >= kept_at + KEEP_INTERVAL {
                kept_at = self.clock.now();
                // Rows are in progress, so the import continues after a failed call.
                if self.keep(&job.id, chunk.first_line, &done[kept..]).await.is_ok() {
                    kept = done.len();
                }
            }
        }
        let failure = failure.map(JobError::from);
        if let Some(failure) = failure.or_else(|| stopping.load(Ordering::Relaxed).then_some(JobError::Stopped)) {
            self.keep(&job.id, chunk.first_line, &done[kept..]).await?;
            return Err(failure);
        }
        done.extend(earlier.values().cloned());
        done.sort_by_key(|result| result.line);
        Ok(self.files.create(&result, json_lines(&done)).await?)
    }

    /// Keeps results of an unfinished chunk for later invocations.
    async fn keep(&self, id: &JobId, first_line: u64, results: &[RowResult]) -> Result<(), StoreError> {
        if results.is_empty() {
            return Ok(());
        }
        let key = format!("{}{}.jsonl", keys::partial(id, first_line), self.clock.nonce().expose());
        self.files.create(&key, json_lines(results)).await
    }

    /// The results of interrupted invocations, by line. Some of them cannot be repeated, such as an invitation that was
    /// not sent.
    async fn partial_results(&self, id: &JobId, first_line: u64) -> Result<BTreeMap<u64, RowResult>, JobError> {
        let mut results = BTreeMap::new();
        let mut after = None;
        loop {
            let page = self.files.list(&keys::partial(id, first_line), after, KEYS_PER_PAGE).await?;
            for key in &page.entries {
                for result in read_results(self.files.read(key).await?)? {
                    results.entry(result.line).or_insert(result);
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(results);
            }
        }
    }

    /// Waits until a caller stops the attempt, which did not stop yet. A failed check is repeated.
    async fn stopped(&self, id: &JobId, attempt: &str) {
        loop {
            self.clock.sleep(STOP_CHECK_INTERVAL).await;
            if let Err(JobError::Stopped) = ensure_not_stopped(self.files, id, attempt).await {
                return;
            }
        }
    }

    /// Imports the chunks that failed, adds up the results, writes the summary, and deletes an uploaded file, which can
    /// contain passwords.
    ///
    /// # Errors
    ///
    /// Returns an error if a chunk fails again, a result is missing or a call fails. Other chunks are imported before.
    pub async fn finish(&self, job: &ImportJob, split: &Split) -> Result<Summary, JobError> {
        let (mut summary, results) = self.add_up(&job.id).await?;
        if summary.rows != split.plan.rows {
            self.import_failed(job, split, &results).await?;
            (summary, _) = self.add_up(&job.id).await?;
        }
        if summary.rows != split.plan.rows {
            return Err(JobError::Incomplete { found: summary.rows, expected: split.plan.rows, unit: "rows" });
        }
        self.files.create(&keys::summary(&job.id), json(&summary)).await?;
        if job.backup.is_none() {
            self.files.delete(&keys::upload(&job.id)).await?;
        }
        Ok(summary)
    }

    /// Imports the chunks without results, which the map tolerates. Imported here, they also continue after a redrive,
    /// which repeats only this step.
    async fn import_failed(&self, job: &ImportJob, split: &Split, results: &BTreeSet<String>) -> Result<(), JobError> {
        let chunks = self.files.read(&keys::chunks(&job.id, &split.plan.list)).await?.unwrap_or_default();
        let chunks: Vec<Chunk> = serde_json::from_slice(&chunks).unwrap_or_default();
        // All workers have ended, so this one uses the rates of all.
        let split = Split { rates: split.rates.share(self.workers.get().into()), ..split.clone() };
        let mut failure = None;
        for chunk in chunks.iter().filter(|chunk| !results.contains(&keys::result(&job.id, chunk.first_line))) {
            match self.import(job, &split, chunk).await {
                Ok(()) => {}
                Err(error) if error.concerns_all_chunks() => return Err(error),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Adds up the results so far. Returns their keys as well.
    async fn add_up(&self, id: &JobId) -> Result<(Summary, BTreeSet<String>), JobError> {
        let (mut summary, mut keys) = (Summary::default(), BTreeSet::new());
        let mut after = None;
        loop {
            let page = self.files.list(&keys::results(id), after, KEYS_PER_PAGE).await?;
            let reads = page.entries.iter().map(|key| self.files.read(key));
            let mut reads = futures::stream::iter(reads).buffered(CONCURRENT_READS);
            while let Some(text) = reads.next().await {
                for result in read_results(text?)? {
                    summary.add(&result);
                }
            }
            keys.extend(page.entries.iter().cloned());
            after = page.next;
            if after.is_none() {
                return Ok((summary, keys));
            }
        }
    }
}

fn json_lines(results: &[RowResult]) -> Vec<u8> {
    results.iter().flat_map(|result| [json(result), b"\n".to_vec()].concat()).collect()
}

fn read_results(text: Option<Vec<u8>>) -> Result<Vec<RowResult>, JobError> {
    let text = text.unwrap_or_default();
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let results = lines.map(serde_json::from_slice);
    results.collect::<Result<_, _>>().map_err(|error| JobError::InvalidFile(error.to_string()))
}

/// Serialization of these types cannot fail.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
