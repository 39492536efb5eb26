//! Tests absent jobs, and failures of the bucket and the state machine.

use std::time::Duration;

use domain::jobs::{ExecutionStatus, StoreError, keys};
use serde_json::json;

use super::{RUNNING_JOB, SUCCEEDED_JOB, UPLOADED_FILE, attempts, import, import_with, job, start, stop};
use crate::http::error::{ApiError, ErrorCode};
use crate::testing::{Api, Call};

/// A request to each route that calls the bucket or the state machine.
fn calls() -> [Call; 7] {
    [
        Call::post("/v1/jobs", Some(&import())),
        Call::post("/v1/jobs", Some(&json!({"type": "export"}))).header("idempotency-key", "key-1"),
        Call::get("/v1/jobs"),
        Call::get(&format!("/v1/jobs/{SUCCEEDED_JOB}")),
        Call::get(&format!("/v1/jobs/{RUNNING_JOB}/results")),
        Call::get(&format!("/v1/jobs/{SUCCEEDED_JOB}/results")),
        Call::delete(&format!("/v1/jobs/{RUNNING_JOB}")),
    ]
}

#[tokio::test]
async fn an_absent_job_is_not_found() {
    let api = Api::new();
    let path = format!("/v1/jobs/{UPLOADED_FILE}");
    for call in [Call::get(&path), Call::get(&format!("{path}/results")), Call::delete(&path)] {
        let answer = api.call(call.clone()).await;
        assert_eq!((answer.status, answer.code()), (404, "job-not-found"), "{call}");
    }
    assert!(!api.jobs.keys().iter().any(|key| key.contains("/stopped/")));
}

#[tokio::test]
async fn a_deployment_without_jobs_says_so() {
    let upload = Call::post("/v1/jobs/uploads", Some(&json!({"type": "import"})));
    for call in calls().into_iter().chain([upload]) {
        let answer = Api::without_jobs().call(call.clone()).await;
        assert_eq!((answer.status, answer.code()), (409, "wrong-state"), "{call}");
        assert!(answer.body["detail"].as_str().unwrap().contains("parameter `Jobs`"), "{call}: {answer:?}");
    }
}

#[tokio::test]
async fn each_failed_call_is_reported_and_the_request_can_be_repeated() {
    for call in calls() {
        let undisturbed = Api::new();
        let expected = undisturbed.call(call.clone()).await;
        assert!(expected.status < 300 && undisturbed.jobs.calls() > 0, "{call}: {expected:?}");
        for number in 1..=undisturbed.jobs.calls() {
            for after_effect in [false, true] {
                let api = Api::new();
                api.jobs.fail_call(number, after_effect);
                let answer = api.call(call.clone()).await;
                let place = format!("{call}, call {number}, {after_effect}");
                assert_eq!((answer.status, answer.code()), (503, "jobs-unavailable"), "{place}");
                assert_eq!(answer.header("retry-after"), Some("1"), "{place}");
                let body = answer.body.to_string();
                assert!(!body.contains("no response") && !body.contains("Object"), "{place}: {body}");
                let repeated = api.call(call.clone()).await;
                assert!(repeated.status < 300, "{place}: {repeated:?}");
                assert_eq!(api.jobs.executions(), undisturbed.jobs.executions(), "{place}");
                assert_eq!(api.jobs.keys(), undisturbed.jobs.keys(), "{place}");
            }
        }
    }
}

#[test]
fn a_missing_permission_is_an_internal_error() {
    let error = StoreError::Forbidden { operation: "PutObject", source: "denied".into() };
    assert_eq!(ApiError::from(error).code(), ErrorCode::Internal);
}

/// The first request does not see the execution of the other request yet.
#[tokio::test]
async fn concurrent_starts_do_not_hide_different_options() {
    let api = Api::new();
    start(&api, &import()).await;
    api.time_passes(Duration::from_secs(1)).await;
    for (body, status) in [(import(), 200), (import_with("dry_run", json!(true)), 409)] {
        api.jobs.delay(UPLOADED_FILE, 1);
        let answer = start(&api, &body).await;
        assert_eq!(answer.status, status, "{answer:?}");
        // Neither read finds the execution.
        api.jobs.delay(UPLOADED_FILE, 2);
        assert_eq!(start(&api, &body).await.code(), "jobs-unavailable", "{body}");
    }
    assert_eq!(attempts(&api), [UPLOADED_FILE]);
}

#[tokio::test]
async fn a_restart_that_is_not_visible_yet_can_be_stopped() {
    let api = Api::new();
    start(&api, &import()).await;
    api.jobs.end(UPLOADED_FILE, ExecutionStatus::Failed, Some("Unavailable"));
    start(&api, &import()).await;
    api.jobs.delay(&format!("{UPLOADED_FILE}-2"), 1);
    assert_eq!(stop(&api, UPLOADED_FILE).await.status, 204);
    assert_eq!(job(&api, UPLOADED_FILE).await["status"], "stopped");
    assert!(api.jobs.keys().contains(&keys::stopped(&UPLOADED_FILE.parse().unwrap(), &format!("{UPLOADED_FILE}-2"))));
}

/// The quota of `DescribeExecution` is low.
#[tokio::test]
async fn a_list_makes_few_calls_per_job() {
    let api = Api::new();
    for attempt in 2..=9 {
        start(&api, &import()).await;
        let name = if attempt == 2 { UPLOADED_FILE.to_owned() } else { format!("{UPLOADED_FILE}-{}", attempt - 1) };
        api.jobs.end(&name, ExecutionStatus::Failed, Some("Unavailable"));
    }
    let calls = api.jobs.calls();
    let listed = api.call(Call::get("/v1/jobs")).await;
    assert_eq!(listed.body["jobs"].as_array().unwrap().len(), 3);
    // The list, two executions, eight attempts with their successor, and the marker of a stopped job.
    assert_eq!(api.jobs.calls() - calls, 1 + 2 + 2 * 8 + 1);
}

#[tokio::test]
async fn an_expired_cursor_is_invalid() {
    let api = Api::new();
    let first = api.call(Call::get("/v1/jobs?limit=1")).await;
    let next = Call::get(&format!("/v1/jobs?cursor={}", first.body["next_cursor"].as_str().unwrap()));
    assert_eq!(api.call(next.clone()).await.status, 200);
    api.jobs.expire_positions();
    let expired = api.call(next).await;
    assert_eq!((expired.status, &expired.body["field"]), (400, &json!("cursor")));
}
