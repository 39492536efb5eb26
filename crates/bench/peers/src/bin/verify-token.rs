//! Verifies the token of each event 100 times with Poolkeeper's library, so that the Runtime API takes little of the
//! time.

use std::env;
use std::hint::black_box;
use std::time::SystemTime;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use token_verifier::{KeySet, Policy, TokenUse};

const TIMES: usize = 100;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "a peer has no settings to test")]
async fn main() -> Result<(), Error> {
    let keys = KeySet::parse(env::var("JWKS")?.as_bytes())?;
    let policy = Policy {
        issuer: env::var("ISSUER")?,
        clients: [env::var("CLIENT_IDS")?].into(),
        token_uses: [TokenUse::Access].into(),
        ..Policy::default()
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| authorize(&policy, &keys, &event.payload))).await
}

fn authorize(policy: &Policy, keys: &KeySet, event: &Value) -> Result<Value, Error> {
    let header = event["headers"]["authorization"].as_str().ok_or("no header")?;
    let token = header.strip_prefix("Bearer ").ok_or("no bearer token")?;
    for _ in 0..TIMES {
        black_box(policy.verify(black_box(token), keys, SystemTime::now())?);
    }
    Ok(json!({"isAuthorized": true}))
}
