//! Stores revocations in a DynamoDB table.
//!
//! | key | item |
//! |---|---|
//! | `pool#REPLICA` | the revocation of the user pool, in each replica |
//! | `client#CLIENT_ID#REPLICA` | the revocation of an app client, in each replica |
//! | `user#SUB` | the revocation of a user |
//! | `session#ORIGIN_JTI` | the revocation of a session |

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::revocation::{Revocation, Revocations, RevocationsUnavailable, Scope, Stored, expiry};
use futures::future::join_all;
use thiserror::Error;

use crate::failure::{Failure, Kind};

/// The number of items with the revocation of the pool, and of each app client. Every check reads one of them. DynamoDB
/// serves 3,000 strongly consistent reads per second of one item
/// ([AWS](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html)), so that 16
/// items serve 48,000 checks per second.
///
/// Never change this number: checks would read items without the earlier revocations.
const REPLICAS: u8 = 16;

const KEY: &str = "scope";
const SIGNED_IN_UNTIL: &str = "signed_in_until";
const ISSUED_UNTIL: &str = "issued_until";
/// The attribute for the table's time to live. DynamoDB can delete an item days after its expiry, so no check reads it.
const EXPIRES_AT: &str = "expires_at";

const READ_OPERATION: &str = "BatchGetItem";
const WRITE_OPERATION: &str = "UpdateItem";

/// The revocations in one table.
#[derive(Debug, Clone)]
pub struct RevocationTable {
    client: Client,
    name: String,
}

/// The response of DynamoDB does not tell whether a token is revoked.
#[derive(Debug, Error)]
enum UnusableResponse {
    /// DynamoDB lists the table and the unprocessed keys, even if there are none
    /// ([AWS](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html)).
    #[error("the response is incomplete")]
    Incomplete,
    #[error("the item `{0}` is not a revocation")]
    Item(String),
    #[error("the request has no key")]
    NoKey,
}

impl RevocationTable {
    pub(crate) fn new(client: Client, name: &str) -> Self {
        Self { client, name: name.to_owned() }
    }

    async fn write(&self, key: String, field: &str, second: u64, expiry: u64) -> Result<(), RevocationsUnavailable> {
        let written = self
            .client
            .update_item()
            .table_name(&self.name)
            .key(KEY, AttributeValue::S(key))
            .update_expression("SET #field = :second, #expiry = :expiry")
            // A later revocation, which denies more, remains.
            .condition_expression("attribute_not_exists(#field) OR #field < :second")
            .expression_attribute_names("#field", field)
            .expression_attribute_names("#expiry", EXPIRES_AT)
            .expression_attribute_values(":second", number(second))
            .expression_attribute_values(":expiry", number(expiry))
            .send()
            .await
            .map_err(|error| Failure::of(WRITE_OPERATION, &error));
        match written {
            Err(Failure { kind: Kind::Service { code, .. }, .. }) if code == "ConditionalCheckFailedException" => {
                Ok(())
            }
            written => written.map(|_| ()).map_err(|failure| unavailable(WRITE_OPERATION, failure)),
        }
    }
}

#[async_trait]
impl Revocations for RevocationTable {
    async fn revocations(&self, scopes: &[Scope]) -> Result<Stored, RevocationsUnavailable> {
        let replica = rand::random_range(0..REPLICAS);
        let mut scopes: HashMap<String, Scope> =
            scopes.iter().map(|scope| (key(scope, replica), scope.clone())).collect();
        let keys = scopes.keys().map(|key| HashMap::from([(KEY.to_owned(), AttributeValue::S(key.clone()))]));
        let request = KeysAndAttributes::builder().set_keys(Some(keys.collect())).consistent_read(true).build();
        let request = request.map_err(|_| unavailable(READ_OPERATION, UnusableResponse::NoKey))?;
        let response = self.client.batch_get_item().request_items(&self.name, request).send().await;
        let response = response.map_err(|error| unavailable(READ_OPERATION, Failure::of(READ_OPERATION, &error)))?;
        let is_complete = response.unprocessed_keys.is_some_and(|keys| keys.is_empty());
        let items = response.responses.unwrap_or_default().remove(&self.name).filter(|_| is_complete);
        let items = items.ok_or_else(|| unavailable(READ_OPERATION, UnusableResponse::Incomplete))?;
        let revocation = |item: HashMap<String, AttributeValue>| {
            let key = item.get(KEY).and_then(|key| key.as_s().ok()).cloned().unwrap_or_default();
            let scope = scopes.remove(&key);
            scope.zip(revocation(&item)).ok_or_else(|| unavailable(READ_OPERATION, UnusableResponse::Item(key)))
        };
        items.into_iter().map(revocation).collect()
    }

    async fn revoke(&self, scope: &Scope, revocation: Revocation, now: u64) -> Result<(), RevocationsUnavailable> {
        let fields = [(SIGNED_IN_UNTIL, revocation.signed_in_until), (ISSUED_UNTIL, revocation.issued_until)];
        for (field, second) in fields.into_iter().filter_map(|(field, second)| Some((field, second?))) {
            let replicas = match scope {
                Scope::Pool | Scope::Client(_) => REPLICAS,
                Scope::User(_) | Scope::Session(_) => 1,
            };
            // A failed write must not cancel the others.
            let writes = (0..replicas).map(|replica| self.write(key(scope, replica), field, second, expiry(now)));
            join_all(writes).await.into_iter().collect::<Result<(), _>>()?;
        }
        Ok(())
    }
}

fn key(scope: &Scope, replica: u8) -> String {
    match scope {
        Scope::Pool => format!("pool#{replica}"),
        Scope::Client(id) => format!("client#{id}#{replica}"),
        Scope::User(sub) => format!("user#{sub}"),
        Scope::Session(id) => format!("session#{id}"),
    }
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// Reads an item. Returns `None` if the item denies no token, which Poolkeeper never writes.
fn revocation(item: &HashMap<String, AttributeValue>) -> Option<Revocation> {
    let second = |field| {
        item.get(field).map(|value| value.as_n().ok()?.parse().ok()).map_or(Some(None), |second| second.map(Some))
    };
    let revocation = Revocation { signed_in_until: second(SIGNED_IN_UNTIL)?, issued_until: second(ISSUED_UNTIL)? };
    (revocation != Revocation::default()).then_some(revocation)
}

fn unavailable(
    operation: &'static str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> RevocationsUnavailable {
    RevocationsUnavailable { operation, source: Box::new(source) }
}
