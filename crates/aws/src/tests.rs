//! Tests the adapters against a mocked AWS: requests, parsed responses and retries. Tests with retries pause time, so
//! that they do not wait for the SDK's backoff.

mod app_client;
mod attempts;
mod directory;
mod fake_aws;
mod groups;
mod http_client;
mod identities;
mod import_jobs;
mod inspector;
mod invitation_keys;
mod modelled_errors;
mod old_user_pool;
mod platform;
mod pool_settings;
mod pool_source;
mod quotas;
mod retries;
mod revocation_table;
mod sdk_source;
mod secret_parameter;
mod self_service;
mod sessions;
mod sign_in_security;
mod update_requests;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::body::SdkBody;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::secret::Secret;
use domain::user_pool::user::Username;
use serde_json::{Value, json};

use crate::CognitoDirectory;
use fake_aws::{FakeAws, offline_aws};

/// Returns the adapter of the pool `pool`.
async fn pool(fake: &FakeAws) -> CognitoDirectory {
    offline_aws().await.with_http_client(fake.clone()).directory("pool")
}

fn mia() -> Username {
    "mia".parse().unwrap()
}

/// Returns an error in Cognito's protocol (AWS JSON).
fn json_error(status: u16, code: &str) -> HttpResponse {
    let body = format!(r#"{{"__type":"{code}","message":"{code} from the mock"}}"#);
    response(status, body)
}

/// Returns an error in IAM's protocol (AWS Query).
fn xml_error(status: u16, code: &str) -> HttpResponse {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>from the mock</Message></Error>");
    response(status, format!("<ErrorResponse>{error}<RequestId>request-1</RequestId></ErrorResponse>"))
}

fn response(status: u16, body: impl Into<SdkBody>) -> HttpResponse {
    let status = status.try_into().unwrap();
    HttpResponse::new(status, body.into())
}

/// Returns an access token of this pool and client in Cognito's format, without a valid signature.
fn access_token(user_pool_id: &str, client_id: &str) -> Secret {
    access_token_with(&json!({
        "iss": format!("https://cognito-idp.eu-central-1.amazonaws.com/{user_pool_id}"), "client_id": client_id,
        "token_use": "access", "username": "mia", "sub": "sub-1", "origin_jti": "session-1"
    }))
}

fn access_token_with(claims: &Value) -> Secret {
    Secret::new(format!("e30.{}.signature", URL_SAFE_NO_PAD.encode(claims.to_string())))
}
