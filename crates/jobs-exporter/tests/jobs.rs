//! Tests exports and backups on the in-memory pool, platform and bucket, with a virtual clock.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::backup::{BackupError, read};
use domain::jobs::{ExportState, Files as _, JobId, StoreError, keys};
use domain::provision::{Observer, Provisioner, StepReport};
use domain::retry::Clock;
use domain::transfer::{Export, Pace, PacedPool, Rates};
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::Groups as _;
use domain::user_pool::quota::{Category, RequestQuotas};
use domain::user_pool::sessions::Factor;
use jobs_exporter::{Handler, Settings, StepError};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::in_memory::InMemoryPool;
use testkit::in_memory_jobs::InMemoryJobs;
use testkit::in_memory_platform::InMemoryPlatform;
use testkit::virtual_clock::VirtualClock;

const EXPORT: &str = "export-0123456789abcdef0123456789abcdef";
const BACKUP: &str = "backup-0123456789abcdef0123456789abcdef";

/// The name of the execution of a scheduled backup with the id [`BACKUP`].
const SCHEDULED: &str = "01234567-89ab-cdef-0123-456789abcdef";

const HOUR: Duration = Duration::from_hours(1);

/// The default quotas.
struct Quotas;

#[async_trait]
impl RequestQuotas for Quotas {
    async fn provisioned(&self, category: Category) -> Result<u32, UserPoolError> {
        Ok(category.default_quota())
    }
}

struct Quiet;

impl Observer for Quiet {
    fn step_ended(&self, _: &StepReport) {}
}

/// A stack with jobs.
struct Stack {
    jobs: InMemoryJobs,
    pool: InMemoryPool,
    handler: Handler,
    /// The number of invocations.
    invocations: AtomicUsize,
    _folder: TempDir,
}

impl Stack {
    /// A pool with users, some of them in groups.
    async fn new(users: usize) -> Self {
        let clock = VirtualClock::with_time(HOUR);
        let platform = InMemoryPlatform::new(&clock, Duration::ZERO);
        let spec = serde_json::from_value(json!({"name": "shop", "verify": false})).unwrap();
        let applied = Provisioner::new(&platform, Arc::new(clock), &Quiet).apply(&spec).await.unwrap();
        let user_pool_id = applied.user_pool_id.unwrap();
        let pool = platform.state().users[&user_pool_id].clone();
        pool.describe_creation_attribute();
        for group in ["authors", "editors", "readers"] {
            pool.add_group(group);
        }
        for number in 0..users {
            let name = format!("user{number:04}");
            let groups: &[&str] = match number % 4 {
                0 => &["readers"],
                1 => &["editors", "readers"],
                _ => &[],
            };
            pool.add_user(&name, "Correct-1", groups, &[("email", &format!("{name}@example.com"))]);
        }
        let jobs = InMemoryJobs::default();
        let settings =
            Settings { region: "eu-west-1".to_owned(), user_pool_id, bucket: "jobs".to_owned(), quota_share: 50 };
        let folder = tempfile::tempdir().unwrap();
        let handler = Handler {
            files: Arc::new(jobs.clone()),
            pool: Arc::new(pool.directory()),
            quotas: Arc::new(Quotas),
            source: Arc::new(platform),
            settings,
            folder: folder.path().to_owned(),
        };
        Self { jobs, pool, handler, invocations: AtomicUsize::new(0), _folder: folder }
    }

    async fn step(&self, step: &str, name: &str, time: Duration) -> Result<Value, StepError> {
        let job_type = if name.starts_with("export") { "export" } else { "backup" };
        let job = json!({"type": job_type, "requested_by": "schedule"});
        self.handle(json!({"step": step, "job": job, "attempt": name}), time).await
    }

    async fn handle(&self, event: Value, time: Duration) -> Result<Value, StepError> {
        let clock = VirtualClock::with_time(time);
        // Each invocation has other random numbers.
        for _ in 0..self.invocations.fetch_add(1, Ordering::Relaxed) {
            clock.nonce();
        }
        self.handler.handle(event, Arc::new(clock)).await
    }

    /// Runs a job as the state machine does, and repeats each step until it succeeds. Returns the number of steps.
    async fn run(&self, name: &str, time: Duration) -> usize {
        let mut steps = 2;
        for step in ["export", "complete"] {
            while let Err(error) = self.step(step, name, time).await {
                let name = error_name(error);
                assert!(["TimeUp", "Unavailable"].contains(&&*name), "{name}");
                steps += 1;
                assert!(steps < 500, "{name}");
            }
        }
        steps
    }

    /// What a single export of the pool writes.
    async fn expected(&self) -> String {
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock::with_time(HOUR));
        let pace = Pace::new(Arc::clone(&clock), &Rates::default());
        let directory = self.pool.directory();
        let paced = PacedPool { pool: &directory, pace: &pace, clock: &*clock, patience: HOUR };
        let mut text = Vec::new();
        Export::start(paced, false).await.unwrap().write(&mut text, |_| ()).await.unwrap();
        String::from_utf8(text).unwrap()
    }

    /// The exported users.
    fn exported(&self, id: &str) -> String {
        let files = self.state(&id.parse().unwrap()).files;
        files.iter().map(|file| String::from_utf8(self.jobs.file(&file.key).unwrap()).unwrap()).collect()
    }

    fn state(&self, id: &JobId) -> ExportState {
        serde_json::from_slice(&self.jobs.file(&keys::export(id)).unwrap()).unwrap()
    }
}

fn error_name(error: StepError) -> String {
    lambda_runtime::Diagnostic::from(error).error_type
}

fn id(text: &str) -> JobId {
    text.parse().unwrap()
}

#[tokio::test]
async fn an_export_in_short_invocations_equals_one_export() {
    let stack = Stack::new(700).await;
    let expected = stack.expected().await;
    assert!(expected.lines().count() == 700 && expected.contains(r#""groups":["editors","readers"]"#));
    // About four pages per invocation.
    let steps = stack.run(EXPORT, Duration::from_millis(300)).await;
    assert!(steps > 4, "{steps}");
    assert_eq!(stack.exported(EXPORT), expected);
    let state = stack.state(&id(EXPORT));
    assert_eq!((state.rows, state.bytes()), (700, expected.len() as u64));
    let first_lines: Vec<_> = state.files.iter().map(|file| file.first_line).collect();
    assert!(first_lines.len() > 1 && first_lines[0] == 1 && first_lines.is_sorted(), "{first_lines:?}");
    let summary = String::from_utf8(stack.jobs.file(&keys::summary(&id(EXPORT))).unwrap()).unwrap();
    assert!(summary.contains(r#""rows":700"#) && summary.contains(r#""password""#), "{summary}");
    assert!(!stack.jobs.keys().iter().any(|key| key.contains("/memberships/")));
}

#[tokio::test]
async fn a_failure_of_any_call_loses_and_repeats_no_user() {
    let undisturbed = Stack::new(130).await;
    let expected = undisturbed.expected().await;
    undisturbed.run(BACKUP, HOUR).await;
    let calls = undisturbed.jobs.calls();
    for number in 1..=calls {
        for after_effect in [false, true] {
            let stack = Stack::new(130).await;
            stack.jobs.fail_call(number, after_effect);
            stack.run(BACKUP, HOUR).await;
            let place = format!("call {number} of {calls}, {after_effect}");
            let id = id(BACKUP);
            // No file with users is left.
            let left = [keys::archive(&id), keys::export(&id), keys::summary(&id)];
            assert_eq!(stack.jobs.keys(), left, "{place}");
            let archive = stack.jobs.file(&keys::archive(&id)).unwrap();
            let archive = read(&archive[..]).unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!((archive.users.rows, archive.users.bytes), (130, expected.len() as u64), "{place}");
        }
    }
}

#[tokio::test]
async fn a_failure_of_any_pool_call_loses_and_repeats_no_user() {
    let undisturbed = Stack::new(130).await;
    let (expected, before) = (undisturbed.expected().await, undisturbed.pool.calls().len());
    undisturbed.run(EXPORT, HOUR).await;
    let calls = undisturbed.pool.calls().len() - before;
    for number in 1..=calls {
        let stack = Stack::new(130).await;
        stack.pool.before_call(number, || Some(Reason::Unavailable));
        stack.run(EXPORT, HOUR).await;
        assert_eq!(stack.exported(EXPORT), expected, "call {number} of {calls}");
    }
}

#[tokio::test]
async fn a_scheduled_backup_is_an_archive_with_everything() {
    let stack = Stack::new(70).await;
    let expected = stack.expected().await;
    stack.run(SCHEDULED, HOUR).await;
    let key = keys::archive(&id(BACKUP));
    assert_eq!(key, format!("backups/{BACKUP}.tar"));
    let content = stack.jobs.file(&key).unwrap();
    let archive = read(&content[..]).unwrap();
    let (counts, users) = (archive.manifest.counts, &archive.users);
    assert_eq!((counts.users, counts.groups, counts.clients), (70, 3, 2));
    let (start, length) = (usize::try_from(users.offset).unwrap(), usize::try_from(users.bytes).unwrap());
    assert_eq!(String::from_utf8(content[start..start + length].to_vec()).unwrap(), expected);
    // Users are only in the archive, which is deleted at another time than the files of jobs.
    let others: Vec<_> = stack.jobs.keys().into_iter().filter(|other| *other != key).collect();
    assert_eq!(others, [keys::export(&id(BACKUP)), keys::summary(&id(BACKUP))]);

    // A repeated step changes nothing.
    stack.step("complete", SCHEDULED, HOUR).await.unwrap();
    assert_eq!(stack.jobs.file(&key).unwrap(), content);
}

#[tokio::test]
async fn an_empty_pool_is_exported() {
    let stack = Stack::new(0).await;
    stack.run(EXPORT, HOUR).await;
    stack.run(BACKUP, HOUR).await;
    assert_eq!(stack.exported(EXPORT), "");
    let archive = stack.jobs.file(&keys::archive(&id(BACKUP))).unwrap();
    assert_eq!(read(&archive[..]).unwrap().users.rows, 0);
}

#[tokio::test]
async fn a_group_that_is_deleted_during_the_export_is_left_out() {
    let stack = Stack::new(200).await;
    stack.pool.list_in_pages_of(30);
    // The in-memory pool lists the members of each group in seven pages.
    stack.step("export", EXPORT, Duration::from_millis(700)).await.unwrap_err();
    let state = String::from_utf8(stack.jobs.file(&keys::export(&id(EXPORT))).unwrap()).unwrap();
    assert!(state.contains(r#""members":{"group":"editors","after":""#), "{state}");
    stack.pool.directory().delete_group(&"editors".to_owned().try_into().unwrap()).await.unwrap();
    stack.run(EXPORT, HOUR).await;
    let exported = stack.exported(EXPORT);
    assert_eq!((exported.lines().count(), exported.matches("readers").count()), (200, 100));
}

#[tokio::test]
async fn a_stopped_job_ends_without_summary_and_archive() {
    let stack = Stack::new(10).await;
    stack.jobs.put(&keys::stopped(&id(BACKUP), SCHEDULED), "");
    for step in ["export", "complete"] {
        assert_eq!(error_name(stack.step(step, SCHEDULED, HOUR).await.unwrap_err()), "Stopped");
    }
    assert!(stack.jobs.file(&keys::summary(&id(BACKUP))).is_none());
    assert!(stack.jobs.file(&keys::archive(&id(BACKUP))).is_none());
}

/// Lambda can continue an invocation that Step Functions repeats.
#[tokio::test]
async fn concurrent_invocations_lose_and_repeat_no_user() {
    let stack = Stack::new(700).await;
    let expected = stack.expected().await;
    for _ in 0..3 {
        let invoke = || stack.step("export", EXPORT, Duration::from_millis(400));
        let (one, other) = tokio::join!(invoke(), invoke());
        let errors: Vec<_> = [one, other].into_iter().filter_map(Result::err).map(error_name).collect();
        assert!(errors.contains(&"Unavailable".to_owned()), "{errors:?}");
    }
    stack.run(EXPORT, HOUR).await;
    assert_eq!(stack.exported(EXPORT), expected);
}

#[tokio::test]
async fn concurrent_last_steps_make_one_backup() {
    let stack = Stack::new(10).await;
    stack.step("export", BACKUP, HOUR).await.unwrap();
    let complete = || stack.step("complete", BACKUP, HOUR);
    let (one, other) = tokio::join!(complete(), complete());
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    let archive = stack.jobs.file(&keys::archive(&id(BACKUP))).unwrap();
    assert_eq!(read(&archive[..]).unwrap().users.rows, 10);
}

#[tokio::test]
async fn an_export_with_missing_or_changed_files_is_incomplete() {
    // Before the end of the export.
    let stack = Stack::new(10).await;
    assert_eq!(error_name(stack.step("complete", EXPORT, HOUR).await.unwrap_err()), "Incomplete");
    stack.step("export", EXPORT, HOUR).await.unwrap();
    stack.jobs.delete(&stack.state(&id(EXPORT)).files[0].key).await.unwrap();
    assert_eq!(error_name(stack.step("complete", EXPORT, HOUR).await.unwrap_err()), "Incomplete");
    // With another content.
    stack.step("export", BACKUP, HOUR).await.unwrap();
    stack.jobs.put(&stack.state(&id(BACKUP)).files[0].key, "{}\n");
    assert_eq!(error_name(stack.step("complete", BACKUP, HOUR).await.unwrap_err()), "Incomplete");
    assert!(stack.jobs.file(&keys::archive(&id(BACKUP))).is_none());

    // Without the memberships, users would lose their groups.
    let stack = Stack::new(700).await;
    stack.step("export", EXPORT, Duration::from_millis(900)).await.unwrap_err();
    let memberships = stack.jobs.keys().into_iter().find(|key| key.contains("/memberships/")).unwrap();
    stack.jobs.delete(&memberships).await.unwrap();
    assert_eq!(error_name(stack.step("export", EXPORT, HOUR).await.unwrap_err()), "Incomplete");
}

#[tokio::test]
async fn an_expired_position_ends_the_export() {
    let stack = Stack::new(700).await;
    stack.step("export", EXPORT, Duration::from_millis(300)).await.unwrap_err();
    // The list of the groups precedes the page.
    stack.pool.before_call(2, || Some(Reason::InvalidRequest));
    assert_eq!(error_name(stack.step("export", EXPORT, HOUR).await.unwrap_err()), "Expired");
}

#[tokio::test]
async fn a_pool_that_is_too_large_is_rejected() {
    let stack = Stack::new(700).await;
    stack.step("export", EXPORT, Duration::from_millis(300)).await.unwrap_err();
    let text = String::from_utf8(stack.jobs.file(&keys::export(&id(EXPORT))).unwrap()).unwrap();
    let mut state: Value = serde_json::from_str(&text).unwrap();
    state["membership_count"] = json!(5_000_000);
    stack.jobs.put(&keys::export(&id(EXPORT)), state.to_string());
    let error = stack.step("export", EXPORT, HOUR).await.unwrap_err();
    assert!(error.to_string().starts_with("a job supports at most 5000000 memberships"), "{error}");
    assert_eq!(error_name(error), "TooLarge");

    let stack = Stack::new(10).await;
    stack.step("export", BACKUP, HOUR).await.unwrap();
    let mut state = stack.state(&id(BACKUP));
    state.files[0].bytes = 4_500_000_001;
    stack.jobs.put(&keys::export(&id(BACKUP)), serde_json::to_vec(&state).unwrap());
    let error = stack.step("complete", BACKUP, HOUR).await.unwrap_err();
    assert!(error.to_string().ends_with("4500000001"), "{error}");
    assert_eq!(error_name(error), "TooLarge");
}

#[tokio::test]
async fn a_denied_call_fails_permanently() {
    let stack = Stack::new(10).await;
    stack.pool.before_call(1, || Some(Reason::PermissionMissing));
    assert_eq!(error_name(stack.step("export", EXPORT, HOUR).await.unwrap_err()), "Forbidden");
    stack.step("export", BACKUP, HOUR).await.unwrap();
    stack.pool.before_call(1, || Some(Reason::PermissionMissing));
    assert_eq!(error_name(stack.step("complete", BACKUP, HOUR).await.unwrap_err()), "Forbidden");
    let gone = StepError::Settings(BackupError::NoUserPool("eu-west-1_x".to_owned()));
    assert_eq!(error_name(gone), "BackupFailed");
    let denied = StepError::from(domain::jobs::JobError::from(StoreError::Forbidden {
        operation: "PutObject",
        source: "denied".into(),
    }));
    assert_eq!(error_name(denied), "Forbidden");
}

#[tokio::test]
async fn an_event_of_another_job_is_rejected() {
    let stack = Stack::new(1).await;
    let export = json!({"type": "export", "requested_by": "ann"});
    let import = json!({
        "type": "import", "id": "import-0123456789abcdef0123456789abcdef", "format": "json-lines", "options": {},
        "requested_by": "ann", "requested_at": "2026-01-07T09:30:00Z"
    });
    for (step, job, attempt) in [
        ("export", &export, BACKUP),
        ("complete", &export, SCHEDULED),
        ("export", &export, "nightly"),
        ("export", &import, "import-0123456789abcdef0123456789abcdef"),
        ("split", &export, EXPORT),
        ("export", &json!({"type": "export"}), EXPORT),
        ("export", &json!({"type": "export", "requested_by": "ann", "format": "csv"}), EXPORT),
    ] {
        let event = json!({"step": step, "job": job, "attempt": attempt});
        let error = stack.handle(event.clone(), HOUR).await.unwrap_err();
        assert_eq!(error_name(error), "UnreadableEvent", "{event}");
    }
    assert!(stack.jobs.keys().is_empty());
}

#[tokio::test]
async fn second_factors_are_read_only_if_requested() {
    for mfa in [false, true] {
        let stack = Stack::new(3).await;
        stack.pool.switch_factor_on("user0001", Factor::SoftwareTokenMfa);
        let job = json!({"type": "export", "requested_by": "ann", "mfa": mfa});
        stack.handle(json!({"step": "export", "job": job, "attempt": EXPORT}), HOUR).await.unwrap();
        assert_eq!(stack.exported(EXPORT).contains("SOFTWARE_TOKEN_MFA"), mfa, "{}", stack.exported(EXPORT));
    }
}
