//! Tests the authorizer with a table on the emulator: two instances during a sign-out, and faults of DynamoDB.

#![expect(clippy::unwrap_used, reason = "tests")]

#[expect(dead_code, reason = "shared with the tests of token-verifier")]
#[path = "../../token-verifier/tests/verification/pool.rs"]
mod pool;

use std::cell::Cell;
use std::sync::Arc;

use authorizer::{Authorizer, Failure, TokenSource};
use aws::{Aws, RevocationTable};
use domain::revocation::{Revocation, Revocations as _, Scope};
use futures::future::join_all;
use pool::{ISSUED_AT, POOL, SESSION, SUB, access_claims, at, id_claims, policy, with};
use serde_json::{Value, json};
use testkit::fault_proxy::{Fault, FaultProxy};
use testkit::local_aws::LocalAws;
use token_verifier::{KeyCache, KeySet, KeySetError, KeySource};

const TABLE: &str = "revocations";

/// More requests than the SDK sends for a call, including those that its connection pool repeats.
const ATTEMPTS: usize = 10;

/// A source whose requests fail.
struct Unreachable;

impl KeySource for Unreachable {
    type Error = KeySetError;

    async fn keys(&self) -> Result<KeySet, KeySetError> {
        Err(KeySetError::Malformed)
    }
}

async fn emulator() -> LocalAws {
    let aws = LocalAws::start(None).await.unwrap();
    aws.create_revocation_table(TABLE).await.unwrap();
    aws
}

/// A client with its own connections.
async fn table(endpoint_url: &str) -> RevocationTable {
    let aws = Box::pin(Aws::local(endpoint_url, LocalAws::REGION, LocalAws::ACCESS_KEY, LocalAws::SECRET_KEY)).await;
    aws.revocation_table(TABLE)
}

/// An instance of the function.
async fn instance(endpoint_url: &str) -> Authorizer<Unreachable> {
    let keys = KeyCache::new(Unreachable, POOL.keys());
    Authorizer::new(policy(), keys, Arc::new(table(endpoint_url).await), TokenSource::Authorization)
}

/// Decides a request with the token.
async fn decide(instance: &Authorizer<Unreachable>, token: &str) -> Result<bool, Failure> {
    let event =
        json!({"routeArn": "arn:aws:execute-api:eu-west-1:1:a/$default/GET/", "headers": {"authorization": token}});
    Ok(instance.handle(event, at(ISSUED_AT)).await?["isAuthorized"] == Value::Bool(true))
}

/// Whether the instance accepts a request with the token. An error is a response without access.
async fn accepts(instance: &Authorizer<Unreachable>, token: &str) -> bool {
    decide(instance, token).await.unwrap_or_default()
}

#[tokio::test]
async fn no_call_after_sign_out_passes_at_any_instance() {
    const CALLS: usize = 10_000;
    const CALLERS: usize = 8;
    let aws = emulator().await;
    let instances = [instance(aws.endpoint_url()).await, instance(aws.endpoint_url()).await];
    let tokens = [POOL.token(&access_claims()), POOL.token(&id_claims())];
    let other_session = POOL.token(&with(access_claims(), "origin_jti", json!("another session")));
    let writer = table(aws.endpoint_url()).await;

    let is_signed_out = Cell::new(false);
    let (accepted_before, accepted_after) = (Cell::new(0), Cell::new(0));
    let (all, after, undecided_after) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let add = |count: &Cell<usize>, number: usize| count.set(count.get() + number);
    let calls = (0..CALLERS).map(|caller| {
        let (instance, token) = (&instances[caller % 2], &tokens[caller / 2 % 2]);
        let (is_signed_out, accepted_before, accepted_after) = (&is_signed_out, &accepted_before, &accepted_after);
        let (all, after, undecided_after) = (&all, &after, &undecided_after);
        async move {
            while after.get() < CALLS && all.get() < 2 * CALLS {
                let starts_after = is_signed_out.get();
                let decision = decide(instance, token).await;
                add(all, 1);
                add(if starts_after { accepted_after } else { accepted_before }, usize::from(decision == Ok(true)));
                add(after, usize::from(starts_after));
                add(undecided_after, usize::from(starts_after && decision.is_err()));
            }
        }
    });
    let sign_out = async {
        while accepted_before.get() < 10 * CALLERS && all.get() < 2 * CALLS {
            tokio::task::yield_now().await;
        }
        writer.revoke(&Scope::Session(SESSION.to_owned()), Revocation::ALL, ISSUED_AT).await.unwrap();
        is_signed_out.set(true);
    };
    tokio::join!(join_all(calls), sign_out);
    assert!(after.get() >= CALLS && accepted_before.get() >= 10 * CALLERS, "{} calls", all.get());
    // A slow machine can exceed the time of some decisions.
    assert!(undecided_after.get() < CALLS / 10, "{} calls without a decision", undecided_after.get());
    assert_eq!(accepted_after.get(), 0, "of {} calls", after.get());
    for instance in &instances {
        assert!(accepts(instance, &other_session).await);
    }
}

#[tokio::test]
async fn accepts_no_token_if_dynamodb_fails() {
    let aws = emulator().await;
    let proxy = FaultProxy::start(aws.endpoint_url()).await.unwrap();
    let authorizer = instance(proxy.endpoint_url()).await;
    let token = POOL.token(&access_claims());
    for fault in Fault::ALL.into_iter().filter(|fault| !fault.kills()) {
        for attempt in 1..=ATTEMPTS {
            proxy.plan("BatchGetItem", attempt, fault);
        }
        assert!(!accepts(&authorizer, &token).await, "{fault:?}");
        proxy.reset();
        assert!(accepts(&authorizer, &token).await, "after {fault:?}");
    }
}

/// The user signs out in each round one second later.
#[tokio::test]
async fn no_revocation_succeeds_without_effect_if_dynamodb_fails() {
    let aws = emulator().await;
    let proxy = FaultProxy::start(aws.endpoint_url()).await.unwrap();
    let (writer, reader) = (table(proxy.endpoint_url()).await, table(aws.endpoint_url()).await);
    let scopes = [Scope::User(SUB.to_owned()), Scope::Pool];
    let (mut second, mut succeeded) = (0, 0);
    // A response without fields is DynamoDB's response to a successful write.
    for fault in Fault::ALL.into_iter().filter(|fault| !fault.kills() && *fault != Fault::NoFields) {
        for attempts in [1..=1, 1..=ATTEMPTS] {
            for scope in &scopes {
                second += 1;
                proxy.reset();
                // The replicas of the pool are written at the same time.
                let calls =
                    if *scope == Scope::Pool && *attempts.end() > 1 { 1..=16 * ATTEMPTS } else { attempts.clone() };
                for call in calls {
                    proxy.plan("UpdateItem", call, fault);
                }
                let revocation = Revocation::of_sign_ins_until(second);
                let written = writer.revoke(scope, revocation, ISSUED_AT).await;
                // Each read finds one of the replicas of the pool.
                for _ in 0..4 {
                    let stored = reader.revocations(std::slice::from_ref(scope)).await.unwrap();
                    let is_stored = stored.get(scope) == Some(&revocation);
                    assert!(is_stored || written.is_err(), "{fault:?} {attempts:?} {scope:?}");
                }
                succeeded += usize::from(written.is_ok());
            }
        }
    }
    assert!(succeeded > 0, "the SDK retries");
}
