//! Asserts that the OpenAPI document contains the status and the code of every response in a test.

use std::sync::LazyLock;

use serde_json::Value;

use super::{Answer, Call};

static DOCUMENT: LazyLock<Value> = LazyLock::new(crate::openapi::value);

/// The codes of requests without an operation.
const WITHOUT_OPERATION: [&str; 2] = ["not-found", "method-not-allowed"];

pub(super) fn assert_is_documented(call: &Call, answer: &Answer) {
    if WITHOUT_OPERATION.contains(&answer.code()) {
        return;
    }
    let path = call.path.split('?').next().unwrap();
    let (_, item) =
        DOCUMENT["paths"].as_object().unwrap().iter().find(|(template, _)| matches_template(template, path)).unwrap();
    let operation = &item[call.method.to_lowercase()];
    let response = &operation["responses"][answer.status.to_string()];
    let response = response["$ref"].as_str().map_or(response, |reference| DOCUMENT.pointer(&reference[1..]).unwrap());
    assert!(response.is_object(), "{} {path}: {} is not documented: {:?}", call.method, answer.status, answer.body);
    if answer.status >= 400 {
        let examples = response["content"]["application/problem+json"]["examples"].as_object().unwrap();
        assert!(examples.contains_key(answer.code()), "{} {path}: {} is not documented", call.method, answer.code());
    }
}

/// Whether a path matches the template. A placeholder matches one segment.
fn matches_template(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(path).all(|(expected, found)| expected.starts_with('{') || *expected == found)
}
