//! Import jobs that end early or whose responses are lost, and the run that continues them.

use std::collections::BTreeSet;

use domain::transfer::{ImportJobError, JobEvent, Outcome, RowCode, Stop};
use domain::user_pool::error::Reason;
use domain::user_pool::import_jobs::ImportJobStatus;
use testkit::in_memory::{InMemoryPool, JobBehavior};

use super::{ALL, BCRYPT, HASHES, PBKDF2, hashed, row, run};
use crate::{ID, UPDATE, pool, proof};

fn rows() -> String {
    [
        hashed("mia", r#", "groups": ["editors"]"#),
        row("ray", r#", "password": {"permanent": "Correct-1"}"#),
        row("eva", &format!(r#", "password": {{"pbkdf2_sha256": "{PBKDF2}"}}"#)),
        hashed("bad", ""),
    ]
    .join("\n")
}

fn behavior() -> JobBehavior {
    JobBehavior { rejects: BTreeSet::from(["bad".to_owned()]), ..JobBehavior::default() }
}

fn rejecting_pool() -> InMemoryPool {
    let pool = pool();
    pool.set_job_behavior(behavior());
    pool
}

/// The users without generated values.
fn users(pool: &InMemoryPool) -> Vec<String> {
    let user = |name: &str| {
        let user = pool.user(name).unwrap();
        format!("{name} {:?} {} {:?}", user.status, user.enabled, pool.groups_of(name))
    };
    assert!(pool.has_password("mia", BCRYPT) && pool.has_password("eva", PBKDF2) && pool.user("bad").is_none());
    ["mia", "ray", "eva"].map(user).to_vec()
}

#[tokio::test]
async fn next_run_completes_an_import_that_stopped_at_any_call() {
    let undisturbed = rejecting_pool();
    let expected = run(&undisturbed, HASHES, &rows()).await.outcomes();
    let calls = undisturbed.calls();
    assert!(calls.len() > 20 && calls.contains(&"log"), "{calls:?}");
    for nth in 1..=calls.len() {
        let pool = rejecting_pool();
        pool.before_call(nth, || Some(Reason::PermissionMissing));
        let first = run(&pool, HASHES, &rows()).await;
        // Without the log, the result names the log instead of the reason.
        if calls[nth - 1] != "log" {
            assert!(matches!(first.stop, Some(Stop::Call(_))), "{nth}: {:?}", first.stop);
        }
        assert!(first.outcomes().iter().all(|outcome| expected.contains(outcome)), "{nth}: {:?}", first.results);
        let second = run(&pool, HASHES, &rows()).await;
        assert!(second.stop.is_none() && second.outcomes() == expected, "{nth}: {:?}", second.results);
        assert_eq!(users(&pool), users(&undisturbed), "{nth}");
        let imported: u64 = pool.import_jobs().iter().map(|(job, ..)| job.imported).sum();
        assert_eq!(imported, 2, "{nth}");
    }
}

#[tokio::test]
async fn a_lost_response_leads_to_one_user_per_row() {
    let undisturbed = rejecting_pool();
    let expected = run(&undisturbed, HASHES, &rows()).await.outcomes();
    for operation in ["create_job", "upload", "start_job"] {
        let pool = pool();
        pool.set_job_behavior(JobBehavior { lost_responses: BTreeSet::from([operation]), ..behavior() });
        let run = run(&pool, HASHES, &rows()).await;
        assert!(run.stop.is_none() && run.outcomes() == expected, "{operation}: {:?} {:?}", run.stop, run.results);
        assert_eq!(users(&pool), users(&undisturbed), "{operation}");
    }
}

/// The program is killed while the job is in progress.
#[tokio::test]
async fn a_job_of_an_interrupted_run_is_awaited_and_not_repeated() {
    let pool = pool();
    pool.set_job_behavior(JobBehavior { reads_in_progress: 5, ..JobBehavior::default() });
    pool.fail("job", 4, Reason::PermissionMissing);
    let first = run(&pool, HASHES, &hashed("mia", r#", "groups": ["editors"]"#)).await;
    assert!(first.stop.is_some() && pool.user("mia").is_none());
    let second = run(&pool, HASHES, &hashed("mia", r#", "groups": ["editors"]"#)).await;
    assert_eq!(second.outcomes(), [(1, Outcome::Created, None)]);
    let [(job, ..)] = &pool.import_jobs()[..] else { panic!("more than one job") };
    assert_eq!(second.events[0], JobEvent::Continued(job.name.clone()));
    assert_eq!(pool.groups_of("mia"), ["editors"]);
}

#[tokio::test]
async fn a_job_that_ends_early_records_its_rows_and_stops_the_import() {
    let text = [hashed("bad", ""), hashed("mia", ""), hashed("ann", "")].join("\n");
    for (end, expected) in [
        // Cognito ends a job if too many users fail. All rows are in the log.
        (ImportJobStatus::Failed, &[(1, Outcome::Failed), (2, Outcome::Created), (3, Outcome::Created)][..]),
        // The operator stops the job after its first row.
        (ImportJobStatus::Stopped, &[(1, Outcome::Failed)]),
    ] {
        let pool = pool();
        let log = JobBehavior { end: end.clone(), first_line: Some(2), ..behavior() };
        pool.set_job_behavior(log);
        let first = run(&pool, HASHES, &text).await;
        let Some(Stop::Job(ImportJobError::Ended { status, .. })) = &first.stop else { panic!("{:?}", first.stop) };
        assert_eq!(*status, end);
        let outcomes: Vec<_> = first.results.iter().map(|result| (result.line, result.outcome)).collect();
        if end == ImportJobStatus::Failed {
            assert_eq!(outcomes, expected);
        } else {
            // One logged line in a file of three does not tell whether the header is counted.
            assert_eq!(outcomes, []);
        }
        pool.set_job_behavior(behavior());
        let second = run(&pool, HASHES, &text).await;
        let created = |line| (line, Outcome::Created, None);
        let failed = (1, Outcome::Failed, Some(RowCode::ImportJobFailed));
        assert_eq!(second.outcomes(), [failed, created(2), created(3)], "{end}");
        let numbers: Vec<_> =
            pool.import_jobs().iter().map(|(job, ..)| job.name.rsplit('-').next().unwrap().to_owned()).collect();
        assert_eq!(numbers, ["1", "2"]);
    }
}

/// A proof of another line, another import, or a user who signed up is no proof.
#[tokio::test]
async fn only_users_with_the_proof_of_their_line_are_adopted() {
    for (proof, expected) in [
        (proof(ID, 1), (Outcome::Created, None)),
        (proof(ID, 2), (Outcome::Failed, Some(RowCode::DuplicateRow))),
        (proof(&ID.replace('0', "f"), 1), (Outcome::Failed, Some(RowCode::WrongState))),
    ] {
        let pool = pool();
        pool.add_user("mia", "Stranger-1", &[], &[("custom:poolkeeper_created", &proof)]);
        let options = domain::transfer::ImportOptions { job_rows: ALL.job_rows, ..UPDATE };
        let run = run(&pool, options, &hashed("mia", r#", "groups": ["editors"]"#)).await;
        assert_eq!((run.results[0].outcome, run.results[0].code), expected, "{proof}");
        assert_eq!(pool.groups_of("mia").is_empty(), expected.0 == Outcome::Failed, "{proof}");
        assert!(pool.import_jobs().is_empty());
    }
}
