//! Tests which parameters contain a secret.

use serde_json::{Value, json};

use super::fake_aws::{FakeAws, offline_aws};
use crate::SecretParameter;

async fn parameter(fake: &FakeAws) -> SecretParameter {
    offline_aws().await.with_http_client(fake.clone()).secret_parameter("/shop/migration")
}

fn stored(kind: &str, value: &str) -> Value {
    json!({"Parameter": {"Name": "/shop/migration", "Type": kind, "Value": value}})
}

#[tokio::test]
async fn reads_an_encrypted_parameter_at_each_call() {
    let fake = FakeAws::answering([("GetParameter", stored("SecureString", "whsec_1"))]);
    let parameter = parameter(&fake).await;
    for _ in 0..2 {
        assert_eq!(parameter.secret().await.unwrap().expose(), "whsec_1");
    }
    assert_eq!(fake.calls("GetParameter"), 2);
    assert_eq!(fake.sent("GetParameter"), json!({"Name": "/shop/migration", "WithDecryption": true}));
}

#[tokio::test]
async fn rejects_other_parameters_without_their_value() {
    for answer in [stored("String", "canary"), stored("SecureString", ""), json!({})] {
        let fake = FakeAws::answering([("GetParameter", answer)]);
        let error = parameter(&fake).await.secret().await.map(|_| ()).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(source, "the parameter /shop/migration must be a SecureString");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}
