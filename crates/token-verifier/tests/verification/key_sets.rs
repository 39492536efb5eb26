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
fn purpose_and_algorithm_are_optional() {
    for optional in ["use", "alg"] {
        let keys = key_set(&[with(POOL.jwk(KEY_ID), optional, Value::Null)]).unwrap();
        assert!(keys.contains(KEY_ID), "without {optional}");
    }
}

#[test]
fn ignores_unusable_keys() {
    let jwk = POOL.jwk(KEY_ID);
    let mut small = [255; 256];
    small[0] = 0x7f;
    for (name, value) in [
        ("use", json!("enc")),
        ("alg", json!("RS512")),
        ("kty", json!("EC")),
        ("kty", Value::Null),
        ("kid", Value::Null),
        ("kid", json!("")),
        ("kid", json!(1)),
        ("n", json!(encode(small))),
        ("n", Value::Null),
        ("e", Value::Null),
        ("n", json!("")),
        ("n", json!("!")),
        ("n", json!(format!("{}=", jwk["n"].as_str().unwrap()))),
        ("n", json!(encode([255; 128]))),
        ("n", json!(encode([255; 1025]))),
        ("e", json!(encode([0, 1, 0, 1]))),
    ] {
        let unusable = with(jwk.clone(), name, value.clone());
        assert_eq!(key_set(std::slice::from_ref(&unusable)).unwrap_err(), KeySetError::Empty, "{name}: {value}");
        let keys = key_set(&[unusable, OTHER_POOL.jwk("key-2=")]).unwrap();
        assert!(keys.contains("key-2=") && !keys.contains(KEY_ID), "{name}: {value}");
    }
}

#[test]
fn rejects_duplicate_ids() {
    let jwk = POOL.jwk(KEY_ID);
    let twice = key_set(&[jwk.clone(), jwk]).unwrap_err();
    assert_eq!(twice, KeySetError::Duplicate(KEY_ID.to_owned()));
}

#[test]
fn rejects_documents_without_keys() {
    assert_eq!(KeySet::parse(br#"{"keys":[]}"#).unwrap_err(), KeySetError::Empty);
    for document in ["", "{}", "[]", r#"{"keys":{}}"#, r#"{"message":"not found"}"#, r#"{"keys":[]} x"#] {
        assert_eq!(KeySet::parse(document.as_bytes()).unwrap_err(), KeySetError::Malformed, "{document}");
    }
}
