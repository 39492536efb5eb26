//! Imports with import jobs of Cognito, on the in-memory pool. The emulators do not support import jobs.

mod interrupted;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::retry::Clock;
use domain::transfer::{
    ImportId, ImportJobError, ImportOptions, Importer, JobEvent, JobObserver, JobRows, Jobs, NotMoved, Outcome, Pace,
    Rates, RowCode, RowResult, Stop,
};
use domain::user_pool::error::Reason;
use domain::user_pool::import_jobs::HashAlgorithm;
use domain::user_pool::user::UserStatus;
use futures::StreamExt as _;
use testkit::in_memory::{InMemoryPool, JobBehavior};
use testkit::virtual_clock::VirtualClock;
use time::OffsetDateTime;

use crate::{ID, NEW_ONLY, UPDATE, lines, paced, pool, proof};

const HASHES: ImportOptions = ImportOptions { job_rows: JobRows::Hashes, ..NEW_ONLY };
const ALL: ImportOptions = ImportOptions { job_rows: JobRows::All, ..NEW_ONLY };

const BCRYPT: &str = "$2b$10$CtA.Rcu/szzn9U00wpUjOuN3vrgJRZycv4aOzcP3GzqzO8UDPEFq6";
const PBKDF2: &str = "$pbkdf2-sha256$600000$1XZlmwLQ2hhM3JYuCPiArQ$Pfheg9Zi/v5lXU4yyLA0WFUYEd/rlaVbzrM9oMD6IrA";

#[derive(Default)]
struct Events(Mutex<Vec<JobEvent>>);

impl JobObserver for Events {
    fn event(&self, event: &JobEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// One run, with its results in the order of the file.
struct JobRun {
    results: Vec<RowResult>,
    stop: Option<Stop>,
    events: Vec<JobEvent>,
    elapsed: Duration,
}

impl JobRun {
    fn outcomes(&self) -> Vec<(u64, Outcome, Option<RowCode>)> {
        self.results.iter().map(|result| (result.line, result.outcome, result.code)).collect()
    }

    fn json(&self) -> Vec<String> {
        self.results.iter().map(|result| serde_json::to_string(result).unwrap()).collect()
    }
}

/// One run of an import, as the program does it.
async fn run(pool: &InMemoryPool, options: ImportOptions, text: &str) -> JobRun {
    let (events, mut results) = (Events::default(), Vec::new());
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::with_time(Duration::from_hours(24)));
    let stop = import(pool, options, text, &clock, &events, &mut results).await.err();
    results.sort_by_key(|result| result.line);
    JobRun { results, stop, events: events.0.into_inner().unwrap(), elapsed: clock.now() }
}

async fn import(
    pool: &InMemoryPool,
    options: ImportOptions,
    text: &str,
    clock: &Arc<dyn Clock>,
    events: &Events,
    results: &mut Vec<RowResult>,
) -> Result<(), Stop> {
    let pace = Pace::new(Arc::clone(clock), &Rates::default());
    let directory = pool.directory();
    let import = (ID.parse::<ImportId>().unwrap(), OffsetDateTime::UNIX_EPOCH);
    let importer = Importer::start(paced(&directory, &pace, clock.as_ref()), import, options).await?;
    let role = "arn:aws:iam::111122223333:role/import-logs";
    let mut jobs = Jobs::start(&importer, &directory, role, events).await?;
    let mut plan = jobs.plan(lines(text).into_iter()).await?;
    let rows = lines(text).into_iter();
    let rows: Vec<_> = rows.filter_map(|line| jobs.before_jobs(&mut plan, &line).map(|known| (line, known))).collect();
    let mut first = Box::pin(importer.import_all_known(rows.into_iter()));
    while let Some(result) = first.next().await {
        results.push(result?);
    }
    while let Some(mut batch) = jobs.run_next(&mut plan, lines(text).into_iter()).await? {
        let rows = lines(text).into_iter();
        let rows: Vec<_> = rows.filter_map(|line| batch.take(line.number).map(|known| (line, known))).collect();
        let mut completed = Box::pin(importer.import_all_known(rows.into_iter()));
        while let Some(result) = completed.next().await {
            results.push(result?);
        }
        if let Some(ended) = batch.ended {
            return Err(ended.into());
        }
    }
    Ok(())
}

/// A row with a verified address and these further fields.
fn row(name: &str, fields: &str) -> String {
    let attributes = format!(r#"{{"email": "{name}@example.com", "email_verified": "true"}}"#);
    format!(r#"{{"username": "{name}", "attributes": {attributes}{fields}}}"#)
}

fn hashed(name: &str, further: &str) -> String {
    row(name, &format!(r#", "password": {{"bcrypt": "{BCRYPT}"}}{further}"#))
}

/// The calls that need the permissions of import jobs.
fn job_calls(pool: &InMemoryPool) -> usize {
    pool.calls().iter().filter(|call| ["create_job", "upload", "start_job"].contains(call)).count()
}

#[tokio::test]
async fn users_with_hashes_are_created_by_one_job_per_algorithm() {
    let pool = pool();
    let text = [
        hashed("mia", r#", "groups": ["editors"]"#),
        row("ray", r#", "password": {"permanent": "Correct-1"}"#),
        row("eva", &format!(r#", "password": {{"pbkdf2_sha256": "{PBKDF2}"}}"#)),
        hashed("ann", ""),
    ]
    .join("\n");
    let run = run(&pool, HASHES, &text).await;
    assert!(
        run.stop.is_none() && run.results.iter().all(|result| result.outcome == Outcome::Created),
        "{:?}",
        run.results
    );
    assert_eq!(run.results.len(), 4);
    for (name, hash) in [("mia", BCRYPT), ("ann", BCRYPT), ("eva", PBKDF2)] {
        assert!(pool.has_password(name, hash) && pool.user(name).unwrap().status == UserStatus::Confirmed, "{name}");
    }
    assert!(pool.has_password("ray", "Correct-1") && pool.groups_of("mia") == ["editors"]);
    let jobs = pool.import_jobs();
    assert_eq!(jobs.len(), 2);
    let algorithms: Vec<_> = jobs.iter().map(|(_, algorithm, _)| *algorithm).collect();
    assert_eq!(algorithms, [Some(HashAlgorithm::Bcrypt), Some(HashAlgorithm::Pbkdf2Sha256)]);
    let file = jobs[0].2.as_deref().unwrap();
    let header = "cognito:username,name,preferred_username,email,email_verified,phone_number,phone_number_verified,\
                  cognito:mfa_enabled,custom:team,custom:poolkeeper_created,password_hash";
    let line = |name: &str, line| format!("{name},,,{name}@example.com,TRUE,,,,,{},{BCRYPT}", proof(ID, line));
    assert_eq!(file, format!("{header}\n{}\n{}\n", line("mia", 1), line("ann", 4)));
    // The readers of the log see the name of a job. They must not be able to compute proofs.
    assert!(jobs.iter().all(|(job, ..)| job.name.starts_with("poolkeeper-") && !job.name.contains(&ID[..8])));
    // The job counts towards no monthly active users, so the users are not read one by one.
    assert!(!pool.calls().contains(&"get"), "{:?}", pool.calls());
}

#[tokio::test]
async fn without_a_role_hashes_are_skipped_and_no_job_is_created() {
    let pool = pool();
    let text = [hashed("mia", ""), hashed("off", r#", "enabled": false"#)].join("\n");
    let run = crate::run(&pool, ID, NEW_ONLY, &text).await;
    for result in run.results {
        assert_eq!((result.outcome, result.code), (Outcome::Skipped, Some(RowCode::HashRequiresImportJob)));
    }
    assert!(pool.user("mia").is_none() && pool.user("off").is_none() && job_calls(&pool) == 0);
}

#[tokio::test]
async fn other_users_are_created_by_a_job_only_on_request_and_if_possible() {
    let text = [
        row("mia", r#", "groups": ["editors"], "mfa": {"enabled": ["EMAIL_OTP"]}"#),
        row("tmp", r#", "password": {"temporary": "Correct-1"}"#),
        row("inv", r#", "invite": true"#),
        row("off", r#", "enabled": false"#),
        r#"{"username": "unverified", "attributes": {"email": "u@example.com"}}"#.to_owned(),
        r#"{"username": "tab", "attributes": {"email": "t@example.com", "email_verified": "true", "name": "a\tb"}}"#
            .to_owned(),
    ]
    .join("\n");
    for (options, expected) in [(HASHES, None), (ALL, Some(1))] {
        let pool = pool();
        let run = run(&pool, options, &text).await;
        assert!(run.results.iter().all(|result| result.outcome == Outcome::Created), "{:?}", run.results);
        assert_eq!(run.results.len(), 6);
        let jobs = pool.import_jobs();
        let users = jobs.first().map(|(job, ..)| job.imported);
        assert_eq!(users, expected);
        let status = if expected.is_some() { UserStatus::ResetRequired } else { UserStatus::Confirmed };
        assert_eq!(pool.user("mia").unwrap().status, status);
        assert!(pool.groups_of("mia") == ["editors"] && !pool.mfa_of("mia").enabled.is_empty());
        assert_eq!((pool.welcome_messages_of("inv"), pool.user("off").unwrap().enabled), (1, false));
    }
}

/// A job creates an enabled user, who could sign in until the end of the job.
#[tokio::test]
async fn a_disabled_user_is_never_created_with_its_hash() {
    let pool = pool();
    for options in [HASHES, ALL] {
        let run = run(&pool, options, &hashed("off", r#", "enabled": false"#)).await;
        assert_eq!(run.results[0].outcome, Outcome::Created);
        assert_eq!(run.results[0].not_moved, [NotMoved::PasswordHash]);
        assert!(!pool.has_password("off", BCRYPT) && !pool.user("off").unwrap().enabled);
        assert_eq!(job_calls(&pool), 0);
        pool.remove_user("off");
    }
}

#[tokio::test]
async fn rows_that_no_job_can_create_fail_before_the_first_job() {
    let pool = pool();
    let row = |attributes: &str, hash: &str| {
        format!(r#"{{"username": "mia", "attributes": {attributes}, "password": {hash}}}"#)
    };
    let bcrypt = format!(r#"{{"bcrypt": "{BCRYPT}"}}"#);
    let verified = r#"{"email": "mia@example.com", "email_verified": "true"}"#;
    for (text, field) in [
        (row(r#"{"email": "mia@example.com"}"#, &bcrypt), "attributes"),
        (row(r#"{"email": "mia@example.com", "email_verified": "false"}"#, &bcrypt), "attributes"),
        (row(r#"{"email_verified": "true"}"#, &bcrypt), "attributes"),
        (row(r#"{"phone_number": "+1", "phone_number_verified": "true"}"#, &bcrypt), "attributes"),
        (row(&verified.replace('}', r#", "name": "a\\b"}"#), &bcrypt), "attributes.name"),
        (row(verified, r#"{"bcrypt": "$2b$13$secret"}"#), "password.bcrypt"),
        (row(verified, r#"{"argon2id": "secret"}"#), "password.argon2id"),
        (row(verified, r#"{"pbkdf2_sha256": "$pbkdf2-sha256$720000$secret$secret"}"#), "password.pbkdf2_sha256"),
    ] {
        for options in [HASHES, ImportOptions { dry_run: true, ..ALL }] {
            let run = run(&pool, options, &text).await;
            assert_eq!(run.outcomes(), [(1, Outcome::Failed, Some(RowCode::InvalidRequest))], "{text}");
            assert_eq!(run.results[0].field.as_deref(), Some(field), "{text}");
            assert!(run.results[0].username.is_some() && !run.json()[0].contains("secret"), "{text}");
        }
    }
    let missing_group = run(&pool, HASHES, &hashed("mia", r#", "groups": ["missing"]"#)).await;
    assert_eq!(missing_group.outcomes(), [(1, Outcome::Failed, Some(RowCode::GroupNotFound))]);
    assert!(job_calls(&pool) == 0 && pool.user("mia").is_none());
}

#[tokio::test]
async fn a_pool_without_support_for_jobs_is_not_changed() {
    let pool = InMemoryPool::new();
    let text = format!("{}\n{}", row("ray", ""), hashed("mia", ""));
    let run = run(&pool, HASHES, &text).await;
    let Some(Stop::Job(error @ ImportJobError::NoCreationAttribute(_))) = run.stop else { panic!("{:?}", run.stop) };
    assert!(error.to_string().contains("aws cognito-idp add-custom-attributes --user-pool-id eu-"), "{error}");
    assert!(run.results.is_empty() && pool.user("ray").is_none() && job_calls(&pool) == 0);
}

#[tokio::test]
async fn a_dry_run_lists_the_pool_and_creates_no_job() {
    let pool = pool();
    pool.add_user("old", "Correct-1", &[], &[("email", "old@example.com"), ("email_verified", "true")]);
    let before = pool.contents();
    let text = [hashed("mia", ""), hashed("old", r#", "groups": ["editors"]"#), row("ray", "")].join("\n");
    for (options, expected) in [
        (HASHES, (2, Outcome::Skipped, Some(RowCode::UserExists))),
        (ImportOptions { job_rows: JobRows::All, ..UPDATE }, (2, Outcome::Updated, None)),
    ] {
        let run = run(&pool, ImportOptions { dry_run: true, ..options }, &text).await;
        assert_eq!(run.outcomes(), [(1, Outcome::Created, None), expected, (3, Outcome::Created, None)]);
        assert!(run.events.is_empty() && job_calls(&pool) == 0 && pool.contents() == before);
    }
    let read = pool.calls().iter().filter(|call| **call == "get").count();
    assert_eq!(read, 1, "only the row that no job creates is read, in the first run");
}

#[tokio::test]
async fn an_existing_user_is_compared_and_keeps_its_password() {
    let pool = pool();
    let attributes = [("email", "old@example.com"), ("email_verified", "true"), ("name", "Old")];
    pool.add_user("old", "Correct-1", &[], &attributes);
    pool.add_user("stranger", "Correct-1", &[], &[]);
    let text =
        [hashed("old", r#", "groups": ["editors"]"#), hashed("stranger", r#", "groups": ["editors"]"#)].join("\n");
    let run = run(&pool, ImportOptions { job_rows: JobRows::Hashes, ..UPDATE }, &text).await;
    assert_eq!(run.outcomes(), [(1, Outcome::Updated, None), (2, Outcome::Failed, Some(RowCode::WrongState))]);
    assert_eq!(run.results[0].not_moved, [NotMoved::PasswordHash]);
    assert!(pool.has_password("old", "Correct-1") && pool.groups_of("old") == ["editors"]);
    assert!(pool.groups_of("stranger").is_empty() && job_calls(&pool) == 0);
}

/// The user signs up after the list and before the job.
#[tokio::test]
async fn a_user_whom_the_job_skips_is_not_adopted() {
    let pool = pool();
    let same = pool.clone();
    let Some(nth) = position(&pool, "upload").await else { panic!() };
    pool.before_call(nth, move || {
        same.add_user("mia", "Stranger-1", &[], &[("custom:poolkeeper_created", &proof(ID, 2))]);
        same.add_user("ann", "Stranger-1", &[], &[]);
        None
    });
    let text = [hashed("mia", r#", "groups": ["editors"]"#), hashed("ann", r#", "groups": ["editors"]"#)].join("\n");
    let run = run(&pool, HASHES, &text).await;
    assert_eq!(
        run.outcomes(),
        [(1, Outcome::Failed, Some(RowCode::DuplicateRow)), (2, Outcome::Skipped, Some(RowCode::UserExists)),]
    );
    assert!(pool.groups_of("mia").is_empty() && pool.groups_of("ann").is_empty());
}

/// The number of the first call of an operation in an import of two users with hashes.
async fn position(pool: &InMemoryPool, operation: &str) -> Option<usize> {
    let copy = crate::pool();
    run(&copy, HASHES, &[hashed("mia", ""), hashed("ann", "")].join("\n")).await;
    assert!(pool.calls().is_empty());
    copy.calls().iter().position(|call| *call == operation).map(|index| index + 1)
}

#[tokio::test]
async fn rejected_rows_fail_with_the_reason_in_the_log() {
    let text = [hashed("mia", ""), hashed("bad", ""), hashed("ann", "")].join("\n");
    for first_line in [Some(1), Some(2), None] {
        let pool = pool();
        let rejects = BTreeSet::from(["bad".to_owned()]);
        pool.set_job_behavior(JobBehavior { rejects, first_line, ..JobBehavior::default() });
        let run = run(&pool, HASHES, &text).await;
        let (created, failed) = ((Outcome::Created, None), (Outcome::Failed, Some(RowCode::ImportJobFailed)));
        assert_eq!(run.outcomes(), [(1, created.0, created.1), (2, failed.0, failed.1), (3, created.0, created.1)]);
        let problem = run.results[1].problem.clone().unwrap();
        let expected = match first_line {
            Some(_) => "the import job did not create the user: The hash of the password is out of bounds.",
            None => "the reason is in the log stream import-1/poolkeeper-",
        };
        assert!(problem.contains(expected), "{problem}");
        assert!(pool.user("bad").is_none() && run.stop.is_none());
    }
}

#[tokio::test]
async fn users_who_are_not_listed_yet_are_found() {
    let text = [hashed("mia", r#", "groups": ["editors"]"#), hashed("ann", "")].join("\n");
    for (stale_lists, reads) in [(3, 0), (30, 2)] {
        let pool = pool();
        pool.set_job_behavior(JobBehavior { stale_lists, ..JobBehavior::default() });
        let run = run(&pool, HASHES, &text).await;
        assert_eq!(run.outcomes(), [(1, Outcome::Created, None), (2, Outcome::Created, None)], "{stale_lists}");
        assert_eq!(pool.calls().iter().filter(|call| **call == "get").count(), reads, "{stale_lists}");
        assert!(pool.groups_of("mia") == ["editors"] && run.elapsed < Duration::from_mins(5), "{:?}", run.elapsed);
    }
}

#[tokio::test]
async fn a_hash_column_of_the_pool_is_not_repeated() {
    let pool = pool();
    pool.set_job_behavior(JobBehavior { has_hash_column: true, ..JobBehavior::default() });
    let run = run(&pool, ALL, &format!("{}\n{}", hashed("mia", ""), row("ray", ""))).await;
    assert_eq!(run.outcomes(), [(1, Outcome::Created, None), (2, Outcome::Created, None)]);
    assert!(pool.has_password("mia", BCRYPT));
    assert_eq!(pool.import_jobs()[0].2.as_deref().unwrap().matches("password_hash").count(), 1);
}

#[tokio::test]
async fn a_job_waits_for_another_job_of_the_account() {
    for operation in ["create_job", "start_job"] {
        let pool = pool();
        for nth in 1..=9 {
            let reason = if nth % 2 == 0 { Reason::WrongState } else { Reason::LimitReached };
            pool.fail(operation, nth, reason);
        }
        let run = run(&pool, HASHES, &hashed("mia", "")).await;
        assert_eq!(run.outcomes(), [(1, Outcome::Created, None)], "{operation}");
        assert_eq!(run.events.iter().filter(|event| matches!(event, JobEvent::Busy(_))).count(), 1, "{operation}");
        assert_eq!(pool.import_jobs().len(), 1);
    }
    let pool = pool();
    for nth in 1..=1000 {
        pool.fail("start_job", nth, Reason::WrongState);
    }
    let run = run(&pool, HASHES, &hashed("mia", "")).await;
    assert!(matches!(run.stop, Some(Stop::Job(ImportJobError::Busy(_)))) && run.results.is_empty(), "{:?}", run.stop);
    assert!(run.elapsed > Duration::from_mins(59) && run.elapsed < Duration::from_mins(70), "{:?}", run.elapsed);
}

#[tokio::test]
async fn a_job_that_cognito_rejects_stops_the_import() {
    for operation in ["create_job", "start_job"] {
        let pool = pool();
        pool.fail(operation, 1, Reason::InvalidRequest);
        let run = run(&pool, HASHES, &format!("{}\n{}", hashed("mia", ""), row("ray", ""))).await;
        assert!(matches!(run.stop, Some(Stop::Call(_))), "{operation}: {:?}", run.stop);
        // Rows without a hash do not need the job.
        assert_eq!(run.outcomes(), [(2, Outcome::Created, None)], "{operation}");
    }
}
