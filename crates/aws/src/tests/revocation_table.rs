//! Tests the requests to the table of revocations, and that only a complete response is used.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::error_chain::causes;
use domain::revocation::{Revocation, Revocations, Scope, Stored};
use serde_json::{Value, json};

use super::fake_aws::{FakeAws, offline_aws};
use super::response;
use crate::RevocationTable;

const TABLE: &str = "shop-revocations";
const NOW: u64 = 1_800_000_000;

async fn table(fake: &FakeAws) -> RevocationTable {
    offline_aws().await.with_http_client(fake.clone()).revocation_table(TABLE)
}

fn scopes() -> [Scope; 4] {
    [Scope::Pool, Scope::Client("web".to_owned()), Scope::User("mia".to_owned()), Scope::Session("s-1".to_owned())]
}

/// Returns DynamoDB's response with these items.
fn found(items: &Value) -> FakeAws {
    FakeAws::answering([("BatchGetItem", json!({"Responses": {TABLE: items}, "UnprocessedKeys": {}}))])
}

/// Reads the revocations of the user `mia` from this response.
async fn read(fake: &FakeAws) -> Result<Stored, String> {
    let scopes = [Scope::User("mia".to_owned())];
    table(fake).await.revocations(&scopes).await.map_err(|error| causes(&error))
}

#[tokio::test]
async fn reads_all_scopes_in_one_strongly_consistent_request() {
    let fake = found(&json!([]));
    assert_eq!(table(&fake).await.revocations(&scopes()).await.unwrap(), HashMap::new());
    assert_eq!(fake.calls("BatchGetItem"), 1);
    let request = &fake.sent("BatchGetItem")["RequestItems"][TABLE];
    assert_eq!(request["ConsistentRead"], json!(true));
    let keys = request["Keys"].as_array().unwrap().iter().map(|key| key["scope"]["S"].as_str().unwrap());
    let keys: BTreeSet<&str> = keys.collect();
    let replica = keys.iter().find_map(|key| key.strip_prefix("pool#")).unwrap();
    let expected = ["user#mia", "session#s-1", &format!("pool#{replica}"), &format!("client#web#{replica}")];
    assert_eq!(keys, expected.into());
}

#[tokio::test]
async fn reads_both_times_of_an_item() {
    for (item, expected) in [
        (json!({"signed_in_until": {"N": "17"}}), Revocation::of_sign_ins_until(17)),
        (json!({"issued_until": {"N": "18"}, "expires_at": {"N": "19"}}), Revocation::of_tokens_until(18)),
        (json!({"signed_in_until": {"N": u64::MAX.to_string()}}), Revocation::ALL),
    ] {
        let mut item = item;
        item["scope"] = json!({"S": "user#mia"});
        assert_eq!(read(&found(&json!([item]))).await, Ok([(Scope::User("mia".to_owned()), expected)].into()));
    }
}

#[tokio::test]
async fn rejects_unusable_responses() {
    let item = |item: Value| json!({"Responses": {TABLE: [item]}, "UnprocessedKeys": {}});
    let unprocessed = json!({TABLE: {"Keys": [{"scope": {"S": "user#mia"}}]}});
    for response in [
        json!({}),
        json!({"Responses": {}, "UnprocessedKeys": {}}),
        json!({"Responses": {"other": []}, "UnprocessedKeys": {}}),
        json!({"Responses": {TABLE: []}}),
        json!({"Responses": {TABLE: []}, "UnprocessedKeys": unprocessed}),
        item(json!({"scope": {"S": "user#mia"}})),
        item(json!({"scope": {"S": "user#mia"}, "signed_in_until": {"N": "soon"}})),
        item(json!({"scope": {"S": "user#mia"}, "signed_in_until": {"S": "17"}})),
        item(json!({"scope": {"S": "user#mia"}, "signed_in_until": {"N": "17"}, "issued_until": {"N": "-1"}})),
        item(json!({"scope": {"S": "user#tim"}, "signed_in_until": {"N": "17"}})),
        item(json!({"signed_in_until": {"N": "17"}})),
    ] {
        let result = read(&FakeAws::answering([("BatchGetItem", response.clone())])).await;
        assert!(result.is_err(), "{response}: {result:?}");
    }
}

#[tokio::test]
async fn reports_errors_of_dynamodb() {
    for code in [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "ResourceNotFoundException",
        "AccessDeniedException",
        "InternalServerError",
        "ValidationException",
    ] {
        let error = read(&FakeAws::rejecting("BatchGetItem", code, "")).await.unwrap_err();
        assert!(error.starts_with("BatchGetItem: the revocations are unavailable") && error.contains(code), "{error}");
        let table = table(&FakeAws::rejecting("UpdateItem", code, "")).await;
        let error = table.revoke(&Scope::Pool, Revocation::ALL, NOW).await.unwrap_err();
        assert!(causes(&error).contains(code), "{error:?}");
    }
}

#[tokio::test]
async fn writes_only_later_times() {
    let fake = FakeAws::answering([]);
    let scope = Scope::User("mia".to_owned());
    table(&fake).await.revoke(&scope, Revocation::of_sign_ins_until(17), NOW).await.unwrap();
    let expected = json!({
        "TableName": TABLE,
        "Key": {"scope": {"S": "user#mia"}},
        "UpdateExpression": "SET #field = :second, #expiry = :expiry",
        "ConditionExpression": "attribute_not_exists(#field) OR #field < :second",
        "ExpressionAttributeNames": {"#field": "signed_in_until", "#expiry": "expires_at"},
        "ExpressionAttributeValues": {":second": {"N": "17"}, ":expiry": {"N": (NOW + 3_651 * 86_400).to_string()}},
    });
    assert_eq!(fake.sent("UpdateItem"), expected);
    let later = FakeAws::rejecting("UpdateItem", "ConditionalCheckFailedException", "The conditional request failed");
    table(&later).await.revoke(&scope, Revocation::of_sign_ins_until(17), NOW).await.unwrap();
}

#[tokio::test]
async fn writes_every_replica_and_every_time() {
    let both = Revocation::of_sign_ins_until(17).and(Revocation::of_tokens_until(18));
    for (scope, revocation, writes) in [
        (Scope::Pool, Revocation::ALL, 16),
        (Scope::Client("web".to_owned()), Revocation::ALL, 16),
        (Scope::User("mia".to_owned()), both, 2),
        (Scope::Session("s-1".to_owned()), Revocation::ALL, 1),
    ] {
        let fake = FakeAws::answering([]);
        table(&fake).await.revoke(&scope, revocation, NOW).await.unwrap();
        assert_eq!(fake.calls("UpdateItem"), writes, "{scope:?}");
    }
}

#[tokio::test]
async fn failed_replica_does_not_cancel_the_others() {
    let calls = AtomicUsize::new(0);
    let fake = FakeAws::new(move |_| {
        let is_first = calls.fetch_add(1, Ordering::Relaxed) == 0;
        let rejection = json!({"__type": "ResourceNotFoundException", "message": ""});
        Ok(if is_first { response(400, rejection.to_string()) } else { response(200, "{}".to_owned()) })
    });
    assert!(table(&fake).await.revoke(&Scope::Pool, Revocation::ALL, NOW).await.is_err());
    assert_eq!(fake.calls("UpdateItem"), 16);
}
