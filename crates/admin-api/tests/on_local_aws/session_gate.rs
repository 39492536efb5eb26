//! A sign-out with the session gate while one of its calls fails.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::revocation::{Revocations as _, Scope};
use futures::future::join_all;
use lambda_http::Context;
use serde_json::json;
use testkit::fault_proxy::{Fault, FaultProxy};

use crate::harness::{Answer, Api, ENDLESS, Harness};

const TABLE: &str = "shop-revocations";

/// The operations that write a revocation and end the sessions in Cognito.
const WRITE: &str = "UpdateItem";
const SIGN_OUT: &str = "AdminUserGlobalSignOut";

/// The timeout of the SDK for a call, which ends a stall.
const TIMEOUT: Duration = Duration::from_secs(1);

/// More requests than the SDK sends for a call, including those that its connection pool repeats.
const ATTEMPTS: usize = 10;

/// The number of sign-outs that run at the same time.
const CONCURRENT: usize = 8;

/// A fault of consecutive calls of an operation.
#[derive(Debug, Clone)]
struct Plan {
    fault: Fault,
    operation: String,
    first: usize,
    count: usize,
}

/// A user and the proxy through which the user is signed out.
struct SignOut<'a> {
    harness: &'a Harness,
    proxy: FaultProxy,
    username: String,
    sub: String,
}

impl<'a> SignOut<'a> {
    async fn with_new_user(harness: &'a Harness, api: &Api, username: String) -> Self {
        let user = json!({"username": username, "welcome_message": "suppress"});
        let created = api.call("POST", "/v1/users", Some(&user)).await;
        assert_eq!(created.status, 201, "{created:?}");
        let sub = created.body["sub"].as_str().unwrap().to_owned();
        let proxy = FaultProxy::start(harness.local_aws.endpoint_url()).await.unwrap();
        Self { harness, proxy, username, sub }
    }

    async fn send(&self, timeout: Duration) -> Answer {
        let api = self.harness.gated_api_behind(&self.proxy, TABLE, timeout).await;
        let path = format!("/v1/users/{}/sign-out", self.username);
        api.call_with("POST", &path, None, json!({}), Context::default()).await
    }

    /// The operations of the sign-out, each with the number of its calls.
    fn operations(&self) -> BTreeMap<String, usize> {
        let mut operations = BTreeMap::new();
        for call in self.proxy.calls() {
            *operations.entry(call.operation).or_default() += 1;
        }
        operations
    }

    async fn is_revoked(&self) -> bool {
        let table = self.harness.revocation_table(TABLE).await;
        let scope = Scope::User(self.sub.clone());
        table.revocations(std::slice::from_ref(&scope)).await.unwrap().contains_key(&scope)
    }

    /// Signs the user out with faults. Returns the number of successes.
    async fn check(&self, plan: &Plan) -> usize {
        for nth in plan.first..plan.first + plan.count {
            self.proxy.plan(&plan.operation, nth, plan.fault);
        }
        let stalls = matches!(plan.fault, Fault::Stalled | Fault::StalledAfterSuccess | Fault::StalledBody);
        let answer = self.send(if stalls { TIMEOUT } else { ENDLESS }).await;
        let calls = self.proxy.calls();
        let text = || format!("{plan:?}: {answer:?} after {calls:?}");
        // With the timeout, a slow call can end the request before.
        let of_plan = calls.iter().filter(|call| call.operation == plan.operation);
        assert!(stalls || of_plan.count() >= plan.first, "{}", text());
        let reached_cognito = calls.iter().any(|call| call.operation == SIGN_OUT);
        assert!(!reached_cognito && answer.status >= 400 || self.is_revoked().await, "{}", text());
        if answer.status == 200 {
            assert!(plan.count == 1, "{}", text());
            return 1;
        }
        let (completed, failed) = (&answer.body["completed"], answer.body["failed"].as_str());
        let steps = match failed {
            Some("sign-out") => json!(["revoke-tokens"]),
            Some("revoke-tokens") if reached_cognito => json!(["revoke-tokens", "sign-out"]),
            _ => json!([]),
        };
        assert!(*completed == steps || completed.is_null() && !reached_cognito, "{}", text());
        0
    }
}

#[tokio::test]
async fn sign_out_never_succeeds_without_its_revocation() {
    let harness = Harness::start().await;
    harness.local_aws.create_revocation_table(TABLE).await.unwrap();
    let api = harness.api().await;
    let undisturbed = SignOut::with_new_user(&harness, &api, "undisturbed".to_owned()).await;
    let answer = undisturbed.send(ENDLESS).await;
    assert_eq!((answer.status, undisturbed.is_revoked().await), (200, true), "{answer:?}");
    let operations = undisturbed.operations();
    let expected = [("BatchGetItem", 1), (WRITE, 2), (SIGN_OUT, 1)];
    assert_eq!(expected.map(|(name, _)| (name, operations[name])), expected);

    let mut plans = Vec::new();
    for (operation, calls) in operations {
        // The successful responses of these operations have no fields.
        let has_fields = operation != WRITE && operation != SIGN_OUT;
        for fault in Fault::ALL.into_iter().filter(|fault| !fault.kills() && (has_fields || *fault != Fault::NoFields))
        {
            let plan = |first, count| Plan { fault, operation: operation.clone(), first, count };
            plans.extend((1..=calls).flat_map(|call| [plan(call, 1), plan(call, ATTEMPTS)]));
        }
    }
    let mut succeeded = 0;
    for (chunk, plans) in plans.chunks(CONCURRENT).enumerate() {
        let outcomes = join_all(plans.iter().enumerate().map(async |(number, plan)| {
            SignOut::with_new_user(&harness, &api, format!("user-{chunk}-{number}")).await.check(plan).await
        }));
        succeeded += outcomes.await.into_iter().sum::<usize>();
    }
    assert!(succeeded > 0 && succeeded <= plans.len() / 2, "{succeeded} of {}", plans.len());
}
