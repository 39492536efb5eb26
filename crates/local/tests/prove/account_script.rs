//! Tests `account.py` with fake responses that no emulator returns.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// Answers the requests of every client from a table, without waiting between them. Python imports it at startup.
const ANSWERS: &str = r#"
import json, time
from pathlib import Path
from types import SimpleNamespace
import boto3
TABLE = json.loads((Path(__file__).parent / "answers").read_text())
create = boto3.Session.client

def client(session, service):
    created = create(session, service)
    created.meta.events.register("before-call", answer)
    return created

def answer(model, **_):
    answers = TABLE[model.name]
    return SimpleNamespace(status_code=200), answers.pop(0) if len(answers) > 1 else answers[0]

boto3.Session.client = client
time.sleep = lambda _: None
"#;

const STACK: &str = "arn:aws:cloudformation:eu-west-1:123456789012:stack/prove-abcd2345/51af3dc0";

/// Runs `account.py delete` with these consecutive responses for the stack's status and events.
fn delete(statuses: &[&str], events: &[&[&str]]) -> Value {
    let stack = |status: &&str| json!({"Stacks": [{"StackName": "x", "StackId": STACK, "StackStatus": status}]});
    let event = |reason: &&str| json!({"EventId": reason, "LogicalResourceId": "UserPool", "ResourceStatus": "DELETE_FAILED", "ResourceStatusReason": reason});
    let boundary = json!({
        "PolicyName": "prove-abcd2345-AuthenticatedBoundary-1",
        "Arn": "arn:aws:iam::123456789012:policy/prove-abcd2345-AuthenticatedBoundary-1"
    });
    let answers = json!({
        "DescribeStacks": statuses.iter().map(stack).collect::<Vec<_>>(),
        "DescribeStackEvents": events.iter().map(|page| json!({"StackEvents": page.iter().map(event).collect::<Vec<_>>()})).collect::<Vec<_>>(),
        "DeleteStack": [{}],
        "ListPolicies": [{"Policies": [boundary], "IsTruncated": false}],
        "DeletePolicy": [{}],
    });
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sitecustomize.py"), ANSWERS).unwrap();
    std::fs::write(folder.path().join("answers"), answers.to_string()).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = root.join("src/prove/account.py");
    let mut python = Command::new(root.join("../../.venv/bin/python"));
    python.arg("-B").arg(script).args(["delete", "prove-abcd2345"]).env("PYTHONPATH", folder.path());
    python.env("AWS_DEFAULT_REGION", "eu-west-1").env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "x");
    let output = python.env_remove("AWS_PROFILE").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn deletes_a_stack_whose_earlier_deletion_failed() {
    let deleted = json!({"existed": true, "failed": []});
    let (failed, complete) = ("DELETE_FAILED", "DELETE_COMPLETE");
    assert_eq!(delete(&[failed, "DELETE_IN_PROGRESS", complete], &[&["earlier"]]), deleted);
    assert_eq!(delete(&[failed, failed, complete], &[&["earlier"]]), deleted, "the first status is the earlier one");
    assert_eq!(delete(&["CREATE_FAILED", complete], &[&[]]), deleted);
}

#[test]
fn reports_the_failures_of_this_deletion_only() {
    let (failed, in_progress) = ("DELETE_FAILED", "DELETE_IN_PROGRESS");
    let reported = delete(&[failed, in_progress, failed], &[&["earlier"], &["earlier"], &["protected", "earlier"]]);
    assert_eq!(reported, json!({"existed": true, "failed": ["UserPool: protected"]}));
}
