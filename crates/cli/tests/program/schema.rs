//! Tests that the JSON Schema accepts the same specs as the code, as far as a schema can express it.

use std::collections::BTreeSet;

use domain::spec::Spec;
use serde_json::{Map, Value, json};

use crate::{EXAMPLE, TestMachine};

fn schema() -> Value {
    TestMachine::bare().run(&["schema"]).expect(0).json()
}

fn spec(value: &Value) -> Result<Spec, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}

/// Validates `value` against `schema`. Supports only the keywords of these schemas; an unknown keyword fails the test.
pub(crate) fn misfit(root: &Value, schema: &Map<String, Value>, value: &Value) -> Result<(), String> {
    let sub = |schema: &Value, value: &Value| misfit(root, schema.as_object().unwrap(), value);
    let refuse = |keyword: &str| Err(format!("{keyword}: {value}"));
    let length = value.as_str().map(|text| text.chars().count() as u64);
    for (keyword, rule) in schema {
        let fits = match keyword.as_str() {
            // Not validated. Another test compares the pattern with the names that the code accepts.
            "$schema" | "$defs" | "title" | "description" | "default" | "format" | "pattern" | "writeOnly" => true,
            "$ref" => {
                let target = root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap();
                sub(target, value)?;
                true
            }
            "type" => match rule {
                Value::Array(types) => types.iter().any(|one| is_a(value, one)),
                one => is_a(value, one),
            },
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "minProperties" => value.as_object().is_none_or(|fields| fields.len() as u64 >= rule.as_u64().unwrap()),
            "maxProperties" => value.as_object().is_none_or(|fields| fields.len() as u64 <= rule.as_u64().unwrap()),
            "oneOf" => rule.as_array().unwrap().iter().filter(|one| sub(one, value).is_ok()).count() == 1,
            "anyOf" => rule.as_array().unwrap().iter().any(|one| sub(one, value).is_ok()),
            "required" => rule.as_array().unwrap().iter().all(|field| value.get(field.as_str().unwrap()).is_some()),
            "properties" => {
                for (field, value) in value.as_object().into_iter().flatten() {
                    if let Some(rule) = rule.get(field) {
                        sub(rule, value)?;
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                let is_known = |field: &String| known.is_some_and(|known| known.contains_key(field));
                let others = value.as_object().into_iter().flatten().filter(|(field, _)| !is_known(field));
                others.into_iter().all(|(_, other)| rule.as_object().is_some_and(|_| sub(rule, other).is_ok()))
            }
            "items" => {
                for element in value.as_array().into_iter().flatten() {
                    sub(rule, element)?;
                }
                true
            }
            "uniqueItems" => {
                let elements = value.as_array().unwrap().iter().map(Value::to_string);
                elements.clone().collect::<BTreeSet<_>>().len() == elements.count()
            }
            "minItems" => value.as_array().unwrap().len() as u64 >= rule.as_u64().unwrap(),
            "minimum" => value.as_u64().is_some_and(|number| number >= rule.as_u64().unwrap()),
            "maximum" => value.as_u64().is_some_and(|number| number <= rule.as_u64().unwrap()),
            "minLength" => length.is_none_or(|length| length >= rule.as_u64().unwrap()),
            "maxLength" => length.is_none_or(|length| length <= rule.as_u64().unwrap()),
            unknown => unreachable!("this test does not support the keyword {unknown}"),
        };
        if !fits {
            return refuse(keyword);
        }
    }
    Ok(())
}

fn is_a(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => unreachable!("this test does not support the type {other}"),
    }
}

fn check(value: &Value) -> Result<(), String> {
    let schema = schema();
    misfit(&schema, schema.as_object().unwrap(), value)
}

#[test]
fn accepts_the_examples() {
    let example: Value = serde_json::from_str(&std::fs::read_to_string(EXAMPLE).unwrap()).unwrap();
    for value in [
        example,
        json!({"name": "shop"}),
        json!({"name": "shop", "custom_attributes": ["team", {"name": "seats", "type": "number"}]}),
        json!({"name": "shop", "first_admin": null, "clients": {"backend": {}, "web": null}}),
    ] {
        assert_eq!(check(&value), Ok(()));
        assert!(spec(&value).unwrap().check().is_ok(), "{value}");
    }
}

#[test]
fn rejects_specs_that_the_code_rejects() {
    let mut wrong = vec![json!({}), json!({"name": 1}), json!([])];
    for (field, value) in [
        ("self_signup", json!(true)),
        ("sign_in", json!("phone")),
        ("aliases", json!(["name"])),
        ("self_sign_up", json!("perhaps")),
        ("password_policy", json!({"minimum_length": 5})),
        ("password_policy", json!({"minimum_length": 100})),
        ("password_policy", json!({"length": 12})),
        ("clients", json!({"mobile": {}})),
        ("clients", json!({"backend": {"auth_flows": ["ALLOW_ALL"]}})),
        ("clients", json!({"backend": {"access_token_minutes": 4}})),
        ("clients", json!({"backend": {}, "web": {"refresh_token_days": 3651}})),
        ("clients", json!({"backend": {"write_attributes": "name"}})),
        ("mfa", json!("on")),
        ("mfa", json!("without_totp")),
        ("custom_attributes", json!([{"name": "seats", "kind": "number"}])),
        ("custom_attributes", json!([{"name": "seats", "type": "float"}])),
        ("custom_attributes", json!(["a-name-that-is-too-long"])),
        ("identity_pool", json!({"guest": true})),
        ("authenticated_policy", json!([{"actions": ["s3:GetObject"]}])),
        ("authenticated_policy", json!([{"actions": [], "resources": ["arn:aws:s3:::shop"]}])),
        ("groups", json!([""])),
        ("on_delete", json!("keep")),
    ] {
        wrong.push(json!({"name": "shop", field: value}));
    }
    for value in wrong {
        assert!(check(&value).is_err(), "fits: {value}");
        assert!(
            spec(&value).is_err_and(|error| !error.is_empty()) || spec(&value).unwrap().check().is_err(),
            "{value}"
        );
    }
}

#[test]
fn describes_every_field() {
    let schema = schema();
    let fields = schema["properties"].as_object().unwrap();
    // The error for an unknown field lists the known fields.
    let error = spec(&json!({"no_such_field": 1})).unwrap_err();
    let (_, known) = error.split_once("expected one of ").unwrap();
    let known: BTreeSet<&str> = known.split('`').skip(1).step_by(2).collect();
    assert_eq!(fields.keys().map(String::as_str).collect::<BTreeSet<_>>(), known);

    let parts = schema["$defs"].as_object().unwrap().values().filter_map(|part| part["properties"].as_object());
    for (field, rule) in parts.flatten().chain(fields) {
        let description = rule["description"].as_str().unwrap_or_default();
        assert!(description.ends_with('.') && !description.contains("[`"), "{field}: {description}");
    }
}

#[test]
fn pattern_of_names_matches_the_code() {
    let rule = &schema()["$defs"]["PoolName"];
    assert_eq!(rule["pattern"], "^[A-Za-z0-9-]+([.][A-Za-z0-9-]+)*$");
    assert_eq!(rule["maxLength"], 36);
    let (longest, too_long) = ("x".repeat(36), "x".repeat(37));
    for name in ["shop-1", "shop.staging", "a.b.c", &longest] {
        assert!(spec(&json!({"name": name})).is_ok(), "{name}");
    }
    for name in ["", &too_long, "a_b", ".shop", "shop.", "a..b"] {
        assert!(spec(&json!({"name": name})).is_err(), "{name}");
    }
}

#[test]
fn defaults_match_the_code() {
    let schema = schema();
    let plain = spec(&json!({"name": "shop"})).unwrap();
    let mut seen = 0;
    for (field, rule) in schema["properties"].as_object().unwrap() {
        if field == "name" {
            continue;
        }
        assert_eq!(spec(&json!({"name": "shop", field: rule["default"]})).unwrap(), plain, "{field}");
        seen += 1;
    }
    for (field, part) in [("password_policy", "PasswordPolicy"), ("identity_pool", "IdentityPoolSpec")] {
        for (name, rule) in schema["$defs"][part]["properties"].as_object().unwrap() {
            let with_default = json!({"name": "shop", field: {name: rule["default"]}});
            assert_eq!(spec(&with_default).unwrap(), plain, "{field}.{name}");
            seen += 1;
        }
    }
    for (name, rule) in schema["$defs"]["ClientSpec"]["properties"].as_object().unwrap() {
        let with_default = json!({"name": "shop", "clients": {"backend": {name: rule["default"]}, "web": {}}});
        assert_eq!(spec(&with_default).unwrap(), plain, "clients.backend.{name}");
        seen += 1;
    }
    let attribute = &schema["$defs"]["FullCustomAttribute"]["properties"];
    let attribute =
        json!({"name": "a", "type": attribute["type"]["default"], "mutable": attribute["mutable"]["default"]});
    let short = spec(&json!({"name": "shop", "custom_attributes": ["a"]})).unwrap();
    assert_eq!(spec(&json!({"name": "shop", "custom_attributes": [attribute]})).unwrap(), short);
    assert!(seen > 25, "{seen}");
}
