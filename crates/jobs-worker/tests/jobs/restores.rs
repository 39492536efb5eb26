//! Tests restores of archives.

use std::collections::BTreeSet;
use std::io::Write as _;

use domain::backup::{Digest, ExportedUsers, GroupRecord, Settings, write};
use domain::jobs::{Chunk, ImportJob, JobError, JobId, JobOptions, Worker, keys};
use domain::transfer::{Format, Outcome, RowResult};
use domain::user_pool::error::Reason;
use domain::user_pool::groups::Groups as _;
use time::OffsetDateTime;

use super::{HOUR, Stack, job, names, row};

/// An archive with the group `team`, a changed group `editors`, and these users.
fn archive(users: &str) -> Vec<u8> {
    let settings = Settings {
        region: "eu-west-1".to_owned(),
        user_pool_id: "eu-west-1_old".to_owned(),
        user_pool_name: "old".to_owned(),
        spec: serde_json::from_value(serde_json::json!({"name": "old"})).unwrap(),
        clients: Vec::new(),
        groups: ["editors", "team"].map(|name| group(name, "From the backup")).into(),
        not_included: Vec::new(),
    };
    let mut digest = Digest::new(Vec::new());
    digest.write_all(users.as_bytes()).unwrap();
    let (bytes, sha256) = digest.finish();
    let rows = users.lines().count() as u64;
    let exported = ExportedUsers { rows, bytes, sha256, with_mfa: false, not_moved: BTreeSet::new() };
    let mut archive = Vec::new();
    write(&settings, exported, OffsetDateTime::UNIX_EPOCH, users.as_bytes(), &mut archive).unwrap();
    archive
}

fn group(name: &str, description: &str) -> GroupRecord {
    let (name, description) = (name.to_owned().try_into().unwrap(), Some(description.to_owned()));
    GroupRecord {
        name,
        description,
        precedence: Some(7),
        role_arn: Some("arn:aws:iam::123456789012:role/admin".to_owned()),
    }
}

fn restore_id() -> JobId {
    format!("restore-{}", "0123456789abcdef".repeat(2)).parse().unwrap()
}

/// A restore of an uploaded archive, or of a backup.
fn restore(backup: Option<&str>, options: JobOptions) -> ImportJob {
    let options = JobOptions { create_groups: true, ..options };
    ImportJob { id: restore_id(), backup: backup.map(|id| id.parse().unwrap()), options, ..job(Format::JsonLines) }
}

impl Stack {
    /// Runs a restore, and returns its results.
    async fn restore(&self, job: &ImportJob) -> Result<Vec<RowResult>, JobError> {
        let split = async |worker: &Worker<'_>| worker.split(job, "attempt").await;
        let split = self.with_worker(HOUR, split).await?;
        let chunks = self.jobs.file(&keys::chunks(&job.id, &split.plan.list)).unwrap();
        for chunk in serde_json::from_slice::<Vec<Chunk>>(&chunks).unwrap() {
            let import = async |worker: &Worker<'_>| worker.import(job, &split, &chunk).await;
            self.with_worker(HOUR, import).await?;
        }
        self.with_worker(HOUR, async |worker| worker.finish(job, &split).await).await?;
        let results = keys::results(&job.id);
        let keys = self.jobs.keys().into_iter().filter(|key| key.starts_with(&results));
        let text: Vec<u8> = keys.flat_map(|key| self.jobs.file(&key).unwrap()).collect();
        Ok(text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect())
    }

    async fn description(&self, group: &str) -> Option<String> {
        let group = self.pool.directory().group(&group.to_owned().try_into().unwrap()).await.ok()?;
        assert_eq!(group.role_arn, None);
        group.description
    }
}

const BACKUP: &str = "backup-0123456789abcdef0123456789abcdef";

#[tokio::test(start_paused = true)]
async fn a_restore_creates_missing_groups_and_users() {
    let users: String =
        (0..500).map(|number| format!(r#"{{"username": "user{number}", "groups": ["team"]}}"#) + "\n").collect();
    for backup in [None, Some(BACKUP)] {
        for (update, description) in [(false, None), (true, Some("From the backup"))] {
            let stack = Stack::new("");
            let job = restore(backup, JobOptions { update, ..JobOptions::default() });
            let key = backup.map_or_else(|| keys::upload(&restore_id()), |id| keys::archive(&id.parse().unwrap()));
            stack.jobs.put(&key, archive(&users));
            let results = stack.restore(&job).await.unwrap();
            assert!(results.len() == 500 && results.iter().all(|row| row.outcome == Outcome::Created));
            assert_eq!(stack.pool.groups_of("user499"), ["team"]);
            assert_eq!(stack.description("team").await.as_deref(), Some("From the backup"));
            // An existing group changes only if the caller requests it.
            assert_eq!(stack.description("editors").await.as_deref().filter(|text| !text.is_empty()), description);
            // An uploaded archive is deleted. A backup is kept.
            assert_eq!(stack.jobs.file(&key).is_some(), backup.is_some());
        }
    }
}

/// Cognito requires `iam:PassRole` for such a group.
#[tokio::test(start_paused = true)]
async fn a_restore_does_not_change_a_group_with_a_role() {
    let stack = Stack::new("");
    stack.pool.set_group_role("editors", "arn:aws:iam::123456789012:role/editors");
    stack.jobs.put(&keys::archive(&BACKUP.parse().unwrap()), archive(r#"{"username": "ann"}"#));
    let update = JobOptions { update: true, ..JobOptions::default() };
    assert_eq!(stack.restore(&restore(Some(BACKUP), update)).await.unwrap().len(), 1);
    let editors = stack.pool.directory().group(&"editors".to_owned().try_into().unwrap()).await.unwrap();
    assert_ne!(editors.description.as_deref(), Some("From the backup"));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_restore_changes_no_group() {
    let stack = Stack::new("");
    stack.jobs.put(&keys::archive(&BACKUP.parse().unwrap()), archive(r#"{"username": "ann"}"#));
    stack.jobs.put(&keys::stopped(&restore_id(), "attempt"), "");
    let error = stack.restore(&restore(Some(BACKUP), JobOptions::default())).await.unwrap_err();
    assert_eq!((error.name(), stack.description("team").await), ("Stopped", None));
}

#[tokio::test(start_paused = true)]
async fn a_group_that_cannot_be_created_fails_the_restore_permanently() {
    let stack = Stack::new("");
    stack.jobs.put(&keys::archive(&BACKUP.parse().unwrap()), archive(r#"{"username": "ann"}"#));
    for (reason, name) in [
        (Reason::LimitReached, "Rejected"),
        (Reason::PermissionMissing, "Forbidden"),
        (Reason::Internal, "Unavailable"),
    ] {
        stack.pool.fail("create_group", 1, reason);
        let error = stack.restore(&restore(Some(BACKUP), JobOptions::default())).await.unwrap_err();
        assert_eq!((error.name(), names(&stack.pool).len()), (name, 0), "{reason:?}");
    }
    assert_eq!(stack.restore(&restore(Some(BACKUP), JobOptions::default())).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_of_a_restore_creates_nothing() {
    let stack = Stack::new("");
    stack.jobs.put(&keys::archive(&BACKUP.parse().unwrap()), archive(r#"{"username": "ann", "groups": ["team"]}"#));
    let results =
        stack.restore(&restore(Some(BACKUP), JobOptions { dry_run: true, ..JobOptions::default() })).await.unwrap();
    assert_eq!(results.iter().map(|row| row.outcome).collect::<Vec<_>>(), [Outcome::Created]);
    assert!(names(&stack.pool).is_empty() && stack.description("team").await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_damaged_archive_restores_nothing() {
    let users: String = (0..50).map(row).collect();
    let good = archive(&users);
    let position = |text: &str| good.windows(text.len()).position(|part| part == text.as_bytes()).unwrap();
    let changed = |position: usize| {
        let mut archive = good.clone();
        archive[position] ^= 1;
        archive
    };
    for (place, archive) in [
        ("a user", changed(position("user7"))),
        ("a group", changed(position("From the backup"))),
        ("the manifest", changed(position("poolkeeper-backup"))),
        ("the length", good[..good.len() / 2].to_vec()),
        ("everything", b"username,email\n".to_vec()),
        ("nothing", Vec::new()),
    ] {
        let stack = Stack::new("");
        stack.jobs.put(&keys::upload(&restore_id()), archive);
        let error = stack.restore(&restore(None, JobOptions::default())).await.unwrap_err();
        assert_eq!(error.name(), "InvalidFile", "{place}: {error}");
        assert!(names(&stack.pool).is_empty() && stack.description("team").await.is_none(), "{place}");
    }
}
