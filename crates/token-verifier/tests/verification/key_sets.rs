use serde_json::{Value, json};
use token_verifier::{KeySet, KeySetError};

use crate::pool::{KEY_ID, OTHER_POOL, POOL, at, encode, key_set, policy, with};

#[test]
fn verifies_with_each_of_two_keys() {
    let keys = key_set(&[OTHER_POOL.jwk("key-2="), POOL.jwk(KEY_ID)]).unwrap();
    assert!(keys.contains("key-2=") && keys.contains(KEY_ID) && !keys.contains(""));
    let token = POOL.token(&crate::pool::access_claims());
    assert!(policy().verify(&token, &keys, at(crate::pool::ISSUED_AT)).is_ok());
    assert_eq!(format!("{keys:?}"), r#"KeySet(["key-1=", "key-2="])"#);
}

#[test]
fn ignores_keys_for_other_purposes() {
    for (name, value) in [("use", "enc"), ("alg", "RS512"), ("kty", "EC")] {
        let keys = key_set(&[with(POOL.jwk(KEY_ID), name, json!(value))]).unwrap();
        assert!(!keys.contains(KEY_ID), "{name} {value}");
    }
    for optional in ["use", "alg"] {
        let keys = key_set(&[with(POOL.jwk(KEY_ID), optional, Value::Null)]).unwrap();
        assert!(keys.contains(KEY_ID), "without {optional}");
    }
}

#[test]
fn rejects_invalid_keys() {
    let jwk = POOL.jwk(KEY_ID);
    for (name, value) in [
        ("n", Value::Null),
        ("e", Value::Null),
        ("n", json!("")),
        ("n", json!("!")),
        ("n", json!(format!("{}=", jwk["n"].as_str().unwrap()))),
        ("n", json!(encode([255; 128]))),
        ("n", json!(encode([255; 1025]))),
        ("e", json!(encode([0, 1, 0, 1]))),
    ] {
        let error = key_set(&[with(jwk.clone(), name, value.clone())]).unwrap_err();
        assert_eq!(error, KeySetError::Key(KEY_ID.to_owned()), "{name}: {value}");
    }
    let anonymous = key_set(&[with(jwk.clone(), "kid", Value::Null)]).unwrap_err();
    assert_eq!(anonymous, KeySetError::Key(String::new()));
    let twice = key_set(&[jwk.clone(), jwk]).unwrap_err();
    assert_eq!(twice, KeySetError::Duplicate(KEY_ID.to_owned()));
}

#[test]
fn rejects_documents_without_keys() {
    for document in ["", "{}", "[]", r#"{"keys":{}}"#, r#"{"message":"not found"}"#, r#"{"keys":[]} x"#] {
        assert_eq!(KeySet::parse(document.as_bytes()).unwrap_err(), KeySetError::Malformed, "{document}");
    }
}
