//! Invariants of the bootstrap for any body. The fuzzer asserts them for generated bodies, and tests for the events in
//! `events/`.

mod subject;

use serde_json::Value;
use testkit::logs::Logs;

use subject::Function;

/// The maximum length of a reply. Ids from CloudFormation use at most half of it.
const MAX_REPLY_BYTES: usize = 4096;

/// The error type of a malformed invocation.
const INVALID: &str = "InvalidRequest";

/// Sends a body to the bootstrap, in an account without its pool and in one with it, and checks its replies, logs and
/// changes.
///
/// # Panics
/// Panics if an invariant does not hold.
pub(crate) fn assert_hold(body: &[u8]) {
    let Ok(payload) = serde_json::from_slice::<Value>(body) else { return };
    for is_deployed in [false, true] {
        let function = Function::with_foreign_pool(is_deployed);
        let foreign = function.foreign_resources();
        let logs = Logs::capture();
        let outcome = function.invoke(&payload);
        let written = outcome.writes.len();

        assert_answered(&payload, &outcome);
        if payload["RequestType"] == "Delete" && payload.get("ResponseURL").is_some() {
            // Disabling the deletion protection of a pool is an update.
            let creates = |write: &&'static str| {
                !write.starts_with("delete_") && !write.starts_with("detach_") && **write != *"update_user_pool"
            };
            assert!(!outcome.writes.iter().any(creates), "{payload} made {:?}", outcome.writes);
        }
        if payload["action"] == "plan" && payload.get("ResponseURL").is_none() {
            assert_eq!(written, 0, "{payload} made {:?}", outcome.writes);
        }
        let names_foreign = body.windows(subject::FOREIGN.len()).any(|window| window == subject::FOREIGN.as_bytes());
        assert!(names_foreign || function.foreign_resources() == foreign, "{payload} changed the foreign pool");
        // The reply names an unknown field, even if the name is a copy of the URL.
        let is_secret = |url: &&str| {
            url.starts_with("https://") && url.len() > 16 && payload.to_string().matches(*url).count() == 1
        };
        if let Some(url) = payload["ResponseURL"].as_str().filter(is_secret) {
            let texts = [logs.text(), outcome.error_text(), outcome.reply.to_string()];
            assert!(!texts.iter().any(|text| text.contains(url)), "{payload} showed the URL of its reply: {texts:?}");
        }
        if outcome.has_applied(&payload) {
            let again = function.invoke(&payload);
            assert!(again.has_applied(&payload) && again.writes.is_empty(), "{payload} again made {:?}", again.writes);
        }
    }
}

/// A custom-resource request receives exactly one reply if it has a URL, and a direct invocation none.
fn assert_answered(payload: &Value, outcome: &subject::Outcome) {
    let is_custom_resource = payload.get("ResponseURL").is_some();
    let ids = ["StackId", "RequestId", "LogicalResourceId"].map(|name| payload[name].as_str());
    let length: usize = ids.iter().flatten().map(|id| id.len()).sum();
    let is_addressed = payload["ResponseURL"].is_string() && ids.iter().all(Option::is_some);
    if is_custom_resource && is_addressed {
        assert_eq!(outcome.urls, [payload["ResponseURL"].as_str().unwrap_or_default()], "{payload}");
        let reply = &outcome.reply;
        for name in ["StackId", "RequestId", "LogicalResourceId"] {
            assert_eq!(reply[name], payload[name], "{payload} got {reply}");
        }
        assert!(reply["Status"] == "SUCCESS" || reply["Status"] == "FAILED", "{payload} got {reply}");
        assert!(reply["PhysicalResourceId"].is_string(), "{payload} got {reply}");
        let id_length = payload["PhysicalResourceId"].as_str().map_or(0, str::len);
        let fits = outcome.reply_bytes <= MAX_REPLY_BYTES || length + id_length > MAX_REPLY_BYTES / 12;
        assert!(fits, "{payload} got {} bytes", outcome.reply_bytes);
        let has_failed = reply["Status"] == "FAILED";
        let lists_steps = reply["Reason"].as_str().is_some_and(|reason| reason.contains("Steps:"));
        assert!(
            !has_failed || lists_steps || outcome.writes.is_empty(),
            "{payload} got {reply}, and made {:?}",
            outcome.writes
        );
    } else {
        assert!(outcome.urls.is_empty(), "{payload} got a reply");
        if is_custom_resource {
            assert_eq!(outcome.error_type(), Some(INVALID), "{payload}");
        }
        if outcome.error_type() == Some(INVALID) {
            assert!(outcome.writes.is_empty(), "{payload} was not understood, and made {:?}", outcome.writes);
        }
    }
}
