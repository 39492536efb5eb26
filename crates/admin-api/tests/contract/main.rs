//! Tests that the API conforms to `docs/openapi.json`. Schemathesis generates valid and invalid requests and checks the
//! responses.
//!
//! `make test` sends the same few thousand requests each time. `make contract EXAMPLES=500` sends more and different
//! requests.
#![expect(clippy::unwrap_used, reason = "tests")]

mod api;
mod event;
mod schemathesis;
mod server;

use serde_json::{Value, json};

use schemathesis::{Effort, Report};
use server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn api_conforms_to_its_openapi_document() {
    let server = Server::start().await;
    let Report { is_success, output } = schemathesis::run(server.address, Effort::from_env(), &[]).await;
    println!("{output}\n{} requests", server.served());
    assert!(is_success, "Schemathesis found a failure, see above");
}

/// A deviation from the document, and the text with which every version of Schemathesis reports it.
struct Break {
    operation: &'static str,
    status: u16,
    is_found_as: &'static str,
    tamper: fn(&mut Value),
}

/// One deviation per operation, so that each is detected separately.
const BREAKS: [Break; 8] = [
    Break {
        operation: "GET /v1/me",
        status: 401,
        is_found_as: "API accepts requests without authentication",
        tamper: |answer| {
            let me = json!({"kind": "user", "username": "root", "sub": "", "groups": [], "permissions": []});
            replace(answer, 200, "application/json", &me.to_string());
        },
    },
    Break {
        operation: "GET /v1/users",
        status: 200,
        is_found_as: "Undocumented Content-Type",
        tamper: |answer| answer["headers"]["content-type"] = json!("text/html"),
    },
    Break {
        operation: "GET /v1/users/{username}",
        status: 200,
        is_found_as: "Response violates schema",
        tamper: |answer| {
            let body = answer["body"].as_str().unwrap().replace(r#""enabled":true"#, r#""enabled":"yes""#);
            answer["body"] = json!(body);
        },
    },
    Break {
        operation: "PATCH /v1/users/{username}",
        status: 204,
        is_found_as: "Received: 202",
        tamper: |answer| answer["statusCode"] = json!(202),
    },
    Break {
        operation: "DELETE /v1/users/{username}",
        status: 204,
        is_found_as: "Valid data should have been accepted",
        tamper: |answer| {
            let problem = json!({
                "type": "urn:poolkeeper:problem:invalid-request", "title": "The request is not valid.", "status": 400,
                "code": "invalid-request", "detail": "The request is not valid.", "request_id": "request-1"
            });
            replace(answer, 400, "application/problem+json", &problem.to_string());
        },
    },
    Break {
        operation: "PUT /v1/users/{username}/password",
        status: 400,
        is_found_as: "Invalid data should have been rejected",
        tamper: |answer| *answer = json!({"statusCode": 204, "headers": {}}),
    },
    Break {
        operation: "POST /v1/users",
        status: 201,
        is_found_as: "Server error",
        tamper: |answer| answer["statusCode"] = json!(500),
    },
    Break {
        operation: "POST /v1/auth/sign-in",
        status: 405,
        is_found_as: "expected 405 Method Not Allowed",
        tamper: |answer| answer["statusCode"] = json!(404),
    },
];

fn replace(answer: &mut Value, status: u16, content_type: &str, body: &str) {
    *answer = json!({"statusCode": status, "headers": {"content-type": content_type}, "body": body});
}

/// Whether an event is for the operation of the deviation. An event with an undocumented method counts for every
/// operation of its path.
fn is_for(event: &Value, broken: &Break) -> bool {
    let (method, path) = broken.operation.split_once(' ').unwrap();
    let sent = event["rawPath"].as_str().unwrap();
    let fits = match path.split_once("{username}") {
        Some((before, after)) => {
            let name = sent.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
        }
        None => sent == path,
    };
    fits && (broken.status == 405 || event["requestContext"]["http"]["method"] == method)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_deviation_is_found() {
    let server = Server::start_tampered(|event, answer| {
        let broken = BREAKS.iter().find(|broken| is_for(event, broken) && answer["statusCode"] == broken.status);
        if let Some(broken) = broken {
            (broken.tamper)(answer);
        }
    })
    .await;
    let operations = BREAKS.map(|broken| broken.operation);
    let Report { is_success, output } = schemathesis::run(server.address, Effort::least(), &operations).await;
    assert!(!is_success, "{output}");
    for Break { operation, is_found_as, .. } in BREAKS {
        // The report has a section for each method and path, including undocumented methods.
        let path = operation.split_once(' ').unwrap().1;
        let mut parts =
            output.split("\n__").filter(|part| part.lines().next().unwrap().contains(&format!(" {path} _")));
        assert!(parts.any(|part| part.contains(is_found_as)), "{operation}: {is_found_as}\n{output}");
    }
}
