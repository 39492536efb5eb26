//! Peer of pre-sign-up on `lambda_runtime` and `serde_json`: confirms every user, without a policy.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "local")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(confirm)).await
}

async fn confirm(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let mut event = event.payload;
    event["response"]["autoConfirmUser"] = true.into();
    Ok(event)
}
