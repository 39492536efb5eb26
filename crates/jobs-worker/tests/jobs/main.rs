//! Tests jobs on the in-memory pool, bucket and state machine. Time is paused, so that imports take no time.
#![expect(clippy::unwrap_used, reason = "tests")]

mod restores;

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws::SystemClock;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::jobs::{
    Chunk, Control, ExecutionStatus, Files, ImportJob, Job, JobError, JobId, JobOptions, JobStatus, Split, Start,
    Worker, keys,
};
use domain::retry::Clock;
use domain::transfer::{Format, Outcome, RowResult, Stop};
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::page::PageRequest;
use domain::user_pool::quota::{Category, RequestQuotas};
use domain::user_pool::user::UserStatus;
use fastrand::Rng;
use sha2::{Digest as _, Sha256};
use testkit::in_memory::InMemoryPool;
use testkit::in_memory_jobs::InMemoryJobs;
use testkit::virtual_clock::VirtualClock;
use time::OffsetDateTime;

/// The default quotas.
struct Quotas;

#[async_trait]
impl RequestQuotas for Quotas {
    async fn provisioned(&self, category: Category) -> Result<u32, UserPoolError> {
        Ok(category.default_quota())
    }
}

/// A stack with jobs.
struct Stack {
    jobs: InMemoryJobs,
    pool: InMemoryPool,
    workers: u16,
    /// The name of the execution.
    attempt: String,
}

fn id() -> JobId {
    format!("import-{}", "0123456789abcdef".repeat(2)).parse().unwrap()
}

fn job(format: Format) -> ImportJob {
    ImportJob {
        id: id(),
        format,
        backup: None,
        options: JobOptions::default(),
        requested_by: "admin".to_owned(),
        requested_at: OffsetDateTime::UNIX_EPOCH,
    }
}

impl Stack {
    fn new(file: &str) -> Self {
        let pool = InMemoryPool::new();
        pool.describe_creation_attribute();
        pool.add_group("editors");
        let jobs = InMemoryJobs::default();
        jobs.put(&keys::upload(&id()), file);
        Self { jobs, pool, workers: 1, attempt: id().to_string() }
    }

    async fn with_worker<T>(&self, time: Duration, run: impl AsyncFnOnce(&Worker<'_>) -> T) -> T {
        let (directory, clock) = (self.pool.directory(), Arc::new(SystemClock::starting_now(time)));
        let workers = NonZeroU16::new(self.workers).unwrap();
        let quotas = &Quotas;
        let worker = Worker { files: &self.jobs, pool: &directory, quotas, clock, workers, quota_share: 1.0 };
        run(&worker).await
    }

    async fn split(&self, format: Format) -> Result<(Split, Vec<Chunk>), JobError> {
        let split = async |worker: &Worker<'_>| worker.split(&job(format), &self.attempt).await;
        let split = self.with_worker(HOUR, split).await?;
        let chunks = self.jobs.file(&keys::chunks(&id(), &split.plan.list)).unwrap();
        Ok((split, serde_json::from_slice(&chunks).unwrap()))
    }

    async fn import(&self, format: Format, split: &Split, chunk: &Chunk) -> Result<(), JobError> {
        self.with_worker(HOUR, async |worker| worker.import(&job(format), split, chunk).await).await
    }

    async fn finish(&self, format: Format, split: &Split) -> Result<u64, JobError> {
        let finish = async |worker: &Worker<'_>| worker.finish(&job(format), split).await;
        Ok(self.with_worker(HOUR, finish).await?.rows)
    }

    /// Runs a job as the state machine does, and repeats each step until it succeeds.
    async fn run(&self, format: Format) -> Vec<RowResult> {
        let (split, chunks) = loop {
            if let Ok(split) = self.split(format).await {
                break split;
            }
        };
        for chunk in &chunks {
            while self.import(format, &split, chunk).await.is_err() {}
        }
        while self.finish(format, &split).await.is_err() {}
        self.results()
    }

    fn results(&self) -> Vec<RowResult> {
        let results = self.jobs.keys().into_iter().filter(|key| key.starts_with(&keys::results(&id())));
        let texts = results.map(|key| String::from_utf8(self.jobs.file(&key).unwrap()).unwrap());
        texts
            .flat_map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>())
            .collect()
    }

    fn control<'a>(&'a self, clock: &'a dyn Clock) -> Control<'a> {
        Control { files: &self.jobs, executions: &self.jobs, clock }
    }
}

const HOUR: Duration = Duration::from_hours(1);

/// Lines of very different lengths, some of them empty, wrong or about an earlier user.
fn random_file(seed: u64, lines: usize) -> String {
    let mut random = Rng::with_seed(seed);
    let line = |number| {
        let line = match random.u8(0..20) {
            0 => String::new(),
            1 => "{".to_owned(),
            2 => row(random.usize(0..lines)).trim().to_owned(),
            3 => "x".repeat(70_000),
            4 => " ".repeat(70_000),
            _ => {
                let name = "n".repeat(random.usize(0..1500));
                format!(r#"{{"username": "user{number}", "attributes": {{"name": "{name}"}}}}"#)
            }
        };
        line + if random.bool() { "\n" } else { "\r\n" }
    };
    (0..lines).map(line).collect()
}

fn row(number: usize) -> String {
    format!("{{\"username\": \"user{number}\"}}\n")
}

#[tokio::test(start_paused = true)]
async fn chunks_contain_each_line_once_and_few_bytes() {
    for (seed, workers) in [(1, 1), (2, 4), (3, 50)] {
        let text = random_file(seed, 3000);
        let stack = Stack { workers, ..Stack::new(&text) };
        let (split, chunks) = stack.split(Format::JsonLines).await.unwrap();
        assert_eq!(split.plan.chunks, chunks.len() as u64);
        let is_row = |line: &&str| line.len() > 60_000 || !line.trim().is_empty();
        let rows = text.lines().filter(is_row).count();
        assert_eq!(split.plan.rows, rows as u64);
        let (mut offset, mut line) = (0, 1);
        for chunk in &chunks {
            let skipped = &text[offset..usize::try_from(chunk.offset).unwrap()];
            assert!(skipped.trim().is_empty());
            line += skipped.lines().count() as u64;
            assert_eq!(chunk.first_line, line);
            let end = usize::try_from(chunk.offset + chunk.length).unwrap();
            let content = &text[usize::try_from(chunk.offset).unwrap()..end];
            assert!(content.ends_with('\n') && content.len() < 600_000 && content.lines().count() <= 1100);
            line += content.lines().count() as u64;
            offset = end;
        }
        assert!(text[offset..].trim().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn each_row_has_one_result_whatever_the_chunks() {
    let text = random_file(4, 2000);
    let mut outcomes = Vec::new();
    for workers in [1, 7] {
        let stack = Stack { workers, ..Stack::new(&text) };
        let results = stack.run(Format::JsonLines).await;
        let all: Vec<_> = results.iter().map(|row| (row.line, row.outcome, row.code)).collect();
        let lines: BTreeSet<_> = all.iter().map(|(line, ..)| line).collect();
        assert_eq!(lines.len(), all.len());
        let created = results.iter().filter(|row| row.outcome == Outcome::Created).count();
        assert!(created > 1000 && names(&stack.pool).len() == created, "{created}");
        assert!(results.iter().any(|row| row.code.map(<&str>::from) == Some("duplicate-row")));
        assert_eq!(stack.jobs.file(&keys::upload(&id())), None);
        outcomes.push(all);
    }
    assert_eq!(outcomes[0], outcomes[1]);
}

fn csv_row(number: usize) -> String {
    format!("user{number},{}\r\n", "n".repeat(100))
}

#[tokio::test(start_paused = true)]
async fn csv_rows_of_all_chunks_have_the_columns_of_the_header() {
    let rows: String = (0..500).map(csv_row).collect();
    let stack = Stack { workers: 4, ..Stack::new(&format!("\u{feff}cognito:username,name\r\n{rows}")) };
    let (split, chunks) = stack.split(Format::Csv).await.unwrap();
    assert!(chunks.len() > 2 && chunks[0].first_line == 2 && split.plan.rows == 500);
    let results = stack.run(Format::Csv).await;
    assert_eq!(results.iter().filter(|row| row.outcome == Outcome::Created).count(), 500);
    assert_eq!(stack.pool.user("user499").unwrap().attributes["name"], "n".repeat(100));
}

#[tokio::test(start_paused = true)]
async fn files_without_rows_or_with_a_wrong_header_are_rejected() {
    for (format, text, expected) in [
        (Format::JsonLines, "", "the file contains no users"),
        (Format::JsonLines, " \n\n", "the file contains no users"),
        (Format::Csv, "cognito:username,name\n", "the file contains no users"),
        (Format::Csv, "username\nmia\n", "line 1: missing column `cognito:username`"),
        (Format::Csv, "", "line 1: missing column `cognito:username`"),
    ] {
        let error = Stack::new(text).split(format).await.unwrap_err();
        assert_eq!((error.name(), error.to_string()), ("InvalidFile", format!("the file cannot be used: {expected}")));
    }
    let stack = Stack::new("");
    stack.jobs.put("uploads/other", "");
    let absent = Stack { jobs: InMemoryJobs::default(), ..stack };
    let error = absent.split(Format::JsonLines).await.unwrap_err();
    assert_eq!(error.to_string(), "the file cannot be used: the file does not exist");
}

const ROWS: &str = r#"{"username": "mia", "password": {"permanent": "Correct-1"}, "groups": ["editors"], "enabled": false}
{"username": "ann", "invite": true, "groups": ["editors"], "attributes": {"email": "ann@example.com"}}
{"username": "joe", "groups": ["none"]}
"#;

fn names(pool: &InMemoryPool) -> Vec<String> {
    let names: BTreeSet<_> = pool.snapshot().users.into_values().map(|user| user.username).collect();
    names.into_iter().collect()
}

/// The users and messages of the pool, without times and generated values.
fn users(pool: &InMemoryPool) -> Vec<String> {
    let user = |name: &String| {
        let user = pool.user(name).unwrap();
        let messages = pool.welcome_messages_of(name);
        format!("{name} {:?} {} {:?} {messages}", user.status, user.enabled, pool.groups_of(name))
    };
    names(pool).iter().map(user).collect()
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_at_any_call_ends_with_the_same_result() {
    let undisturbed = Stack::new(ROWS);
    let expected = undisturbed.run(Format::JsonLines).await;
    assert_eq!(expected.len(), 3);
    let (calls, pool_calls) = (undisturbed.jobs.calls(), undisturbed.pool.calls().len());
    assert!(calls > 10 && pool_calls > 8, "{calls} {pool_calls}");
    for (number, after_effect) in (1..=calls).flat_map(|number| [(number, false), (number, true)]) {
        let stack = Stack::new(ROWS);
        stack.jobs.fail_call(number, after_effect);
        assert_eq!(stack.run(Format::JsonLines).await, expected, "{number} {after_effect}");
        assert_eq!(users(&stack.pool), users(&undisturbed.pool), "{number} {after_effect}");
    }
    for number in 1..=pool_calls {
        let stack = Stack::new(ROWS);
        stack.pool.before_call(number, || Some(Reason::PermissionMissing));
        assert_eq!(stack.run(Format::JsonLines).await, expected, "{number}");
        assert_eq!(users(&stack.pool), users(&undisturbed.pool), "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_workers_of_one_chunk_write_one_result() {
    let stack = Stack::new(ROWS);
    let (split, chunks) = stack.split(Format::JsonLines).await.unwrap();
    let import = || stack.import(Format::JsonLines, &split, &chunks[0]);
    let (first, second) = tokio::join!(import(), import());
    assert!(first.is_ok() && second.is_ok());
    let outcomes: Vec<_> = stack.results().iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes, [Outcome::Created, Outcome::Created, Outcome::Failed]);
    assert_eq!(stack.pool.welcome_messages_of("ann"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_import_without_time_left_continues_later() {
    let rows: String = (0..400).map(row).collect();
    let stack = Stack::new(&rows);
    let (split, chunks) = stack.split(Format::JsonLines).await.unwrap();
    let seconds = Duration::from_secs(5);
    let cut_short = async |worker: &Worker<'_>| worker.import(&job(Format::JsonLines), &split, &chunks[0]).await;
    let error = stack.with_worker(seconds, cut_short).await.unwrap_err();
    assert!(matches!(error, JobError::Stop(Stop::TimeUp)) && error.name() == "TimeUp", "{error}");
    let done = names(&stack.pool).len();
    assert!(done > 50 && done < 400 && stack.results().is_empty(), "{done}");
    let results = stack.run(Format::JsonLines).await;
    assert!(results.iter().all(|row| row.outcome == Outcome::Created) && results.len() == 400);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_job_ends_between_two_rows_and_continues_after_a_restart() {
    let rows: String = (0..900).map(row).collect();
    let mut stack = Stack::new(&rows);
    let (split, chunks) = stack.split(Format::JsonLines).await.unwrap();
    let (same, attempt) = (stack.jobs.clone(), stack.attempt.clone());
    stack.pool.before_call(100, move || {
        same.put(&keys::stopped(&id(), &attempt), "");
        None
    });
    let error = stack.import(Format::JsonLines, &split, &chunks[0]).await.unwrap_err();
    assert_eq!((error.name(), stack.jobs.file(&keys::error(&id(), &stack.attempt))), ("Stopped", None));
    let done = names(&stack.pool).len();
    assert!(done > 30 && done < 900, "{done}");
    assert_eq!(stack.finish(Format::JsonLines, &split).await.unwrap_err().name(), "Stopped");
    assert_eq!(names(&stack.pool).len(), done);

    // A worker of the stopped attempt that starts late ends as well.
    stack.attempt = "again".to_owned();
    assert_eq!(stack.run(Format::JsonLines).await.len(), 900);
    let others = Stack { jobs: stack.jobs.clone(), pool: stack.pool.clone(), workers: 1, attempt: id().to_string() };
    stack.jobs.delete(&keys::result(&id(), 1)).await.unwrap();
    stack.jobs.put(&keys::upload(&id()), rows.as_bytes());
    let error = others.import(Format::JsonLines, &split, &chunks[0]).await.unwrap_err();
    assert_eq!(error.name(), "Stopped");
}

/// The user of the first row exists without an invitation. The result must survive the restart on the next day.
#[tokio::test(start_paused = true)]
async fn an_invitation_that_was_not_sent_stays_reported_after_a_restart() {
    let invite = |name: &str| {
        format!(r#"{{"username": "{name}", "invite": true, "attributes": {{"email": "{name}@example.com"}}}}"#)
    };
    let stack = Stack::new(&[invite("ann"), invite("ben")].join("\n"));
    let (split, chunks) = stack.split(Format::JsonLines).await.unwrap();
    let same = stack.pool.clone();
    let proof = {
        let hash = Sha256::digest(format!("{}.1", id().import_id().unwrap()));
        format!("import.1.{}", URL_SAFE_NO_PAD.encode(hash))
    };
    stack.pool.before_call(3, move || {
        same.add_user("ann", "Correct-1", &[], &[("email", "ann@example.com"), ("custom:poolkeeper_created", &proof)]);
        same.set_status("ann", UserStatus::ForceChangePassword);
        Some(Reason::MailQuotaExceeded)
    });
    let error = stack.import(Format::JsonLines, &split, &chunks[0]).await.unwrap_err();
    assert_eq!(error.name(), "MailQuota");
    assert_eq!(stack.jobs.file(&keys::error(&id(), &stack.attempt)).unwrap(), b"MailQuota");
    let results = stack.run(Format::JsonLines).await;
    let codes: Vec<_> = results.iter().map(|row| (row.outcome, row.code.map(<&str>::from))).collect();
    assert_eq!(codes, [(Outcome::Failed, Some("mail-quota-exceeded")), (Outcome::Created, None)]);
}

#[tokio::test(start_paused = true)]
async fn an_id_cannot_be_used_for_other_options_or_another_file() {
    let stack = Stack::new(ROWS);
    stack.split(Format::JsonLines).await.unwrap();
    let split = async |job: ImportJob| stack.with_worker(HOUR, async |worker| worker.split(&job, "again").await).await;
    let options = JobOptions { dry_run: true, ..JobOptions::default() };
    for other in [ImportJob { options, ..job(Format::JsonLines) }, job(Format::Csv)] {
        assert_eq!(split(other).await.unwrap_err().name(), "InvalidFile");
    }
    assert!(split(job(Format::JsonLines)).await.is_ok());
    stack.jobs.put(&keys::upload(&id()), ROWS.replace("mia", "eve"));
    assert_eq!(split(job(Format::JsonLines)).await.unwrap_err().name(), "InvalidFile");
}

#[tokio::test(start_paused = true)]
async fn short_invocations_complete_a_chunk_together() {
    let rows: String = (0..400).map(row).collect();
    let stack = Stack::new(&rows);
    let (split, chunks) = stack.split(Format::JsonLines).await.unwrap();
    let short = async |worker: &Worker<'_>| worker.import(&job(Format::JsonLines), &split, &chunks[0]).await;
    let mut invocations = 1;
    while stack.with_worker(Duration::from_secs(4), short).await.is_err() {
        invocations += 1;
        assert!(invocations < 20);
    }
    assert!(invocations > 3, "{invocations}");
    assert_eq!(stack.finish(Format::JsonLines, &split).await.unwrap(), 400);
    assert!(stack.results().iter().all(|row| row.outcome == Outcome::Created));
}

#[tokio::test(start_paused = true)]
async fn a_crash_repeats_only_the_rows_of_the_last_seconds() {
    let rows: String = (0..900).map(row).collect();
    let stack = Stack::new(&rows);
    let (split, chunks) = stack.split(Format::JsonLines).await.unwrap();
    let creations = || stack.pool.calls().iter().filter(|call| **call == "create").count();
    // One second after the results were kept.
    let crash = Duration::from_secs(11);
    tokio::time::timeout(crash, stack.import(Format::JsonLines, &split, &chunks[0])).await.unwrap_err();
    let before = creations();
    assert_eq!(stack.run(Format::JsonLines).await.len(), 900);
    let repeated = creations() - 900;
    assert!(repeated > 0 && repeated < before / 4, "{repeated} of {before}");
}

#[tokio::test(start_paused = true)]
async fn the_last_step_imports_failed_chunks() {
    let rows: String = (0..4000).map(row).collect();
    let stack = Stack { workers: 4, ..Stack::new(&rows) };
    let (split, chunks) = stack.split(Format::JsonLines).await.unwrap();
    let [first, second, others @ ..] = &chunks[..] else { unreachable!("{chunks:?}") };
    for chunk in others {
        stack.import(Format::JsonLines, &split, chunk).await.unwrap();
    }
    // A denied call would be denied for all chunks.
    stack.pool.fail("create", 1, Reason::PermissionMissing);
    assert_eq!(stack.finish(Format::JsonLines, &split).await.unwrap_err().name(), "Forbidden");
    let result = |chunk: &Chunk| stack.jobs.file(&keys::result(&id(), chunk.first_line));
    assert_eq!((result(first), result(second)), (None, None));
    // Another error concerns one chunk.
    stack.pool.fail("describe", 1, Reason::InvalidRequest);
    assert_eq!(stack.finish(Format::JsonLines, &split).await.unwrap_err().name(), "Rejected");
    assert!(result(first).is_none() && result(second).is_some());

    let (before, started) = (stack.pool.calls().len(), tokio::time::Instant::now());
    assert_eq!(stack.finish(Format::JsonLines, &split).await.unwrap(), 4000);
    let calls = stack.pool.calls()[before..].iter().filter(|call| **call == "create").count();
    assert!(calls > 0 && calls < 1000, "only the rows of the failed chunk: {calls}");
    // The quota of all workers admits 50 creations per second.
    assert!(started.elapsed() < Duration::from_secs(calls as u64 / 25), "{:?}", started.elapsed());
    assert_eq!((stack.results().len(), names(&stack.pool).len()), (4000, 4000));
}

/// Without the list of the chunks, missing rows cannot be imported.
#[tokio::test(start_paused = true)]
async fn a_job_without_its_chunks_is_incomplete() {
    let stack = Stack::new(&row(0));
    let (split, _) = stack.split(Format::JsonLines).await.unwrap();
    stack.jobs.delete(&keys::chunks(&id(), &split.plan.list)).await.unwrap();
    let error = stack.finish(Format::JsonLines, &split).await.unwrap_err();
    assert_eq!((error.name(), error.to_string().as_str()), ("Incomplete", "0 of 1 rows are complete"));
}

#[tokio::test(start_paused = true)]
async fn a_replaced_file_is_not_imported() {
    let stack = Stack::new(ROWS);
    let (split, chunks) = stack.split(Format::JsonLines).await.unwrap();
    stack.jobs.put(&keys::upload(&id()), ROWS.replace("mia", "eve"));
    let error = stack.import(Format::JsonLines, &split, &chunks[0]).await.unwrap_err();
    assert_eq!(
        (error.name(), error.to_string().as_str()),
        ("InvalidFile", "the file cannot be used: the file was replaced")
    );
    assert!(names(&stack.pool).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_start_can_be_repeated_and_a_restart_is_another_attempt() {
    let (stack, clock) = (Stack::new(ROWS), VirtualClock::with_time(HOUR));
    let control = stack.control(&clock);
    let request = || control.start(id(), Job::Import(job(Format::JsonLines)));
    assert!(matches!(request().await.unwrap(), Start::Started(view) if view.status == JobStatus::Running));
    assert!(matches!(request().await.unwrap(), Start::Exists(view) if view.attempts == 1));
    let other = ImportJob { format: Format::Csv, ..job(Format::JsonLines) };
    assert!(matches!(control.start(id(), Job::Import(other)).await.unwrap(), Start::Differs));

    let name = id().to_string();
    stack.jobs.end(&name, ExecutionStatus::Failed, Some("MailQuota"));
    let failed = control.find(&id()).await.unwrap().unwrap();
    assert_eq!((failed.status, failed.error.as_deref()), (JobStatus::Failed, Some("MailQuota")));
    let later = ImportJob {
        requested_at: OffsetDateTime::UNIX_EPOCH + HOUR,
        requested_by: "eve".to_owned(),
        ..job(Format::JsonLines)
    };
    let Start::Started(restarted) = control.start(id(), Job::Import(later)).await.unwrap() else {
        panic!("not started")
    };
    assert_eq!((restarted.attempts, restarted.job), (2, Job::Import(job(Format::JsonLines))));
    let names: Vec<_> = stack.jobs.executions().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [name.clone(), format!("{name}-2")]);

    assert_eq!(control.stop(&id()).await.unwrap(), Some(()));
    assert_eq!(control.stop(&id()).await.unwrap(), Some(()));
    assert_eq!(control.find(&id()).await.unwrap().unwrap().status, JobStatus::Stopped);
    let listed = control.list(&PageRequest { limit: 10, after: None }).await.unwrap().entries;
    assert_eq!(listed.iter().map(|view| view.attempts).collect::<Vec<_>>(), [2]);
}

#[tokio::test(start_paused = true)]
async fn jobs_without_file_are_not_started_or_found() {
    let clock = VirtualClock::with_time(HOUR);
    let stack = Stack { jobs: InMemoryJobs::default(), ..Stack::new("") };
    let control = stack.control(&clock);
    assert!(matches!(control.start(id(), Job::Import(job(Format::JsonLines))).await.unwrap(), Start::NoFile));
    assert_eq!(control.find(&id()).await.unwrap(), None);
    assert_eq!(control.stop(&id()).await.unwrap(), None);
    assert!(stack.jobs.executions().is_empty());
}
