//! Tests exports and backups.

use std::ops::RangeInclusive;
use std::time::Duration;

use domain::jobs::{ExecutionStatus, JobId, keys};
use serde_json::{Value, json};
use testkit::in_memory_jobs::{RUNNING_JOB, UPLOADED_FILE};

use super::{import, import_with, job, start, stop};
use crate::testing::{Answer, Api, Call, token};

const EXPORT: &str = "export-0123456789abcdef0123456789abcdef";
const BACKUP: &str = "backup-0123456789abcdef0123456789abcdef";

/// The name of the execution of a scheduled backup with the id [`BACKUP`].
const SCHEDULED: &str = "01234567-89ab-cdef-0123-456789abcdef";

fn id(text: &str) -> JobId {
    text.parse().unwrap()
}

/// An API with the scheduled backup, which runs.
fn with_scheduled_backup() -> Api {
    let api = Api::new();
    api.jobs.add_scheduled_backup(SCHEDULED);
    api
}

async fn start_with_key(api: &Api, body: &Value, key: &str) -> Answer {
    api.call(Call::post("/v1/jobs", Some(body)).header("idempotency-key", key)).await
}

#[tokio::test]
async fn an_export_or_backup_starts_once_per_key() {
    for job_type in ["export", "backup"] {
        let api = Api::new();
        let before = api.jobs.executions().len();
        let body = json!({"type": job_type, "mfa": true});
        let answer = start_with_key(&api, &body, "key-1").await;
        let id = answer.body["id"].as_str().unwrap();
        assert!(id.starts_with(job_type), "{id}");
        assert_eq!((answer.status, answer.header("location")), (202, Some(&*format!("/v1/jobs/{id}"))));
        let expected = json!({
            "id": id, "type": job_type, "status": "running", "format": null, "options": null, "backup": null, "mfa": true,
            "requested_by": "root", "requested_at": "1970-01-01T00:00:00Z", "attempts": 1,
            "started_at": "1970-01-01T00:00:00Z", "ended_at": null, "error": null
        });
        assert_eq!(answer.body, expected);
        let input = api.jobs.executions().into_iter().find(|(name, _)| name == id).unwrap().1;
        let expected_input =
            json!({"type": job_type, "mfa": true, "requested_by": "root", "requested_at": "1970-01-01T00:00:00Z"});
        assert_eq!(serde_json::from_str::<Value>(&input).unwrap(), expected_input);

        api.time_passes(Duration::from_mins(5)).await;
        for status in [ExecutionStatus::Running, ExecutionStatus::Failed, ExecutionStatus::Succeeded] {
            api.jobs.end(id, status, None);
            let again = start_with_key(&api, &body, "key-1").await;
            assert_eq!((again.status, &again.body["requested_at"]), (200, &expected["requested_at"]), "{status:?}");
            let other = start_with_key(&api, &json!({"type": job_type}), "key-1").await;
            assert_eq!((other.status, other.code()), (409, "wrong-state"), "{status:?}");
        }
        assert_eq!(api.jobs.executions().len(), before + 1);
        assert_eq!(start_with_key(&api, &body, "key-2").await.status, 202);
        assert_eq!(start_with_key(&api, &body, "two words").await.status, 400);
    }
}

#[tokio::test]
async fn without_a_key_each_request_starts_a_job() {
    let api = Api::new();
    let before = api.jobs.executions().len();
    for job_type in ["export", "backup", "backup"] {
        let answer = start(&api, &json!({"type": job_type})).await;
        assert_eq!((answer.status, &answer.body["mfa"]), (202, &json!(false)));
    }
    assert_eq!(api.jobs.executions().len(), before + 3);
}

#[tokio::test]
async fn fields_of_another_type_of_job_are_rejected_by_name() {
    let export = |name: &str, value: Value| {
        let mut body = json!({"type": "export"});
        body[name] = value;
        body
    };
    for (field, body) in [
        ("upload", export("upload", json!(UPLOADED_FILE))),
        ("format", export("format", json!("csv"))),
        ("update", export("update", json!(true))),
        ("trust_user_names", export("trust_user_names", json!(true))),
        ("create_groups", export("create_groups", json!(true))),
        ("dry_run", export("dry_run", json!(true))),
        ("id", export("id", json!(EXPORT))),
        ("mfa", import_with("mfa", json!(true))),
        ("upload", import_with("upload", json!(EXPORT))),
        ("upload", json!({"type": "import", "format": "csv"})),
        ("format", json!({"type": "import", "upload": UPLOADED_FILE})),
        ("type", json!({"type": "erase"})),
        ("archive", json!({"type": "restore"})),
        ("archive", json!({"type": "restore", "archive": UPLOADED_FILE})),
        ("backup", json!({"type": "restore", "backup": EXPORT})),
        ("archive", json!({"type": "restore", "backup": BACKUP, "archive": UPLOADED_FILE})),
        ("create_groups", json!({"type": "restore", "backup": BACKUP, "create_groups": true})),
        ("type", json!({"type": {"import": null}})),
        ("type", json!({})),
    ] {
        let api = Api::new();
        let answer = start(&api, &body).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid-request"), "{body}");
        assert_eq!(answer.body["field"], field, "{body}: {answer:?}");
        assert_eq!(api.jobs.calls(), 0, "{body}");
    }
    let answer = Api::new().call(Call::post("/v1/jobs/uploads", Some(&json!({"type": "backup"})))).await;
    assert_eq!((answer.status, &answer.body["field"]), (400, &json!("type")));
}

#[tokio::test]
async fn an_export_shows_how_many_users_are_exported() {
    let api = Api::new();
    api.jobs.add_execution(EXPORT, r#"{"type": "export", "requested_by": "ann"}"#);
    assert_eq!(job(&api, EXPORT).await["exported"], json!(null));
    let state = json!({
        "position": {"users": {"after": "token"}}, "memberships": ["m"], "files": files(1..=1), "rows": 60,
        "estimated_rows": 400, "not_moved": []
    });
    api.jobs.put(&keys::export(&id(EXPORT)), state.to_string());
    let running = job(&api, EXPORT).await;
    let facts = (&running["exported"], &running["progress"], &running["summary"]);
    assert_eq!(facts, (&json!({"rows": 60, "estimated_rows": 400}), &json!(null), &json!(null)));

    let summary = json!({"rows": 401, "outcomes": {}, "codes": {}, "not_moved": ["sub"]});
    api.jobs.put(&keys::summary(&id(EXPORT)), summary.to_string());
    api.jobs.end(EXPORT, ExecutionStatus::Succeeded, None);
    assert_eq!(job(&api, EXPORT).await["summary"], summary);
    api.jobs.end(EXPORT, ExecutionStatus::Failed, Some("TooLarge"));
    assert_eq!(job(&api, EXPORT).await["error"], "too-large");
}

/// The files in the state of an export, with 60 users each.
fn files(numbers: RangeInclusive<u64>) -> Value {
    let file = |number| json!({"key": format!("file-{number}"), "first_line": 60 * number - 59, "bytes": 9});
    numbers.map(file).collect()
}

#[tokio::test]
async fn the_results_of_an_export_are_the_files_in_its_state() {
    let api = Api::new();
    api.jobs.add_execution(EXPORT, r#"{"type": "export", "requested_by": "ann"}"#);
    let path = format!("/v1/jobs/{EXPORT}/results?limit=2");
    assert_eq!(api.call(Call::get(&path)).await.body["results"], json!([]));
    // A file that an interrupted invocation left.
    api.jobs.put(&keys::exported(&id(EXPORT), 1, "0"), "{}");
    let state = json!({
        "position": "end", "memberships": [], "files": files(1..=5), "rows": 300, "estimated_rows": 300, "not_moved": []
    });
    api.jobs.put(&keys::export(&id(EXPORT)), state.to_string());
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.call(Call::get(&format!("{path}{cursor}"))).await.body;
        let results = page["results"].as_array().unwrap();
        assert!((1..=2).contains(&results.len()), "{page}");
        found.extend(results.iter().map(|file| (file["first_line"].clone(), file["url"].clone())));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let file = |number: u64| (json!(60 * number - 59), json!(format!("https://jobs.example/file-{number}?download")));
    assert_eq!(found, (1..=5).map(file).collect::<Vec<_>>());
}

/// The name of an execution can be used again after 90 days.
#[tokio::test]
async fn a_key_whose_job_is_forgotten_starts_no_job_with_old_files() {
    for job_type in ["export", "backup"] {
        let api = Api::new();
        let body = json!({"type": job_type});
        let id: JobId = start_with_key(&api, &body, "key-1").await.body["id"].as_str().unwrap().parse().unwrap();
        api.jobs.put(&if job_type == "backup" { keys::archive(&id) } else { keys::export(&id) }, "{}");
        api.time_passes(Duration::from_secs(1)).await;
        // The job is not forgotten, but neither read finds it yet.
        api.jobs.delay(&id.to_string(), 2);
        assert_eq!(start_with_key(&api, &body, "key-1").await.code(), "jobs-unavailable", "{job_type}");
        assert_eq!(start_with_key(&api, &body, "key-1").await.status, 200, "{job_type}");
        // Files that are a day old belong to a forgotten job, others to one that is not visible yet.
        api.jobs.forget(&id.to_string(), api.wall_time() - Duration::from_hours(25));
        let before = api.jobs.executions().len();
        assert_eq!(start_with_key(&api, &body, "key-1").await.code(), "wrong-state", "{job_type}");
        assert_eq!(api.jobs.executions().len(), before);
        api.jobs.forget(&id.to_string(), api.wall_time() - Duration::from_hours(23));
        assert_eq!(start_with_key(&api, &body, "key-1").await.status, 202, "{job_type}");
    }
    let api = Api::new();
    start(&api, &import()).await;
    api.jobs.put(&keys::plan(&id(UPLOADED_FILE)), "{}");
    api.time_passes(Duration::from_secs(1)).await;
    api.jobs.delay(UPLOADED_FILE, 1);
    assert_eq!(start(&api, &import()).await.status, 200);
    api.jobs.forget(UPLOADED_FILE, api.wall_time() - Duration::from_hours(25));
    assert_eq!(start(&api, &import()).await.code(), "wrong-state");
    api.jobs.forget(UPLOADED_FILE, api.wall_time() - Duration::from_hours(23));
    assert_eq!(start(&api, &import()).await.status, 202);
}

#[tokio::test]
async fn a_restore_reads_an_uploaded_archive_or_a_backup() {
    let api = Api::new();
    let restore = json!({"type": "restore", "backup": BACKUP, "update": true});
    assert_eq!(start_with_key(&api, &restore, "key-1").await.code(), "wrong-state", "the backup does not exist");
    api.jobs.put(&keys::archive(&id(BACKUP)), "tar");
    let started = start_with_key(&api, &restore, "key-1").await;
    let facts = (&started.body["backup"], &started.body["format"], &started.body["options"]);
    let options = json!({"update": true, "trust_user_names": false, "create_groups": true, "dry_run": false});
    assert_eq!((started.status, facts), (202, (&json!(BACKUP), &json!(null), &options)));
    let name = started.body["id"].as_str().unwrap();
    assert!(name.starts_with("restore-"), "{name}");
    // The same request restarts it.
    api.jobs.end(name, ExecutionStatus::Failed, Some("Unavailable"));
    assert_eq!(start_with_key(&api, &restore, "key-1").await.body["attempts"], 2);
    let other = json!({"type": "restore", "backup": BACKUP});
    assert_eq!(start_with_key(&api, &other, "key-1").await.code(), "wrong-state");

    let upload = api.call(Call::post("/v1/jobs/uploads", Some(&json!({"type": "restore"})))).await;
    let upload = upload.body["id"].as_str().unwrap();
    let restore = json!({"type": "restore", "archive": upload});
    assert_eq!(start(&api, &restore).await.code(), "wrong-state", "no archive was uploaded");
    api.jobs.put(&keys::upload(&id(upload)), "tar");
    let started = start(&api, &restore).await;
    assert_eq!((started.status, &started.body["id"], &started.body["backup"]), (202, &json!(upload), &json!(null)));
}

#[tokio::test]
async fn a_scheduled_backup_is_listed_read_and_stopped_as_others() {
    let api = with_scheduled_backup();
    let facts = |job: &Value| (job["id"].clone(), job["requested_by"].clone(), job["requested_at"].clone());
    let expected = (json!(BACKUP), json!("schedule"), json!("1970-01-01T00:00:00Z"));
    assert_eq!(facts(&job(&api, BACKUP).await), expected);
    let list = api.call(Call::get("/v1/jobs")).await;
    assert!(list.body["jobs"].as_array().unwrap().iter().any(|job| facts(job) == expected), "{list:?}");
    let results = api.call(Call::get(&format!("/v1/jobs/{BACKUP}/results"))).await;
    assert_eq!((results.status, &results.body["results"]), (200, &json!([])));
    assert_eq!(stop(&api, BACKUP).await.status, 204);
    assert!(api.jobs.keys().contains(&keys::stopped(&id(BACKUP), SCHEDULED)));
    assert_eq!(job(&api, BACKUP).await["status"], "stopped");
}

#[tokio::test]
async fn executions_that_are_no_jobs_are_neither_listed_nor_found() {
    for (name, input) in [
        ("nightly", r#"{"type": "backup", "requested_by": "ann"}"#),
        (SCHEDULED, "{}"),
        (SCHEDULED, r#"{"type": "export", "requested_by": "ann"}"#),
        (EXPORT, r#"{"type": "backup", "requested_by": "ann"}"#),
    ] {
        let api = Api::new();
        api.jobs.add_execution(name, input);
        let list = api.call(Call::get("/v1/jobs")).await;
        assert_eq!(list.body["jobs"].as_array().map(Vec::len), Some(2), "{name} {input}");
        for id in [BACKUP, EXPORT] {
            let answer = api.call(Call::get(&format!("/v1/jobs/{id}"))).await;
            assert_eq!((answer.status, answer.code()), (404, "job-not-found"), "{name} {input}");
        }
    }
}

#[tokio::test]
async fn the_result_of_a_backup_is_its_archive() {
    let api = with_scheduled_backup();
    // The exported users are deleted when the archive is complete.
    api.jobs.put(&keys::result(&id(BACKUP), 1), "{}");
    let path = format!("/v1/jobs/{BACKUP}/results");
    assert_eq!(api.call(Call::get(&path)).await.body["results"], json!([]));
    api.jobs.put(&keys::archive(&id(BACKUP)), "tar");
    let url = format!("https://jobs.example/backups/{BACKUP}.tar?download");
    assert_eq!(api.call(Call::get(&path)).await.body["results"], json!([{"first_line": null, "url": url}]));
    let absent = BACKUP.replace('f', "0");
    assert_eq!(api.call(Call::get(&format!("/v1/jobs/{absent}/results"))).await.code(), "job-not-found");
}

#[tokio::test]
async fn users_in_exports_and_backups_require_every_permission() {
    let roles = json!({"readers": ["jobs:read", "jobs:write", "users:read"], "admins": ["all"]});
    let restore = BACKUP.replace("backup", "restore");
    for (id, reader) in [(RUNNING_JOB, 200), (EXPORT, 403), (BACKUP, 403), (&restore, 403)] {
        let pool = testkit::in_memory::InMemoryPool::new();
        pool.add_user("ann", "Password-of-ann-1", &["readers", "admins"], &[]);
        let api = Api::on(pool, &roles, crate::settings::AdminMfa::Optional);
        for name in [EXPORT, BACKUP] {
            let input = json!({"type": &name[..6], "requested_by": "root"});
            api.jobs.add_execution(name, &input.to_string());
        }
        api.jobs.add_execution(&restore, "{}");
        for (group, status) in [("[readers]", reader), ("[admins]", 200)] {
            let call = Call::get(&format!("/v1/jobs/{id}/results")).by(token("ann", group));
            assert_eq!(api.call(call).await.status, status, "{id} {group}");
        }
    }
}
