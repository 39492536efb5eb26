//! Tests the settings of an app client, and the keys derived from its secret.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::secret::Secret;
use domain::user_pool::UserPool;
use domain::user_pool::cursor_key::CursorKey;
use domain::user_pool::error::Reason;
use domain::user_pool::self_service::SelfService;
use domain::user_pool::sessions::{ClientContext, Sessions};
use domain::user_pool::write_attributes::WriteAttributes;
use serde_json::{Value, json};

use super::fake_aws::{FakeAws, offline_aws};
use super::{json_error, response};

fn aws_with_client(client: &Value) -> FakeAws {
    FakeAws::answering([("DescribeUserPoolClient", json!({ "UserPoolClient": client }))])
}

async fn key_of(user_pool_id: &str, client_id: &str, client: Value) -> String {
    let client = offline_aws().await.with_http_client(aws_with_client(&client)).app_client(user_pool_id, client_id);
    client.cursor_key().await.unwrap().expose().to_owned()
}

#[tokio::test]
async fn all_ports_share_one_read_of_the_client() {
    let fake = aws_with_client(&json!({"ClientId": "client-1", "ClientSecret": "canary"}));
    let aws = offline_aws().await.with_http_client(fake.clone());
    let _pool: Arc<dyn UserPool> = Arc::new(aws.directory("pool"));

    let client = aws.app_client("pool", "client-1");
    assert!(!format!("{client:?}").contains("canary"));
    let (sessions, self_service): (Arc<dyn Sessions>, Arc<dyn SelfService>) = (client.clone(), client.clone());
    let cursor_key: Arc<dyn CursorKey> = client.clone();
    sessions.revoke(&Secret::new("refresh")).await.unwrap();
    self_service.forgot_password(&"mia".parse().unwrap(), &ClientContext::default()).await.unwrap();
    cursor_key.cursor_key().await.unwrap();
    assert_eq!(fake.calls("DescribeUserPoolClient"), 1);
    assert_eq!(fake.sent("DescribeUserPoolClient"), json!({"UserPoolId": "pool", "ClientId": "client-1"}));
    assert!(!format!("{client:?}").contains("canary"), "after the secret was read");
}

#[tokio::test]
async fn reads_the_write_attributes_of_the_client() {
    let read = async |client: Value| {
        let client = offline_aws().await.with_http_client(aws_with_client(&client)).app_client("pool", "client-1");
        client.write_attributes().await.unwrap()
    };
    let listed = WriteAttributes::Listed(["email", "custom:team"].map(str::to_owned).into());
    assert_eq!(read(json!({"WriteAttributes": ["custom:team", "email"]})).await, listed);
    // Cognito returns no list for a client with the default attributes.
    for client in [json!({}), json!({"WriteAttributes": []})] {
        assert_eq!(read(client).await, WriteAttributes::Standard);
    }
}

#[tokio::test]
async fn cursor_key_matches_openssl() {
    // printf '%s' 'poolkeeper cursor key v1' | openssl dgst -sha256 -hmac 'secret-1' -binary | basenc --base64url | tr
    // -d =
    let key = key_of("pool", "client-1", json!({"ClientSecret": "secret-1"})).await;
    assert_eq!(key, "zZWAq541nvk4Li5aYJ6BtBi5g9oJJSLDloII804ehKA");
    // … -hmac 'pool client-1' …
    assert_eq!(key_of("pool", "client-1", json!({})).await, "ezZbiJUdDZPIr5lLrA6GY_B0qwradh0G1rqFD0tKwtw");
}

#[tokio::test]
async fn every_client_has_its_own_stable_cursor_key() {
    let with = |secret: &str| json!({ "ClientSecret": secret });
    let key = key_of("pool", "client-1", with("secret-1")).await;
    assert_eq!(key_of("pool", "client-1", with("secret-1")).await, key);
    assert_ne!(key_of("pool", "client-1", with("secret-2")).await, key);

    let key_without_secret = key_of("pool", "client-1", json!({})).await;
    assert_ne!(key_of("pool", "client-2", json!({})).await, key_without_secret);
    assert_ne!(key_of("pool-2", "client-1", json!({})).await, key_without_secret);
}

#[tokio::test]
async fn creation_key_matches_openssl_and_needs_a_client_secret() {
    let creation_key = async |client: Value| {
        let client = offline_aws().await.with_http_client(aws_with_client(&client)).app_client("pool", "client-1");
        client.creation_key().await.unwrap().map(|key| key.expose().to_owned())
    };
    // printf '%s' 'poolkeeper creation key v1' | openssl dgst -sha256 -hmac 'secret-1' -binary | basenc --base64url |
    // tr -d =
    let key = creation_key(json!({"ClientSecret": "secret-1"})).await;
    assert_eq!(key.as_deref(), Some("1apSzXXEn0-jeBddnjA_wNU2pv9bXLHdsnrKe87_zaY"));
    assert_eq!(creation_key(json!({})).await, None);
}

#[tokio::test]
async fn reads_the_client_again_after_a_failure() {
    let failed_before = AtomicBool::new(false);
    let fake = FakeAws::new(move |_| {
        if failed_before.swap(true, Ordering::SeqCst) {
            Ok(response(200, json!({"UserPoolClient": {}}).to_string()))
        } else {
            Ok(json_error(400, "AccessDeniedException"))
        }
    });
    let client = offline_aws().await.with_http_client(fake).app_client("pool", "client-1");
    let error = client.cursor_key().await.unwrap_err();
    assert_eq!((error.reason, error.operation), (Reason::PermissionMissing, "DescribeUserPoolClient"));
    assert!(client.cursor_key().await.is_ok());
}

#[tokio::test]
async fn a_response_without_a_client_is_an_error() {
    let client = offline_aws().await.with_http_client(FakeAws::answering([])).app_client("pool", "client-1");
    assert_eq!(client.cursor_key().await.unwrap_err().reason, Reason::Internal);
}
