//! Tests that the JSON Schema of a user accepts the same lines as the code, as far as a schema can express it.

use domain::transfer::UserRow;
use serde_json::{Value, json};

use crate::TestMachine;
use crate::schema::misfit;

/// The published schema.
const PUBLISHED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/users.schema.json"));

fn fits(value: &Value) -> bool {
    let schema: Value = serde_json::from_str(PUBLISHED).unwrap();
    misfit(&schema, schema.as_object().unwrap(), value).is_ok()
}

#[test]
fn published_schema_is_current() {
    let current = TestMachine::bare().run(&["users", "schema"]).expect(0).stdout;
    assert!(current == PUBLISHED, "run `poolkeeper users schema > docs/users.schema.json`");
}

#[test]
fn schema_accepts_what_the_code_accepts() {
    for value in [
        json!({"username": "mia"}),
        json!({"version": 1, "username": "mia", "enabled": false, "invite": true, "groups": ["a"], "mfa": null}),
        json!({"username": "mia", "attributes": {"email": "mia@example.com"}, "password": {"permanent": "x"}}),
        json!({"username": "mia", "password": {"pbkdf2_sha256": "x"}, "mfa": {"enabled": ["SMS_MFA"]}}),
        json!({"username": "mia", "mfa": {"enabled": ["EMAIL_OTP"], "preferred": "EMAIL_OTP"}}),
        json!({"username": "mia", "origin": {
            "status": "CONFIRMED", "created_at": "2026-01-01T00:00:00Z", "modified_at": "2026-01-01T00:00:00Z"
        }}),
    ] {
        assert!(UserRow::parse(value.to_string().as_bytes()).is_ok() && fits(&value), "{value}");
    }
}

#[test]
fn schema_rejects_what_the_code_rejects() {
    let mut wrong = vec![json!({}), json!([]), json!({"username": ""}), json!({"username": "x".repeat(129)})];
    for (field, value) in [
        ("version", json!(2)),
        ("nickname", json!("x")),
        ("enabled", json!("true")),
        ("attributes", json!({"email_verified": true})),
        ("groups", json!([""])),
        ("groups", json!("editors")),
        ("mfa", json!({"enabled": ["PAGER"]})),
        ("mfa", json!({"preferred": "SMS_MFA"})),
        ("password", json!("x")),
        ("password", json!({})),
        ("password", json!({"permanent": "x", "temporary": "y"})),
        ("password", json!({"plain": "x"})),
        ("origin", json!({"status": "CONFIRMED"})),
    ] {
        wrong.push(json!({"username": "mia", field: value}));
    }
    for value in wrong {
        assert!(UserRow::parse(value.to_string().as_bytes()).is_err(), "code: {value}");
        assert!(!fits(&value), "schema: {value}");
    }
}

#[test]
fn schema_describes_every_field() {
    let schema: Value = serde_json::from_str(PUBLISHED).unwrap();
    let parts = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    for (field, rule) in parts.filter_map(|part| part["properties"].as_object()).flatten() {
        let description = rule["description"].as_str().unwrap_or_default();
        assert!(description.ends_with('.') && !description.contains("[`"), "{field}: {description}");
    }
}
