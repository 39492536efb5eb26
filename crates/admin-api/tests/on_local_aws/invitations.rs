//! Invitations on the emulator, which evaluates filters and stores the key.

use std::time::Duration;

use domain::invitation::Claim;
use serde_json::json;
use testkit::fault_proxy::{Fault, FaultProxy};
use time::OffsetDateTime;

use crate::harness::{Api, Harness, signing_key};

/// An address as stored, and in the spelling of an invitation request.
const HELD: [(&str, &str); 7] = [
    ("ann@example.com", "ann@example.com"),
    ("bob@example.com", "Bob@EXAMPLE.com"),
    ("cid@b\u{fc}cher.example", "cid@xn--bcher-kva.example"),
    ("dan@xn--bcher-kva.example", "dan@b\u{fc}cher.example"),
    ("o'eve+1=2&x@example.com", "o'eve+1=2&x@example.com"),
    ("fay*{home}@example.com", "Fay*{home}@example.com"),
    ("Hal@Example.COM", "hal@example.com"),
];

async fn create(api: &Api, username: &str, email: &str, is_verified: bool) {
    let attributes = json!({"email": email, "email_verified": is_verified.to_string()});
    let body = json!({"username": username, "attributes": attributes, "welcome_message": "suppress"});
    let answer = api.call("POST", "/v1/users", Some(&body)).await;
    assert_eq!(answer.status, 201, "{username}: {answer:?}");
}

#[tokio::test]
async fn finds_verified_addresses_in_any_spelling() {
    let harness = Harness::start().await;
    let api = harness.api().await;
    let invite = async |email: &str| api.call("POST", "/v1/invitations", Some(&json!({"email": email}))).await;
    for (number, (held, typed)) in HELD.into_iter().enumerate() {
        let username = format!("user-{number}");
        create(&api, &username, held, false).await;
        let answer = invite(typed).await;
        assert_eq!((answer.status, answer.headers["cache-control"].as_str()), (201, Some("no-store")), "{answer:?}");

        let verified = json!({"attributes": {"email_verified": "true"}});
        assert_eq!(api.call("PATCH", &format!("/v1/users/{username}"), Some(&verified)).await.status, 204);
        let answer = invite(typed).await;
        assert_eq!((answer.status, answer.code()), (409, "alias-exists"), "{typed}: {answer:?}");
    }
    for email in ["an@example.com", "ann@example.co", "ann@example.com.org", "ann+1@example.com", "zoe@example.com"] {
        assert_eq!(invite(email).await.status, 201, "{email}");
    }
}

#[tokio::test]
async fn reads_the_key_at_the_first_invitation_and_caches_it() {
    let harness = Harness::start().await;
    let proxy = FaultProxy::start(harness.local_aws.endpoint_url()).await.unwrap();
    let api = harness.api_behind(&proxy, Duration::from_secs(10)).await;
    let invite = async || api.call("POST", "/v1/invitations", Some(&json!({"email": "new@example.com"}))).await;
    let reads = || proxy.calls().iter().filter(|call| call.operation == "GetParameter").count();
    assert_eq!(api.call("GET", "/v1/users", None).await.status, 200);
    assert_eq!(reads(), 0);

    // The fault applies to every attempt of the SDK.
    (1..=10).for_each(|attempt| proxy.plan("GetParameter", attempt, Fault::Unavailable));
    assert_eq!(invite().await.code(), "upstream-unavailable");
    proxy.reset();
    for _ in 0..3 {
        let answer = invite().await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let claim = Claim { user_pool_id: harness.user_pool_id(), email: &"new@example.com".parse().unwrap() };
        let token = answer.body["invitation"].as_str().unwrap();
        assert_eq!(claim.check(token, &signing_key().public_key(), OffsetDateTime::now_utc()).map(drop), Ok(()));
    }
    assert_eq!(reads(), 1);
}
