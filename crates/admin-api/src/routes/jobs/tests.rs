//! Tests the routes of jobs on an in-memory bucket and state machine.

mod access;
mod exports;
mod failures;

use domain::jobs::{ExecutionStatus, Job, JobOptions, keys};
use domain::transfer::Format;
use serde_json::{Value, json};
use testkit::in_memory_jobs::{RUNNING_JOB, SUCCEEDED_JOB, UPLOADED_FILE};
use testkit::logs::Logs;

use crate::testing::{Answer, Api, Call};

fn import() -> Value {
    json!({"type": "import", "upload": UPLOADED_FILE, "format": "json-lines"})
}

/// The request with one changed field.
fn import_with(name: &str, value: Value) -> Value {
    let mut body = import();
    body[name] = value;
    body
}

async fn start(api: &Api, body: &Value) -> Answer {
    api.call(Call::post("/v1/jobs", Some(body))).await
}

async fn upload(api: &Api) -> Answer {
    api.call(Call::post("/v1/jobs/uploads", Some(&json!({"type": "import"})))).await
}

async fn job(api: &Api, id: &str) -> Value {
    let answer = api.call(Call::get(&format!("/v1/jobs/{id}"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

async fn stop(api: &Api, id: &str) -> Answer {
    api.call(Call::delete(&format!("/v1/jobs/{id}"))).await
}

/// The names of the executions of the uploaded file.
fn attempts(api: &Api) -> Vec<String> {
    let names = api.jobs.executions().into_iter().map(|(name, _)| name);
    names.filter(|name| name.starts_with(UPLOADED_FILE)).collect()
}

#[tokio::test]
async fn an_upload_is_a_request_that_creates_one_file() {
    let api = Api::new();
    let answer = upload(&api).await;
    let id = answer.body["id"].as_str().unwrap();
    let expected = json!({
        "id": id, "method": "PUT", "url": format!("https://jobs.example/uploads/{id}?upload"),
        "headers": {"if-none-match": "*"}, "expires_at": "1970-01-01T00:15:00Z"
    });
    assert_eq!((answer.status, &answer.body), (201, &expected));
    assert_ne!(upload(&api).await.body["id"], id);
    // The upload alone starts nothing.
    assert_eq!(api.jobs.executions().len(), 2);
}

#[tokio::test]
async fn a_job_starts_once_with_the_options_of_the_request() {
    let api = Api::new();
    let body = json!({
        "type": "import", "upload": UPLOADED_FILE, "format": "csv", "update": true, "trust_user_names": true,
        "create_groups": true, "dry_run": true
    });
    let answer = start(&api, &body).await;
    assert_eq!((answer.status, answer.header("location")), (202, Some(&*format!("/v1/jobs/{UPLOADED_FILE}"))));
    let expected = json!({
        "id": UPLOADED_FILE, "type": "import", "status": "running", "format": "csv",
        "options": {"update": true, "trust_user_names": true, "create_groups": true, "dry_run": true},
        "backup": null, "mfa": null, "requested_by": "root", "requested_at": "1970-01-01T00:00:00Z", "attempts": 1,
        "started_at": "1970-01-01T00:00:00Z", "ended_at": null, "error": null
    });
    assert_eq!(answer.body, expected);

    let (_, input) = api.jobs.executions().into_iter().find(|(name, _)| name == UPLOADED_FILE).unwrap();
    let Job::Import(job) = serde_json::from_str(&input).unwrap() else { panic!("{input}") };
    let options = JobOptions { update: true, trust_user_names: true, create_groups: true, dry_run: true };
    assert_eq!((&*job.id.to_string(), job.format, job.options), (UPLOADED_FILE, Format::Csv, options));

    let again = start(&api, &body).await;
    assert_eq!((again.status, again.header("location"), &again.body), (200, None, &expected));
    assert_eq!(attempts(&api), [UPLOADED_FILE]);
}

#[tokio::test]
async fn by_default_an_import_only_creates_users() {
    let api = Api::new();
    let options = json!({"update": false, "trust_user_names": false, "create_groups": false, "dry_run": false});
    assert_eq!(start(&api, &import()).await.body["options"], options);
}

#[tokio::test]
async fn a_started_job_does_not_start_with_other_options() {
    for (name, value) in [("format", json!("csv")), ("update", json!(true)), ("dry_run", json!(true))] {
        let api = Api::new();
        start(&api, &import()).await;
        let other = import_with(name, value);
        for status in [ExecutionStatus::Running, ExecutionStatus::Failed, ExecutionStatus::Succeeded] {
            api.jobs.end(UPLOADED_FILE, status, None);
            let answer = start(&api, &other).await;
            assert_eq!((answer.status, answer.code()), (409, "wrong-state"), "{name} {status:?}");
            assert!(answer.body["detail"].as_str().unwrap().contains("other options"), "{answer:?}");
        }
        assert_eq!(attempts(&api), [UPLOADED_FILE]);
    }
}

#[tokio::test]
async fn a_job_without_a_file_does_not_start() {
    let api = Api::new();
    let id = upload(&api).await.body["id"].clone();
    let answer = start(&api, &import_with("upload", id.clone())).await;
    assert_eq!((answer.status, answer.code()), (409, "wrong-state"));
    assert!(answer.body["detail"].as_str().unwrap().contains("No file"), "{answer:?}");
    api.jobs.put(&format!("uploads/{}", id.as_str().unwrap()), "{}");
    assert_eq!(start(&api, &import_with("upload", id)).await.status, 202);
}

#[tokio::test]
async fn the_same_request_restarts_a_failed_or_stopped_job() {
    let api = Api::new();
    start(&api, &import()).await;
    api.jobs.end(UPLOADED_FILE, ExecutionStatus::Failed, Some("Unavailable"));
    api.time_passes(std::time::Duration::from_mins(5)).await;
    let answer = start(&api, &import()).await;
    let facts = (&answer.body["attempts"], &answer.body["requested_at"], &answer.body["started_at"]);
    let expected = (&json!(2), &json!("1970-01-01T00:00:00Z"), &json!("1970-01-01T00:05:00Z"));
    assert_eq!((answer.status, facts), (202, expected));

    assert_eq!(stop(&api, UPLOADED_FILE).await.status, 204);
    let stopped = |attempt: &str| keys::stopped(&UPLOADED_FILE.parse().unwrap(), attempt);
    let second = format!("{UPLOADED_FILE}-2");
    assert!(api.jobs.file(&stopped(&second)).is_some());
    let facts = job(&api, UPLOADED_FILE).await;
    assert_eq!((&facts["status"], &facts["error"]), (&json!("stopped"), &json!(null)));
    assert_eq!(start(&api, &import()).await.body["attempts"], 3);
    let third = format!("{UPLOADED_FILE}-3");
    assert_eq!(job(&api, UPLOADED_FILE).await["status"], "running");
    assert!(api.jobs.file(&stopped(UPLOADED_FILE)).is_none() && api.jobs.file(&stopped(&third)).is_none());
    assert_eq!(attempts(&api), [UPLOADED_FILE.to_owned(), second, third]);
}

#[tokio::test]
async fn a_job_that_failed_too_often_does_not_restart() {
    let api = Api::new();
    for attempt in 1..=50 {
        assert_eq!(start(&api, &import()).await.body["attempts"], attempt);
        let name = attempts(&api).into_iter().max_by_key(String::len).unwrap();
        let name = if attempt == 1 { name } else { format!("{UPLOADED_FILE}-{attempt}") };
        api.jobs.end(&name, ExecutionStatus::Failed, Some("Forbidden"));
    }
    let answer = start(&api, &import()).await;
    assert_eq!((answer.status, answer.code()), (409, "wrong-state"));
    assert_eq!(attempts(&api).len(), 50);
}

#[tokio::test]
async fn a_stop_is_safe_to_repeat_and_keeps_ended_jobs() {
    let api = Api::new();
    for _ in 0..2 {
        assert_eq!(stop(&api, RUNNING_JOB).await.status, 204);
        assert_eq!(job(&api, RUNNING_JOB).await["status"], "stopped");
    }
    assert_eq!(stop(&api, SUCCEEDED_JOB).await.status, 204);
    assert_eq!(job(&api, SUCCEEDED_JOB).await["status"], "succeeded");
}

#[tokio::test]
async fn a_job_shows_its_progress_and_summary() {
    let api = Api::new();
    let running = job(&api, RUNNING_JOB).await;
    let progress = json!({"rows": 400, "chunks": 4, "done": 3});
    assert_eq!((&running["progress"], &running["summary"]), (&progress, &json!(null)));
    let succeeded = job(&api, SUCCEEDED_JOB).await;
    let summary = json!({
        "rows": 2, "outcomes": {"created": 1, "failed": 1}, "codes": {"user-exists": 1}, "not_moved": ["sub"]
    });
    let facts = (&succeeded["status"], &succeeded["summary"], &succeeded["ended_at"]);
    assert_eq!(facts, (&json!("succeeded"), &summary, &json!("1970-01-01T00:00:00Z")));
    start(&api, &import()).await;
    assert_eq!(job(&api, UPLOADED_FILE).await["progress"], json!(null));
}

#[tokio::test]
async fn errors_of_the_worker_have_stable_codes() {
    let table = [
        (Some("TimeUp"), "failed", json!("timed-out")),
        (Some("MailQuota"), "failed", json!("mail-quota")),
        (Some("Forbidden"), "failed", json!("forbidden")),
        (Some("Unavailable"), "failed", json!("unavailable")),
        (Some("Rejected"), "failed", json!("rejected")),
        (Some("InvalidFile"), "failed", json!("invalid-file")),
        (Some("Incomplete"), "failed", json!("incomplete")),
        (Some("States.Timeout"), "failed", json!("timed-out")),
        (Some("States.Runtime"), "failed", json!("internal")),
        (None, "failed", json!(null)),
    ];
    for (name, status, error) in table {
        let api = Api::new();
        api.jobs.end(RUNNING_JOB, ExecutionStatus::Failed, name);
        let facts = job(&api, RUNNING_JOB).await;
        assert_eq!((&facts["status"], &facts["error"]), (&json!(status), &error), "{name:?}");
    }
}

/// The state machine reports every failed chunk as `States.ExceedToleratedFailureThreshold`.
#[tokio::test]
async fn a_failed_chunk_names_the_error_of_its_attempt() {
    let api = Api::new();
    start(&api, &import()).await;
    let id = UPLOADED_FILE.parse().unwrap();
    for (failure, error) in [("States.ExceedToleratedFailureThreshold", "mail-quota"), ("InvalidFile", "invalid-file")]
    {
        api.jobs.put(&keys::error(&id, UPLOADED_FILE), "MailQuota");
        api.jobs.end(UPLOADED_FILE, ExecutionStatus::Failed, Some(failure));
        assert_eq!(job(&api, UPLOADED_FILE).await["error"], error);
    }
    start(&api, &import()).await;
    let failure = "States.ExceedToleratedFailureThreshold";
    api.jobs.end(&format!("{UPLOADED_FILE}-2"), ExecutionStatus::Failed, Some(failure));
    assert_eq!(job(&api, UPLOADED_FILE).await["error"], "internal");
}

/// The worker saw the request to stop before the execution ended.
#[tokio::test]
async fn a_job_that_failed_because_of_a_stop_is_stopped() {
    let api = Api::new();
    api.jobs.put(&keys::stopped(&RUNNING_JOB.parse().unwrap(), RUNNING_JOB), "");
    api.jobs.end(RUNNING_JOB, ExecutionStatus::Failed, Some("States.ExceedToleratedFailureThreshold"));
    let facts = job(&api, RUNNING_JOB).await;
    assert_eq!((&facts["status"], &facts["error"]), (&json!("stopped"), &json!(null)));
}

#[tokio::test]
async fn a_list_contains_a_restarted_job_once() {
    let api = Api::new();
    start(&api, &import()).await;
    api.jobs.end(UPLOADED_FILE, ExecutionStatus::Failed, Some("TimeUp"));
    start(&api, &import()).await;
    let answer = api.call(Call::get("/v1/jobs")).await;
    let jobs = answer.body["jobs"].as_array().unwrap();
    let facts: Vec<_> = jobs.iter().map(|job| (job["id"].as_str().unwrap(), job["attempts"].as_u64())).collect();
    assert_eq!(facts, [(UPLOADED_FILE, Some(2)), (RUNNING_JOB, Some(1)), (SUCCEEDED_JOB, Some(1))]);
}

#[tokio::test]
async fn results_are_files_by_line_and_can_be_absent() {
    let api = Api::new();
    let results = async |id: &str| api.call(Call::get(&format!("/v1/jobs/{id}/results"))).await.body;
    let page = results(RUNNING_JOB).await;
    let lines: Vec<_> = page["results"].as_array().unwrap().iter().map(|file| file["first_line"].as_u64()).collect();
    assert_eq!(lines, [Some(1), Some(101), Some(201)]);
    let url = format!("https://jobs.example/jobs/{RUNNING_JOB}/results/0000000101.jsonl?download");
    let facts = (&page["results"][1]["url"], &page["expires_at"], &page["next_cursor"]);
    assert_eq!(facts, (&json!(url), &json!("1970-01-01T00:05:00Z"), &json!(null)));
    assert_eq!(results(SUCCEEDED_JOB).await["results"], json!([]));
}

#[tokio::test]
async fn records_name_the_job_and_logs_contain_no_url() {
    let api = Api::new();
    let logs = Logs::capture();
    upload(&api).await;
    start(&api, &import_with("create_groups", json!(true))).await;
    api.call(Call::get(&format!("/v1/jobs/{RUNNING_JOB}/results"))).await;
    stop(&api, RUNNING_JOB).await;
    let audit = logs.lines().into_iter().filter(|line| line["target"] == "audit");
    let fields: Vec<_> = audit.map(|line| line["fields"]["fields"].as_str().unwrap_or_default().to_owned()).collect();
    let running = format!("job:{RUNNING_JOB}");
    let started = format!("job:{UPLOADED_FILE} create_groups");
    assert!(fields[0].starts_with("job:import-"), "{fields:?}");
    assert_eq!(fields[1..], [started, running.clone(), running]);
    assert!(!logs.text().contains("jobs.example"), "{}", logs.text());
}
