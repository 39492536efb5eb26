//! Tests exports and backups on the emulator.

use std::collections::BTreeSet;

use domain::backup::read;
use domain::jobs::{Executions as _, Files as _, JobId, keys};
use domain::transfer::UserRow;
use local::deployment::Deployment;
use serde_json::json;

use super::Jobs;

/// The name that Step Functions gives to an execution of the schedule.
const SCHEDULED: &str = "01234567-89ab-cdef-0123-456789abcdef";

/// The input of the schedule in the template, which a test of the template compares.
const INPUT: &str = r#"{"type": "backup", "requested_by": "schedule"}"#;

/// Exports the users and backs the pool up, with all their files.
pub(super) async fn are_complete(jobs: &Jobs<'_>, deployment: &Deployment) {
    let (export, files) = jobs.run(&json!({"type": "export", "mfa": true})).await;
    assert_eq!((&export["status"], &export["error"]), (&json!("succeeded"), &json!(null)));
    let text = String::from_utf8(files.concat()).unwrap();
    let rows: Vec<UserRow> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let exported: BTreeSet<_> = rows.iter().map(|row| row.username.to_string()).collect();
    let expected: BTreeSet<_> = jobs.names("users").await.into_iter().collect();
    assert!(rows.len() == exported.len() && exported == expected, "{exported:?} {expected:?}");
    assert_eq!((&export["summary"]["rows"], &export["exported"]["rows"]), (&json!(rows.len()), &json!(rows.len())));
    let imported = rows.iter().filter(|row| row.groups.iter().any(|group| group.as_str() == "imported"));
    assert_eq!(imported.count(), jobs.names("groups/imported/users").await.len());

    let (backup, files) = jobs.run(&json!({"type": "backup"})).await;
    assert_eq!((&backup["status"], &backup["error"]), (&json!("succeeded"), &json!(null)));
    assert_eq!(files.len(), 1);
    let archive = read(&files[0][..]).unwrap();
    assert_eq!(archive.users.rows, rows.len() as u64);
    let groups: BTreeSet<_> = archive.settings.groups.iter().map(|group| group.name.to_string()).collect();
    assert!(groups.contains("imported") && groups.contains("admins"), "{groups:?}");
    assert_eq!(archive.manifest.user_pool_id, deployment.stack.output("UserPoolId").unwrap());
    // The clients, the identity pool and the permissions of its users are part of the spec.
    assert!(archive.settings.clients.iter().all(|client| client.in_spec) && archive.settings.clients.len() == 2);
    assert_eq!(archive.settings.not_included.len(), 1, "{:?}", archive.settings.not_included);

    // Users are lost. The emulator does not support changes of groups.
    for name in ["user7", "user8"] {
        jobs.api.delete(&format!("/v1/users/{name}"), &jobs.token).await.unwrap().expect(204).unwrap();
    }
    let restore = json!({"type": "restore", "backup": backup["id"], "update": true, "trust_user_names": true});
    let (restored, _) = jobs.run(&restore).await;
    assert_eq!((&restored["status"], &restored["backup"]), (&json!("succeeded"), &backup["id"]));
    let outcomes = &restored["summary"]["outcomes"];
    assert_eq!((&outcomes["created"], &outcomes["failed"]), (&json!(2), &json!(null)), "{restored}");
    let members = jobs.names("groups/imported/users").await;
    assert!(["user7", "user8"].iter().all(|name| members.iter().any(|member| member == name)), "{members:?}");

    // As the schedule starts it.
    let state_machine = deployment.cognito.job_state_machine(deployment.stack.output("JobStateMachineArn").unwrap());
    assert!(state_machine.start(SCHEDULED, INPUT).await.unwrap());
    let id: JobId = format!("backup-{}", SCHEDULED.replace('-', "")).parse().unwrap();
    let scheduled = jobs.wait_until_ended(&id.to_string()).await;
    assert_eq!((&scheduled["status"], &scheduled["requested_by"]), (&json!("succeeded"), &json!("schedule")));
    let bucket = deployment.cognito.job_bucket(deployment.stack.output("JobBucketName").unwrap());
    assert!(bucket.version(&keys::archive(&id)).await.unwrap().is_some());
    assert!(bucket.list(&keys::results(&id), None, 1).await.unwrap().entries.is_empty());
}
