//! Peer of authorizer on `lambda_runtime` and the SDK: reads the same number of items, and accepts every token without
//! verifying it.

use std::collections::HashMap;
use std::env;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

const SCOPES: [&str; 4] = ["pool#0", "client#1example23456789#0", "user#1", "session#1"];

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "a peer has no settings to test")]
async fn main() -> Result<(), Error> {
    let client = Client::new(&peers::sdk_config().await?);
    let table = env::var("REVOCATION_TABLE")?;
    lambda_runtime::run(service_fn(|_: LambdaEvent<Value>| authorize(&client, &table))).await
}

async fn authorize(client: &Client, table: &str) -> Result<Value, Error> {
    let keys = SCOPES.map(|scope| HashMap::from([("scope".to_owned(), AttributeValue::S(scope.to_owned()))]));
    let keys = KeysAndAttributes::builder().set_keys(Some(keys.into())).consistent_read(true).build()?;
    let answer = client.batch_get_item().request_items(table, keys).send().await?;
    let items = answer.responses.and_then(|mut tables| tables.remove(table)).unwrap_or_default();
    Ok(json!({"isAuthorized": items.is_empty()}))
}
