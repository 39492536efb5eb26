//! If a step of a creation fails after Cognito performed it, the response names the step, and a repeated request
//! completes the user.

use futures::future::join_all;
use serde_json::{Value, json};
use testkit::fault_proxy::{Fault, FaultProxy};

use super::{ATTEMPTS, ENDLESS, PASSWORD, invocation, is_hit, run_until_deadline};
use crate::harness::{Answer, Api, Harness};

/// An operation of the creation, the steps before it, and its step, if it can fail after other steps.
type Step = (&'static str, &'static [&'static str], Option<&'static str>);

const STEPS: [Step; 4] = [
    ("AdminCreateUser", &[], None),
    ("AdminSetUserPassword", &["create-user"], Some("set-password")),
    ("AdminAddUserToGroup", &["create-user", "set-password"], Some("add-to-group:support")),
    ("AdminGetUser", &["create-user", "set-password", "add-to-group:support"], Some("read-user")),
];

/// The creation of one user, with its own proxy.
struct Creation {
    step: Step,
    fault: Fault,
    proxy: FaultProxy,
    api: Api,
}

impl Creation {
    async fn of(harness: &Harness, step: Step, fault: Fault) -> Self {
        let proxy = FaultProxy::start(harness.local_aws.endpoint_url()).await.unwrap();
        (1..=ATTEMPTS).for_each(|nth| proxy.plan(step.0, nth, fault));
        let api = harness.api_behind(&proxy, ENDLESS).await;
        Self { step, fault, proxy, api }
    }

    fn username(&self) -> String {
        format!("{:?}-{}", self.fault, self.step.0)
    }

    async fn send(&self) -> Answer {
        let username = self.username();
        let headers = json!({"idempotency-key": format!("key-of-{username}")});
        let body = json!({"username": username, "password": PASSWORD, "permanent": true, "groups": ["support"]});
        self.api.call_with("POST", "/v1/users", Some(&body), headers, invocation()).await
    }

    /// Asserts that `first` reports the step, and that a repeated request completes the user.
    async fn assert_repeatable(&self, first: &Answer) {
        let (_, completed, failed) = self.step;
        let place = format!("{}: {first:?}", self.username());
        let code = match self.fault {
            Fault::StalledAfterSuccess => "deadline-exceeded",
            _ => "upstream-unavailable",
        };
        let completed = if completed.is_empty() { Value::Null } else { json!(completed) };
        assert_eq!(
            (first.code(), &first.body["completed"], &first.body["failed"]),
            (code, &completed, &json!(failed)),
            "{place}"
        );
        assert!(first.body["detail"].as_str().unwrap().contains("may have taken effect"), "{place}");

        self.proxy.reset();
        let second = self.send().await;
        assert_eq!((second.status, &second.body["status"]), (200, &json!("CONFIRMED")), "{place}: {second:?}");
        let user = self.api.call("GET", &format!("/v1/users/{}?include=groups", self.username()), None).await;
        assert_eq!(user.body["groups"], json!(["support"]), "{place}: {user:?}");
    }
}

#[tokio::test]
async fn repeated_creation_completes_after_a_lost_response() {
    let harness = Harness::start().await;
    for fault in [Fault::AnswerLost, Fault::FailedAfterSuccess, Fault::StalledAfterSuccess] {
        let mut creations = Vec::new();
        for step in STEPS {
            creations.push(Creation::of(&harness, step, fault).await);
        }
        let requests = join_all(creations.iter().map(Creation::send));
        let answers = match fault {
            Fault::StalledAfterSuccess => {
                run_until_deadline(requests, || creations.iter().all(|creation| is_hit(&creation.proxy))).await
            }
            _ => requests.await,
        };
        for (creation, first) in creations.iter().zip(&answers) {
            creation.assert_repeatable(first).await;
        }
    }
}
