//! No secret is logged, even if a call with a secret fails. The SDK's lines below `INFO`, which contain bodies, are
//! compiled out of every function.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_http::Context;
use serde_json::{Value, json};
use testkit::fault_proxy::{Fault, FaultProxy};
use tracing::level_filters::LevelFilter;

use crate::harness::{Api, Harness, signing_key};

#[derive(Clone, Default)]
struct LogBuffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for LogBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Creates a user and an invitation, signs up, signs in and signs out, with canaries as secrets. Returns every secret
/// in a response.
async fn use_account(api: &Api, user: &str) -> Vec<String> {
    let call = async |method: &str, path: &str, body: Value| api.call(method, path, Some(&body)).await.body;
    let auth = async |route: &str, body: Value| call("POST", &format!("/v1/auth/{route}"), body).await;
    let password = "Canary-Password-1";
    let invited = json!({
        "username": user, "attributes": {"email": format!("{user}@example.com"), "email_verified": "true"},
        "password": password
    });
    call("POST", "/v1/users", invited).await;
    let email = format!("{user}@guests.example");
    let invitation = call("POST", "/v1/invitations", json!({"email": email})).await["invitation"].clone();
    let shown = json!({"invitation": invitation.as_str().unwrap_or("canary-invitation")});
    let guest = json!({
        "username": format!("{user}-guest"), "password": password, "attributes": {"email": email},
        "client_metadata": shown, "validation_data": shown
    });
    auth("sign-up", guest.clone()).await;
    auth("sign-up", guest).await;
    auth("sign-in", json!({"username": user, "password": "Canary-Wrong-1"})).await;
    auth("sign-in", json!({"username": "Canary-Typed-1", "password": "x"})).await;
    let signed_in = auth("sign-in", json!({"username": user, "password": password})).await;
    let session = signed_in["challenge"]["session"].clone();
    let answer = json!({
        "challenge": "NEW_PASSWORD_REQUIRED", "username": user, "session": session, "new_password": "Canary-Own-1"
    });
    let tokens = auth("challenge", answer).await["tokens"].clone();
    auth(
        "challenge",
        json!({"challenge": "SMS_MFA", "username": user, "session": "canary-session", "code": "canary-code"}),
    )
    .await;
    auth("refresh", json!({"username": user, "refresh_token": tokens["refresh_token"]})).await;
    auth("refresh", json!({"username": user, "refresh_token": "canary-refresh-token"})).await;
    let own = json!({"x-access-token": tokens["access_token"].as_str().unwrap_or("canary-access-token")});
    api.call_with("GET", "/v1/auth/me", None, own, Context::default()).await;
    let body = json!({"password": "Canary-Set-1", "permanent": true});
    call("PUT", &format!("/v1/users/{user}/password"), body).await;
    call("PUT", &format!("/v1/users/{user}/password"), json!({"password": "canary", "permanent": true})).await;
    auth("forgot-password", json!({"username": user})).await;
    auth("reset-password", json!({"username": user, "code": "canary-code", "new_password": "Canary-Reset-1"})).await;
    auth("confirm-sign-up", json!({"username": user, "code": "canary-code"})).await;
    auth("sign-out", json!({"refresh_token": tokens["refresh_token"]})).await;
    auth("sign-out", json!({"access_token": tokens["access_token"]})).await;
    let secrets = ["access_token", "id_token", "refresh_token"].map(|name| tokens[name].clone());
    secrets.iter().chain([&session, &invitation]).filter_map(Value::as_str).map(str::to_owned).collect()
}

#[tokio::test]
async fn no_secret_is_logged_in_success_or_failure() {
    let buffer = LogBuffer::default();
    let writer = buffer.clone();
    let subscriber =
        tracing_subscriber::fmt().json().with_max_level(LevelFilter::TRACE).with_writer(move || writer.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();

    let harness = Harness::start().await;
    let client_secret = harness.client_secret().await;
    let mut secrets = use_account(&harness.api().await, "mia").await;
    assert_eq!(secrets.len(), 5, "an invitation, a session and three tokens");
    // Each call fails once, so that the failure of each is logged.
    for (number, fault) in [Fault::Throttled, Fault::Unavailable, Fault::AnswerLost].into_iter().enumerate() {
        let proxy = FaultProxy::start(harness.local_aws.endpoint_url()).await.unwrap();
        let api = harness.api_behind(&proxy, Duration::from_secs(10)).await;
        (1..=200).filter(|call| call % 3 == number).for_each(|call| proxy.plan_at(call, fault));
        secrets.extend(use_account(&api, &format!("user-{number}")).await);
    }
    secrets.push(client_secret);
    let pem = signing_key().to_pem().unwrap();
    // The key as it is stored, and the key without the PEM header and footer.
    secrets.extend([pem.expose().to_owned(), pem.expose().lines().nth(1).unwrap().to_owned()]);

    let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("\"audit\"") && text.contains("request rejected"), "there are logs");
    assert!(!text.to_lowercase().contains("canary"), "{text}");
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} in the logs");
    }
}
