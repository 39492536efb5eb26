//! Tests how the invitation signing key is created, read and deleted, and that its value is never printed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::error_chain::causes;
use domain::invitation::{InvitationKey, InvitationKeys, KeyName, OwningStack, SigningKey};
use domain::retry::ErrorClass;
use domain::spec::PoolName;
use domain::user_pool::error::Reason;
use serde_json::{Value, json};

use super::fake_aws::{FakeAws, offline_aws};
use super::{json_error, response};
use crate::{SsmInvitationKey, SsmInvitationKeys};

const NAME: &str = "/poolkeeper/shop/invitation-key/stack/1";

/// A parameter value that is not a key.
const CANARY: &str = "canary";

fn shop() -> PoolName {
    "shop".to_owned().try_into().unwrap()
}

fn name() -> KeyName {
    KeyName::of(&shop(), &OwningStack::of_id("stack").unwrap(), 1)
}

fn tags() -> BTreeMap<String, String> {
    BTreeMap::from([("poolkeeper:pool".to_owned(), "shop".to_owned())])
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn pem() -> String {
    key().to_pem().unwrap().expose().to_owned()
}

fn parameter_with(kind: &str, value: &str) -> FakeAws {
    FakeAws::answering([("GetParameter", json!({"Parameter": {"Name": NAME, "Type": kind, "Value": value}}))])
}

async fn keys(fake: &FakeAws) -> SsmInvitationKeys {
    offline_aws().await.with_http_client(fake.clone()).invitation_keys()
}

async fn one_key(fake: &FakeAws) -> SsmInvitationKey {
    offline_aws().await.with_http_client(fake.clone()).invitation_key(NAME)
}

/// Returns responses with parameters that are not valid keys.
fn invalid_parameters() -> Vec<FakeAws> {
    let of = |answer: Value| FakeAws::answering([("GetParameter", answer)]);
    let truncated = pem().replace("-----END", "canary-----END");
    vec![
        parameter_with("SecureString", CANARY),
        parameter_with("SecureString", ""),
        parameter_with("SecureString", &truncated),
        // Not encrypted.
        parameter_with("String", &pem()),
        parameter_with("StringList", &pem()),
        of(json!({"Parameter": {"Name": NAME, "Type": "SecureString"}})),
        of(json!({"Parameter": {"Name": NAME, "Value": pem()}})),
        of(json!({})),
    ]
}

#[tokio::test]
async fn stores_the_key_encrypted_and_tagged_without_overwriting() {
    let fake = FakeAws::answering([]);
    keys(&fake).await.create(&name(), &tags(), &key()).await.unwrap();
    let expected = json!({
        "Name": NAME,
        "Description": "Invitation signing key of a Poolkeeper user pool",
        "Type": "SecureString",
        "Value": pem(),
        "Overwrite": false,
        "Tags": [{"Key": "poolkeeper:pool", "Value": "shop"}],
    });
    assert_eq!(fake.sent("PutParameter"), expected);
}

#[tokio::test]
async fn both_adapters_read_the_decrypted_key() {
    let fake = parameter_with("SecureString", &pem());
    let found = keys(&fake).await.read(&name()).await.unwrap().unwrap();
    assert_eq!(found.key.public_key(), key().public_key());
    let expected = json!({"Name": NAME, "WithDecryption": true});
    assert_eq!(fake.sent("GetParameter"), expected);

    let fake = parameter_with("SecureString", &pem());
    let found = one_key(&fake).await.invitation_key().await.unwrap();
    assert_eq!(found.public_key(), key().public_key());
    assert_eq!(fake.sent("GetParameter"), expected);
}

#[tokio::test]
async fn only_the_first_version_of_a_parameter_is_original() {
    for (version, is_original) in [(json!(1), true), (json!(2), false), (json!(null), false)] {
        let parameter = json!({"Name": NAME, "Type": "SecureString", "Value": pem(), "Version": version});
        let fake = FakeAws::answering([("GetParameter", json!({ "Parameter": parameter }))]);
        assert_eq!(keys(&fake).await.read(&name()).await.unwrap().unwrap().is_original, is_original, "{version}");
    }
}

#[tokio::test]
async fn reads_the_tags_of_a_key() {
    let tags = json!({"TagList": [{"Key": "poolkeeper:stack", "Value": "stack"}]});
    for (answer, expected) in [(tags, vec![("poolkeeper:stack", "stack")]), (json!({}), vec![])] {
        let fake = FakeAws::answering([("ListTagsForResource", answer)]);
        let found = keys(&fake).await.tags(&name()).await.unwrap().unwrap();
        let found: Vec<_> = found.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(found, expected);
        assert_eq!(fake.sent("ListTagsForResource"), json!({"ResourceType": "Parameter", "ResourceId": NAME}));
    }
    let absent = FakeAws::new(|_| Ok(json_error(400, "InvalidResourceId")));
    assert_eq!(keys(&absent).await.tags(&name()).await.unwrap(), None);
}

#[tokio::test]
async fn deletes_a_key_by_its_name() {
    let fake = FakeAws::answering([]);
    keys(&fake).await.delete(&name()).await.unwrap();
    assert_eq!(fake.sent("DeleteParameter"), json!({ "Name": NAME }));
}

#[tokio::test]
async fn reports_a_missing_key_with_its_name_and_the_fix() {
    let fake = FakeAws::new(|_| Ok(json_error(400, "ParameterNotFound")));
    assert!(keys(&fake).await.read(&name()).await.unwrap().is_none());
    assert_eq!(keys(&fake).await.delete(&name()).await.unwrap_err().class, ErrorClass::NotFound);

    let error = one_key(&fake).await.invitation_key().await.unwrap_err();
    assert_eq!((error.reason, error.operation), (Reason::Internal, "GetParameter"));
    let text = causes(&error);
    assert!(text.contains(NAME) && text.contains("deploy with another InvitationKeyVersion"), "{text}");
}

#[tokio::test]
async fn rejects_invalid_parameters_without_quoting_their_value() {
    for fake in invalid_parameters() {
        let invalid = keys(&fake).await.read(&name()).await.unwrap_err();
        assert_eq!((invalid.class, invalid.operation), (ErrorClass::Invalid, "GetParameter"));
        let unusable = one_key(&fake).await.invitation_key().await.unwrap_err();
        assert_eq!((unusable.reason, unusable.operation), (Reason::Internal, "GetParameter"));
        for text in [causes(&invalid), causes(&unusable), format!("{invalid:?} {unusable:?}")] {
            assert!(text.contains(NAME), "{text}");
            assert!(!text.contains(CANARY) && !text.contains("PRIVATE KEY-----"), "{text}");
        }
        for text in [causes(&invalid), causes(&unusable)] {
            assert!(text.contains("deploy with another InvitationKeyVersion to create a new key"), "{text}");
            // Deleting the parameter alone does not create a new key.
            assert!(!text.contains("delete"), "{text}");
        }
    }
}

#[tokio::test]
async fn reads_the_key_once_and_again_only_after_a_failure() {
    let failed_before = AtomicBool::new(false);
    let fake = FakeAws::new(move |_| {
        if failed_before.swap(true, Ordering::SeqCst) {
            let parameter = json!({"Name": NAME, "Type": "SecureString", "Value": pem()});
            Ok(response(200, json!({ "Parameter": parameter }).to_string()))
        } else {
            Ok(json_error(400, "AccessDeniedException"))
        }
    });
    let one_key = one_key(&fake).await;
    assert_eq!(one_key.invitation_key().await.unwrap_err().reason, Reason::PermissionMissing);
    for _ in 0..3 {
        assert_eq!(one_key.invitation_key().await.unwrap().public_key(), key().public_key());
    }
    assert_eq!(fake.calls("GetParameter"), 2);
}

#[tokio::test]
async fn debug_output_and_errors_never_contain_the_key() {
    let one_key = one_key(&parameter_with("SecureString", &pem())).await;
    one_key.invitation_key().await.unwrap();
    let body = pem().lines().nth(1).unwrap().to_owned();
    assert!(!format!("{one_key:?}").contains(&body));

    let quoting = FakeAws::new(move |_| {
        let message = format!("1 validation error detected: Value '{}' at 'value' failed to satisfy constraint", pem());
        Ok(response(400, json!({"__type": "ValidationException", "message": message}).to_string()))
    });
    let error = keys(&quoting).await.create(&name(), &tags(), &key()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Invalid);
    for text in [causes(&error), format!("{error:?}")] {
        assert!(text.contains("ValidationException") && !text.contains(&body), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn provisioning_sends_key_calls_once_and_signing_retries_reads() {
    let fake = FakeAws::new(|_| Ok(response(503, "")));
    let keys = keys(&fake).await;
    assert_eq!(keys.create(&name(), &tags(), &key()).await.unwrap_err().class, ErrorClass::OutcomeUnknown);
    assert!(keys.delete(&name()).await.is_err() && keys.read(&name()).await.is_err());
    let once = ["PutParameter", "DeleteParameter", "GetParameter"].map(|operation| fake.calls(operation));
    assert_eq!(once, [1; 3]);

    assert_eq!(one_key(&fake).await.invitation_key().await.unwrap_err().reason, Reason::Unavailable);
    assert_eq!(fake.calls("GetParameter"), 1 + 3);
}
